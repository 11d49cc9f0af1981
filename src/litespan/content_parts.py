"""Parts of messages: text, media, reasoning, tool calls, each in the conventions' JSON shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from litespan.content_tree import Shape, blob, blob_of_base64, blob_of_data_url


def arguments(value: object) -> Any:
    """Return the arguments or the result of a tool: the value that a JSON text holds, or else the value."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def safe_url(url: str) -> str | None:
    """Return scheme, host, port and path of a URL; ``None`` if it has no scheme and host.

    User-info, query and fragment are where secrets are.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not parts.scheme or not host:
        return None
    netloc = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{netloc}{f':{port}' if port is not None else ''}{parts.path}"


def field(holder: object, key: str) -> Any:
    """Read a field of a dict or an object. Objects are not dumped: that is slow, and pydantic may warn."""
    return holder.get(key) if isinstance(holder, Mapping) else getattr(holder, key, None)


def items(value: object) -> Iterable[Any]:
    """Return the items of a list; one value is a list of itself, ``None`` an empty one."""
    if value is None or value == "":
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)


def tool_call(call: object) -> Shape:
    """Build the part of a tool call in any spelling: nested function, response item, Anthropic's block."""
    function = field(call, "function") or field(call, "custom") or call
    given = field(function, "arguments")
    return _with_id(
        Shape(type="tool_call", name=field(function, "name") or ""),
        field(call, "call_id") or field(call, "id"),
        arguments=arguments(field(function, "input") if given is None else given),
    )


def tool_response(call_id: object, content: object) -> Shape:
    """Build the part of a tool's answer: a list is a list of parts, anything else is the tool's own."""
    response = content_parts(content) if isinstance(content, (list, tuple)) else content
    return _with_id(Shape(type="tool_call_response"), call_id, response=response)


def _with_id(shape: Shape, call_id: object, **rest: object) -> Shape:
    if call_id:
        shape["id"] = call_id
    shape.update(rest)
    return shape


def content_parts(content: object) -> list[Shape]:
    """Return the parts of a message's content: a text, or a list of texts and typed parts."""
    return [_part(part) for part in items(content)]


def _part(part: object) -> Shape:
    if isinstance(part, str):
        return Shape(type="text", content=part)
    kind = field(part, "type")
    build = _PARTS.get(kind) if isinstance(kind, str) else None
    return (build and build(part)) or _unknown(part)


def _unknown(part: object) -> Shape:
    shape = Shape(type=field(part, "type") or "unknown")
    for key in ("text", "content"):
        if isinstance(text := field(part, key), str):
            shape["content"] = text
            break
    return shape


def _text(part: object) -> Shape:
    return Shape(type="text", content=field(part, "text") or "")


def thought(part: object) -> Shape:
    """Return a part of the model's reasoning; signatures and encrypted reasoning are left out."""
    return Shape(type="reasoning", content=field(part, "thinking") or field(part, "text") or "")


def _refused(part: object) -> Shape:
    return Shape(type="refusal", content=field(part, "refusal") or "")


def _url_of(key: str, modality: str) -> Callable[[object], Shape | None]:
    """Build the reader of a part that holds a URL under ``key``, as it is or in an object."""

    def read(part: object) -> Shape | None:
        value = field(part, key)
        url = value if isinstance(value, str) else field(value, "url")
        return media(url, modality) or _file(part, modality)

    return read


def _input_audio(part: object) -> Shape | None:
    audio = field(part, "input_audio")
    kind = field(audio, "format")
    return media(field(audio, "data"), "audio", f"audio/{kind}" if isinstance(kind, str) else None)


def _file_part(part: object) -> Shape | None:
    holder = field(part, "file") or part
    data = field(holder, "file_data") or field(holder, "file_url")
    return media(data, "document", field(holder, "format")) or _file(holder, "document")


def _file(part: object, modality: str) -> Shape | None:
    file_id = field(part, "file_id")
    if not file_id:
        return None
    # Providers and LiteLLM also take a URL, or the data, where an id is expected.
    return media(file_id, modality, url_only=True) or Shape(type="file", modality=modality, file_id=file_id)


def _anthropic_source(modality: str) -> Callable[[object], Shape | None]:
    def read(part: object) -> Shape | None:
        source = field(part, "source")
        mime_type = field(source, "media_type")
        data = field(source, "url") or field(source, "data")
        if field(source, "type") == "text":
            return _text({"text": data})
        return media(data, modality, mime_type) or _file(source, modality)

    return read


def media(value: object, modality: str, mime_type: object = None, *, url_only: bool = False) -> Shape | None:
    """Describe an image, audio or document: data by its size and hash, a URL without its secrets."""
    mime = mime_type if isinstance(mime_type, str) else None
    if isinstance(value, (bytes, bytearray)):
        return blob(bytes(value), modality, mime)
    if not isinstance(value, str) or not value:
        return None
    if described := blob_of_data_url(value, modality):
        return described
    if "://" in value[:32]:
        return Shape(type="uri", modality=modality, uri=safe_url(value) or "")
    return None if url_only else blob_of_base64(value, modality, mime)


_PARTS: Final[Mapping[str, Callable[[object], Shape | None]]] = MappingProxyType(
    {
        "text": _text,
        "input_text": _text,
        "output_text": _text,
        "summary_text": _text,
        "thinking": thought,
        "reasoning": thought,
        "reasoning_text": thought,
        "refusal": _refused,
        "image_url": _url_of("image_url", "image"),
        "input_image": _url_of("image_url", "image"),
        "video_url": _url_of("video_url", "video"),
        "audio_url": _url_of("audio_url", "audio"),
        "input_audio": _input_audio,
        "file": _file_part,
        "input_file": _file_part,
        "image": _anthropic_source("image"),
        "document": _anthropic_source("document"),
        "tool_use": tool_call,
        "tool_result": lambda part: tool_response(field(part, "tool_use_id"), field(part, "content")),
    }
)
