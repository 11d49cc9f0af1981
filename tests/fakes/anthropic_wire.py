"""The Anthropic wire: `POST /v1/messages`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from litespan.testing.reply import ProviderError, Reply
from litespan.testing.wire import (
    END,
    LAST,
    Arrival,
    Endpoint,
    Part,
    Request,
    encode,
    server_sent,
)
from tests.fakes.anthropic_billing import Billing, expressible
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

    def __init__(self, billing: Billing | None = None) -> None:
        self.endpoints: Sequence[Endpoint] = (Messages(billing), MessagesOnAzure(billing))


class Messages:
    """The messages endpoint, with and without a stream. It reports the usage of a stream unasked."""

    operation = "chat"
    path = "/v1/messages"

    def __init__(self, billing: Billing | None = None) -> None:
        self._billing = billing or Billing()

    def read(self, arrival: Arrival) -> Request:
        """Understand a request."""
        body = arrival.json
        return arrival.request(
            wire="anthropic",
            operation=self.operation,
            model=str(body.get("model", "")),
            stream=bool(body.get("stream", False)),
            messages=body.get("messages") or (),
            tools=body.get("tools") or (),
        )

    def whole(self, request: Request, reply: Reply) -> Part:
        """Write the answer as one body."""
        content = [block.whole for block in content_blocks(request, reply)]
        message = {**_message(request, reply), "content": content, "stop_reason": _stop_reason(reply)}
        usage = self._billing.whole(reply.usage, reply.service_tier)
        return Part(encode({**message, **usage}), expressible(reply.usage))

    def events(self, request: Request, reply: Reply) -> list[Part]:
        """Write the answer as the events of a stream."""
        first = self._billing.first(reply.usage)
        start = {**_message(request, reply), **self._billing.start(first, reply.service_tier)}
        delta = {"stop_reason": _stop_reason(reply), "stop_sequence": None}
        end = {"delta": delta, **self._billing.end(reply.usage)}
        return [
            Part(_event("message_start", message=start), first),
            Part(_event("ping")),
            *_block_events(content_blocks(request, reply), reply.pieces),
            Part(_event("message_delta", **end), expressible(reply.usage), LAST),
            Part(_event("message_stop"), marks=END),
        ]

    def error(self, error: ProviderError) -> bytes:
        """Write the body of a failed answer."""
        return encode(_error(error))

    def error_event(self, error: ProviderError) -> bytes:
        """Write the event with which a stream fails half way."""
        return server_sent(_error(error), "error")


class MessagesOnAzure(Messages):
    """The same API where Microsoft serves it."""

    path = "/anthropic/v1/messages"


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


def _error(error: ProviderError) -> dict[str, Any]:
    kind = error.type or error.code or ERROR_TYPES.get(error.status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": error.message}}
