"""Content as JSON text that is valid and not larger than it may be."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, Final

from litespan.content_tree import Redact, Shape, dump_json, is_label, json_tree

# Fields of a shape that hold JSON of the program's own.
_FOREIGN: Final = ("arguments", "response", "parameters")
_SHORTEST: Final = 64  # bytes of JSON below which a text is not cut


def encode(value: object, max_bytes: int, redact: Redact | None = None) -> str | None:
    """Return ``value`` as JSON of at most ``max_bytes`` bytes of UTF-8, ``None`` for nothing or without room.

    Every text passes ``redact`` before anything is cut. What is too large is cut by part: the longest texts
    first, then JSON of the program's own as text, then the oldest items of a list; each cut says its size.
    ``value`` is not changed.

    Raises:
        RedactionError: ``redact`` raised or returned no text; nothing of the content may be used then.
    """
    if value is None:
        return None
    tree = json_tree(value, redact)
    for shrunk in _stages(tree, max_bytes):
        text = dump_json(shrunk)
        if len(text.encode()) <= max_bytes:
            return text
    return None


def _size(tree: object) -> int:
    return len(dump_json(tree).encode())


def _stages(tree: Any, max_bytes: int) -> Iterator[Any]:
    """Yield the tree, then what is left of it at each stage of cutting."""
    yield tree
    root = [tree]
    yield _level(root, max_bytes)
    _flatten_foreign(root)
    yield _level(root, max_bytes)
    if root[0] and isinstance(root[0], list):
        root[0] = _without_oldest(root[0], max_bytes)
        yield _level(root, max_bytes)


def _texts(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Find the texts that may be cut, each as its container and its key there."""
    waiting = [tree]
    while waiting:
        container = waiting.pop()
        for key, value in container.items() if isinstance(container, dict) else enumerate(container):
            if isinstance(value, (dict, list)):
                waiting.append(value)
            elif isinstance(value, str) and not (isinstance(container, Shape) and is_label(key, value)):
                yield container, key


def _level(root: list[Any], max_bytes: int) -> Any:
    """Cut the longest texts to one common size, as long as that needs no text shorter than the shortest."""
    sizes = [(_size(container[key]), container, key) for container, key in _texts(root)]
    room = max_bytes - _size(root[0]) + sum(size for size, _, _ in sizes)
    level = _common_size(sorted(size for size, _, _ in sizes), room)
    if level >= min(_SHORTEST, max_bytes):
        for size, container, key in sizes:
            if size > level:
                container[key] = _cut(container[key], level)
    return root[0]


def _common_size(sizes: list[int], room: int) -> int:
    """Return the largest size to which texts of these ascending ``sizes`` can be cut to fit into ``room``."""
    for index, size in enumerate(sizes):
        share = room // (len(sizes) - index)
        if size > share:
            return share
        room -= size
    return max(sizes, default=0)


def _cut(text: str, size: int) -> str:
    """Return the beginning of a text so that its JSON, with a note of the cut, has at most ``size`` bytes."""
    room = size - _size(_note(len(text)))
    kept = bisect_right(range(min(len(text), max(size, 0))), room, key=lambda n: _size(text[: n + 1]) - 2)
    return text[:kept] + _note(len(text) - kept)


def _note(cut: int) -> str:
    return f"…[cut {cut} chars]"


def _flatten_foreign(root: list[Any]) -> None:
    """Turn JSON of the program's own into text, which can be cut and stays valid."""
    if not _is_list_of_shapes(root[0]):
        root[0] = root[0] if isinstance(root[0], str) else dump_json(root[0])
    waiting = [root[0]]
    while waiting:
        container = waiting.pop()
        if isinstance(container, list):
            waiting.extend(container)
        elif isinstance(container, Shape):
            waiting.extend(container.values())
            for key in _FOREIGN:
                if isinstance(container.get(key), (dict, list)) and _size(container[key]) > _SHORTEST:
                    container[key] = dump_json(container[key])


def _is_list_of_shapes(tree: object) -> bool:
    return isinstance(tree, list) and all(isinstance(item, Shape) for item in tree)


def _without_oldest(items: list[Any], max_bytes: int) -> list[Any]:
    """Drop as many items from the front as it takes to fit the rest, and say how many."""
    room = max_bytes - _size([_dropped(items, len(items))])
    kept = 0
    for item in reversed(items):
        room -= _least_size(item) + 1
        if room < 0:
            break
        kept += 1
    return [_dropped(items, len(items) - kept), *items[len(items) - kept :]]


def _least_size(item: Any) -> int:
    sizes = [_size(container[key]) for container, key in _texts([item])]
    return _size(item) - sum(sizes) + sum(min(size, _SHORTEST) for size in sizes)


def _dropped(items: list[Any], count: int) -> Shape:
    note = Shape(type="text", content=f"[dropped the {count} oldest of {len(items)}]")
    return Shape(role="litespan", parts=[note]) if "parts" in items[-1] else note
