"""The Anthropic wire: `POST /v1/messages`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from litespan.testing.reply import ProviderError, Reply, ServedUsage
from litespan.testing.wire import (
    END,
    LAST,
    Arrival,
    Endpoint,
    Part,
    Request,
    attempt_of,
    encode,
    server_sent,
)
from tests.fakes.anthropic_blocks import Block, content_blocks

STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class AnthropicWire:
    """Anthropic's API. LiteLLM adds `/v1/messages` to the base URL by itself."""

    name = "anthropic"
    base_path = ""

    def __init__(self) -> None:
        self.endpoints: Sequence[Endpoint] = (Messages(),)


class Messages:
    """The messages endpoint, with and without a stream. It reports the usage of a stream unasked."""

    operation = "chat"
    path = "/v1/messages"

    def read(self, arrival: Arrival) -> Request:
        """Understand a request."""
        body = arrival.json
        return Request(
            number=arrival.number,
            wire="anthropic",
            operation=self.operation,
            path=arrival.path,
            model=str(body.get("model", "")),
            stream=bool(body.get("stream", False)),
            wants_usage=False,
            attempt=attempt_of(arrival.headers),
            messages=body.get("messages") or (),
            tools=body.get("tools") or (),
            headers=arrival.headers,
            query=arrival.query,
            json=body,
        )

    def whole(self, request: Request, reply: Reply) -> Part:
        """Write the answer as one body."""
        content = [block.whole for block in content_blocks(request, reply)]
        message = {**_message(request, reply), "content": content, "stop_reason": _stop_reason(reply)}
        return Part(encode({**message, **_usage(reply.usage, reply)}), _expressible(reply.usage))

    def events(self, request: Request, reply: Reply) -> list[Part]:
        """Write the answer as the events of a stream."""
        first = _first_usage(reply.usage)
        start = {**_message(request, reply), **_usage(first, reply)}
        end = {
            "delta": {"stop_reason": _stop_reason(reply), "stop_sequence": None},
            **_end_usage(reply.usage),
        }
        return [
            Part(_event("message_start", message=start), first),
            Part(_event("ping")),
            *_block_events(content_blocks(request, reply), reply.pieces),
            Part(_event("message_delta", **end), _expressible(reply.usage), LAST),
            Part(_event("message_stop"), marks=END),
        ]

    def error(self, error: ProviderError) -> bytes:
        """Write the body of a failed answer."""
        return encode(_error(error))

    def error_event(self, error: ProviderError) -> bytes:
        """Write the event with which a stream fails half way."""
        return server_sent(_error(error), "error")


def _event(kind: str, **fields: Any) -> bytes:
    return server_sent({"type": kind, **fields}, kind)


def _block_events(blocks: list[Block], pieces: int) -> Iterator[Part]:
    for index, block in enumerate(blocks):
        yield Part(_event("content_block_start", index=index, content_block=block.opening))
        for delta in block.deltas(pieces):
            yield Part(_event("content_block_delta", index=index, delta=delta))
        yield Part(_event("content_block_stop", index=index))


def _message(request: Request, reply: Reply) -> dict[str, Any]:
    return {
        "id": f"msg_{request.number:06d}",
        "type": "message",
        "role": "assistant",
        "model": reply.model or request.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _stop_reason(reply: Reply) -> str:
    if reply.refusal is not None and reply.finish_reason is None:
        return "refusal"
    return STOP_REASONS.get(reply.finish, reply.finish)


def _expressible(usage: ServedUsage | None) -> ServedUsage | None:
    """Reduce a usage to what the wire can say: it does not count reasoning apart."""
    return None if usage is None else replace(usage, reasoning_tokens=0)


def _first_usage(usage: ServedUsage | None) -> ServedUsage | None:
    """Return what a stream reports at its start: the whole input and the first output token."""
    return None if usage is None else replace(usage, output_tokens=1, reasoning_tokens=0)


def _usage(usage: ServedUsage | None, reply: Reply) -> dict[str, Any]:
    """Write the full usage; its `input_tokens` leave out the cache parts."""
    if usage is None:
        return {}
    lifetimes = {
        "ephemeral_5m_input_tokens": usage.cache_write_tokens,
        "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens,
    }
    tier = reply.service_tier or "standard"
    return {"usage": {**_counts(usage), "cache_creation": lifetimes, "service_tier": tier}}


def _end_usage(usage: ServedUsage | None) -> dict[str, Any]:
    return {} if usage is None else {"usage": _counts(usage)}


def _counts(usage: ServedUsage) -> dict[str, int]:
    written = usage.cache_write_tokens + usage.cache_write_1h_tokens
    return {
        "input_tokens": usage.input_tokens - usage.cache_read_tokens - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "output_tokens": usage.output_tokens,
    }


def _error(error: ProviderError) -> dict[str, Any]:
    kind = error.type or error.code or ERROR_TYPES.get(error.status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": error.message}}
