"""Any value as a tree of JSON values of our own: redacted, finite, without binary content."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import TracebackType
from typing import Any, Final, TypeGuard
from urllib.parse import unquote_to_bytes

Redact = Callable[[str], str]

# Fields of a shape that hold a name or an id, never content: neither redacted nor cut.
_LABELS: Final = frozenset({"type", "role", "id", "modality", "mime_type", "sha256", "finish_reason"})
_LABEL: Final = re.compile(r"[\w.:/+-]{1,128}", re.ASCII)
_DATA_URL: Final = re.compile(
    r"data:(?P<mime_type>[\w.+-]+/[\w.+-]+)?(;[\w=.-]+)*?(?P<base64>;base64)?,", re.ASCII | re.IGNORECASE
)

# One inside of a text, as in Markdown or in a tool's JSON: in lines or not, in the usual alphabet or that of
# URLs, with slashes as JSON may write them. Short ones are no files. Compiled when a text has one.
_LINE_BREAK: Final = r"(?:\r?\n|(?:\\r)?\\n)"
_DATA: Final = r"(?:[\w+/-]|\\/)[\w+/-]*(?:\\/[\w+/-]*)*"
_LONG_LINE: Final = rf"{_LINE_BREAK}(?=(?:[\w+/-]|\\/){{32}}){_DATA}"
_LAST_LINE: Final = rf"{_LINE_BREAK}{_DATA}(?==*(?:[\r\n\\\"')>]|$))"
_DATA_URL_INSIDE: Final = (
    r"data:[\w.+-]+\\?/[\w.+-]+(;[\w=.-]+)*;base64,"
    rf"(?P<data>(?=(?:[\w+/-]|\\/){{64}}){_DATA}(?:(?:{_LONG_LINE})+(?:{_LAST_LINE})?)?={{0,2}})"
)
_USUAL_ALPHABET: Final = str.maketrans("-_", "+/")

_MAX_DEPTH: Final = 32
_MAX_VALUES: Final = 20_000  # bounds the work on objects that share their parts many times over
_MAX_INT_BITS: Final = 1024  # Python refuses to print integers of more than some thousand digits
_TOO_MUCH: Final = "[cut: too many values]"


class RedactionError(Exception):
    """The redact function failed. Names the class of its error only: the message may quote the content."""


class Shape(dict[str, Any]):
    """A message or a part in the conventions' form: its keys are litespan's, so they are no content."""


def json_tree(value: object, redact: Redact | None = None) -> Any:
    """Copy a value into dicts, lists, texts and numbers that JSON knows; ``value`` is not changed.

    Each text passes ``redact``, keys of foreign mappings included, labels of shapes excepted. Bytes and
    ``data:`` URLs become a description, also inside of a text. No ``repr`` or ``str`` of a foreign object is
    called: an object that is no data is named by its class.

    Raises:
        RedactionError: ``redact`` raised or returned no text.
    """
    return _Reader(redact).read(value)


def dump_json(tree: object) -> str:
    """Return a tree as compact JSON text."""
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def is_label(key: object, value: object) -> TypeGuard[str]:
    """Tell whether a field of a shape is a name or an id rather than content."""
    return key in _LABELS and isinstance(value, str) and _LABEL.fullmatch(value) is not None


def blob(data: bytes, modality: str | None = None, mime_type: str | None = None) -> Shape:
    """Describe binary content without the content: its size in bytes and its SHA-256.

    The MIME type tells the modality better than the field in which the content came.
    """
    shape = Shape(type="blob")
    kind = (mime_type or "").partition("/")[0]
    if modality := kind if kind in ("image", "audio", "video") else modality:
        shape["modality"] = modality
    if mime_type:
        shape["mime_type"] = mime_type
    shape["size"] = len(data)
    shape["sha256"] = hashlib.sha256(data).hexdigest()
    return shape


def blob_of_base64(data: str, modality: str | None = None, mime_type: str | None = None) -> Shape:
    """Describe binary content that is written in base64; what is none is described as it is written."""
    try:
        return blob(base64.b64decode(data), modality, mime_type)
    except (binascii.Error, ValueError):
        return blob(data.encode("utf-8", "surrogatepass"), modality, mime_type)


def blob_of_data_url(url: str, modality: str | None = None) -> Shape | None:
    """Describe what a ``data:`` URL holds; ``None`` if the text is no such URL."""
    found = _DATA_URL.match(url)
    if found is None or not (found["mime_type"] or found["base64"]):
        return None
    mime_type, data = found["mime_type"], url[found.end() :]
    if found["base64"]:
        return blob_of_base64(data, modality, mime_type)
    return blob(unquote_to_bytes(data.encode("utf-8", "surrogatepass")), modality, mime_type)


class _TextFreeErrors:
    """Turns what a user's function raises into an error that cannot quote the text it was given."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None and issubclass(kind, Exception):
            raise RedactionError(kind.__name__) from None


class _Reader:
    """Walks one value; counts what it has seen, so that shared and circular parts end."""

    def __init__(self, redact: Redact | None) -> None:
        self._redact = redact
        self._values_left = _MAX_VALUES
        self._open: set[int] = set()

    def read(self, value: object) -> Any:
        self._values_left -= 1
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return blob_of_data_url(value) or self._text(value)
        if isinstance(value, int):
            return int(value) if value.bit_length() <= _MAX_INT_BITS else "[large number]"
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else None
        if isinstance(value, (bytes, bytearray, memoryview)):
            return blob(bytes(value))
        return self._nested(value)

    def _nested(self, value: object) -> Any:
        if id(value) in self._open:
            return "[recursive]"
        if len(self._open) >= _MAX_DEPTH or self._values_left <= 0:
            return _TOO_MUCH
        self._open.add(id(value))
        try:
            return self._container(value)
        finally:
            self._open.remove(id(value))

    def _container(self, value: object) -> Any:
        if isinstance(value, Shape):
            return Shape({key: self._field(key, item) for key, item in value.items()})
        if isinstance(value, Mapping):
            items = self._bounded(value.items(), (_TOO_MUCH, None))
            return {self._key(key): self.read(item) for key, item in items}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.read(item) for item in self._bounded(value, _TOO_MUCH)]
        return self._object(value)

    def _object(self, value: object) -> Any:
        if not isinstance(value, type):
            if callable(dump := getattr(value, "model_dump", None)):
                return self.read(dump())
            if is_dataclass(value):
                return {field.name: self.read(getattr(value, field.name, None)) for field in fields(value)}
        return f"<{type(value).__name__}>"

    def _bounded(self, items: Iterable[Any], last: Any) -> Iterator[Any]:
        """Yield items as long as there is room for values, then ``last`` in place of the rest."""
        for item in items:
            if self._values_left <= 0:
                yield last
                return
            yield item

    def _field(self, key: str, value: object) -> Any:
        return str.__str__(value) if is_label(key, value) else self.read(value)

    def _key(self, key: object) -> str:
        if isinstance(key, str):
            return self._text(key)
        known = key is None or isinstance(key, (int, float))
        return dump_json(self.read(key)) if known else f"<{type(key).__name__}>"

    def _text(self, text: str) -> str:
        text = _without_files(_without_surrogates(text))
        if self._redact is None:
            return text
        redacted: object = None
        with _TextFreeErrors():
            redacted = self._redact(text)
        if not isinstance(redacted, str):
            raise RedactionError(f"it returned {type(redacted).__name__}")
        return _without_surrogates(redacted)


def _without_files(text: str) -> str:
    """Put a description in the place of each ``data:`` URL inside of a text."""
    if ";base64," not in text and ";BASE64," not in text:
        return text
    return re.sub(_DATA_URL_INSIDE, _described, text, flags=re.ASCII | re.IGNORECASE)


def _described(found: re.Match[str]) -> str:
    data = re.sub(_LINE_BREAK, "", found["data"]).replace("\\/", "/").translate(_USUAL_ALPHABET)
    head = found[0].partition(",")[0].replace("\\/", "/")
    described = blob_of_data_url(f"{head},{data}") or blob(found[0].encode())
    return f"[{described.get('mime_type')}, {described['size']} bytes, sha256 {described['sha256']}]"


def _without_surrogates(text: str) -> str:
    """Replace halves of surrogate pairs, which UTF-8 cannot hold."""
    if text.isascii():
        return str.__str__(text)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
