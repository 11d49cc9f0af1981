"""Anthropic's message format, in which LiteLLM answers `anthropic_messages` whatever the provider is."""

from __future__ import annotations

import json
from typing import Any, Final

from litespan import records
from litespan.content_tree import dump_json, json_tree
from litespan.labels import as_name
from litespan.sources import litellm_answer
from litespan.sources import litellm_mapping as mapping
from litespan.sources.litellm_readers import StreamReader
from litespan.sources.litellm_usage import hidden_of, read, tokens

_DATA: Final = b"data:"
_PIECES: Final = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


def as_chat(message: Any) -> dict[str, Any]:
    """Return a message in the shape of a chat answer. Anthropic's `input_tokens` leave out the cache."""
    usage = read(message, "usage")
    cached = tokens(read(usage, "cache_read_input_tokens")) or 0
    written = tokens(read(usage, "cache_creation_input_tokens")) or 0
    fresh = tokens(read(usage, "input_tokens"))
    return {
        "id": read(message, "id"),
        "model": read(message, "model"),
        "service_tier": read(usage, "service_tier"),
        "_hidden_params": hidden_of(message),
        "choices": [
            {
                "finish_reason": read(message, "stop_reason"),
                "message": {"role": "assistant", "content": read(message, "content")},
            }
        ],
        "usage": {
            "prompt_tokens": None if fresh is None else fresh + cached + written,
            "completion_tokens": read(usage, "output_tokens"),
            "server_tool_use": read(usage, "server_tool_use"),
            "inference_geo": read(usage, "inference_geo"),
            "speed": read(usage, "speed"),
            "prompt_tokens_details": {
                "cached_tokens": read(usage, "cache_read_input_tokens"),
                "cache_creation_tokens": read(usage, "cache_creation_input_tokens"),
                "cache_creation_token_details": read(usage, "cache_creation"),
            },
        },
    }


class MessagesReader(StreamReader):
    """Reads streams of server-sent events, in whatever pieces the bytes come."""

    def __init__(self) -> None:
        self._rest = b""
        self._message: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}

    def whole(self, response: Any) -> Any:
        """Return a whole answer in the shape of a chat answer."""
        return as_chat(response)

    def is_last(self, chunk: Any) -> bool:
        """Take the chunk's events in; say whether the message has ended with them."""
        *lines, self._rest = (self._rest + _encoded(chunk)).split(b"\n")
        kinds = [self._take(_event(line)) for line in lines if line.startswith(_DATA)]
        return "message_stop" in kinds

    def is_usage_only(self, chunk: Any) -> bool:
        """Events never come only for the usage."""
        return False

    def arrived_whole(self, inner: Any, *, finished: bool) -> bool:
        """Say whether the last event came."""
        return finished

    def fill(self, record: records.ModelCall, inner: Any) -> None:
        """Write down what the events said."""
        answer = as_chat({**self._message, "content": list(self._blocks.values())})
        mapping.fill_from_response(record, answer)
        if record.captures_content:
            record.output = litellm_answer.choices(answer)

    def _take(self, event: Any) -> Any:
        """Take one event in and return its type."""
        kind, index = as_name(read(event, "type")), read(event, "index")
        index = index if isinstance(index, int) else 0
        if kind == "message_start":
            self._begin(read(event, "message"))
        elif kind == "message_delta":
            self._message["stop_reason"] = read(read(event, "delta"), "stop_reason")
            self._message["usage"] = self._larger(event)
        elif kind == "content_block_start":
            block = read(event, "content_block")
            self._blocks[index] = {**block} if isinstance(block, dict) else {}
        elif kind == "content_block_delta" and index in self._blocks:
            _add(self._blocks[index], read(event, "delta"))
        return kind

    def _begin(self, message: Any) -> None:
        if isinstance(message, dict):
            self._message.update({**message, "usage": self._larger(message)})

    def _larger(self, holder: Any) -> dict[str, Any]:
        """Merge counts: they grow from event to event, and LiteLLM begins some streams with zeros."""
        known = self._message.get("usage") or {}
        given = read(holder, "usage")
        given = given if isinstance(given, dict) else {}
        counts = {
            name: max(value, known.get(name) or 0)
            for name, value in given.items()
            if tokens(value) is not None
        }
        return {**known, **given, **counts}


def _add(block: dict[str, Any], delta: Any) -> None:
    """Add a piece to a content block; a tool's input begins as an empty object and comes as JSON text."""
    source = _PIECES.get(as_name(read(delta, "type")) or "")
    piece = read(delta, source) if source else None
    if isinstance(piece, str):
        key = "input" if source == "partial_json" else str(source)
        text = block.get(key)
        block[key] = (text if isinstance(text, str) else "") + piece


def _encoded(chunk: Any) -> bytes:
    if isinstance(chunk, (bytes, bytearray)):
        return bytes(chunk)
    return b"" if chunk is None else f"data: {dump_json(json_tree(chunk))}\n".encode()


def _event(line: bytes) -> Any:
    try:
        return json.loads(line[len(_DATA) :])
    except ValueError:  # the program gets what the provider sent; it says nothing about the call
        return None
