"""What the endpoints of the OpenAI wire share: reading requests, usage and error bodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from litespan.testing.reply import ProviderError, Reply, ServedUsage
from litespan.testing.wire import Arrival, Request, encode, server_sent

CREATED = 1_750_000_000
"""The creation time of every answer, so that bodies are the same in every run."""

DONE = b"data: [DONE]\n\n"


def read_request(arrival: Arrival, operation: str, messages: Sequence[Any]) -> Request:
    """Read what all OpenAI requests have in common."""
    body = arrival.json
    return arrival.request(
        wire="openai",
        operation=operation,
        model=str(body.get("model", "")),
        stream=bool(body.get("stream", False)),
        wants_usage=bool((body.get("stream_options") or {}).get("include_usage", False)),
        messages=messages,
        tools=body.get("tools") or (),
    )


def as_listed(value: Any) -> list[Any]:
    """Wrap a single prompt or input into a list."""
    return value if isinstance(value, list) else [value]


def expressible(usage: ServedUsage | None) -> ServedUsage | None:
    """Reduce a usage to what the wire can say: it does not split cache writes by lifetime."""
    if usage is None:
        return None
    written = usage.cache_write_tokens + usage.cache_write_1h_tokens
    return replace(usage, cache_write_tokens=written, cache_write_1h_tokens=0)


def usage_body(reply: Reply) -> dict[str, Any] | None:
    """Write the `usage` object of chat and text completions."""
    usage = expressible(reply.usage)
    if usage is None:
        return None
    details = {"cached_tokens": usage.cache_read_tokens, "audio_tokens": 0}
    if usage.cache_write_tokens:
        details["cache_write_tokens"] = usage.cache_write_tokens
    body: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": details,
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens, "audio_tokens": 0},
    }
    if reply.cost is not None:
        body["cost"] = reply.cost
    return body


class OpenAIErrors:
    """How OpenAI words a failure: in a body, and inside a stream."""

    def error(self, error: ProviderError) -> bytes:
        """Write the body of a failed answer."""
        return encode(self._document(error))

    def error_event(self, error: ProviderError) -> bytes:
        """Write the event with which a stream fails half way."""
        return server_sent(self._document(error))

    def _document(self, error: ProviderError) -> dict[str, Any]:
        kind = error.type or ("server_error" if error.status >= 500 else "invalid_request_error")
        return {"error": {"message": error.message, "type": kind, "param": None, "code": error.code}}
