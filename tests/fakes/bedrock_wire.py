"""The Amazon Bedrock runtime's Converse: `POST /model/{model}/converse` and `/converse-stream`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from litespan.testing.reply import ProviderError, Reply, ServedUsage, ToolCall
from litespan.testing.wire import (
    FINISH,
    USAGE,
    Arrival,
    Endpoint,
    Part,
    Request,
    encode,
    split,
)
from tests.fakes.bedrock_invoke import Invoke
from tests.fakes.event_stream import event, exception

STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "content_filtered",
}
SIGNATURE = "c2lnbmF0dXJl"


class BedrockWire:
    """The Bedrock runtime. LiteLLM adds `/model/...` to the base URL by itself."""

    name = "bedrock"
    base_path = ""

    def __init__(self) -> None:
        self.endpoints: Sequence[Endpoint] = (
            Converse(stream=False),
            Converse(stream=True),
            Invoke(stream=False),
            Invoke(stream=True),
        )


class Converse:
    """One of the two Converse endpoints. A stream reports its usage once, behind the stop reason."""

    operation = "chat"

    def __init__(self, *, stream: bool) -> None:
        self._stream = stream
        self.path = "/model/{model}/converse-stream" if stream else "/model/{model}/converse"

    def read(self, arrival: Arrival) -> Request:
        """Understand a request; its path tells the model and the wish for a stream."""
        body = arrival.json
        return arrival.request(
            wire="bedrock",
            operation=self.operation,
            model=arrival.match["model"],
            stream=self._stream,
            messages=body.get("messages") or (),
            tools=(body.get("toolConfig") or {}).get("tools") or (),
        )

    def whole(self, request: Request, reply: Reply) -> Part:
        """Write the answer as one body."""
        message = {"role": "assistant", "content": list(_blocks(request, reply))}
        document = {"output": {"message": message}, "stopReason": _stop_reason(reply), **_metadata(reply)}
        return Part(encode(document), expressible(reply.usage))

    def events(self, request: Request, reply: Reply) -> list[Part]:
        """Write the answer as the frames of a stream."""
        return [
            Part(event("messageStart", {"role": "assistant"})),
            *(Part(data) for data in _block_events(request, reply)),
            Part(event("messageStop", {"stopReason": _stop_reason(reply)}), marks=FINISH),
            Part(event("metadata", _metadata(reply)), expressible(reply.usage), USAGE),
        ]

    def error(self, error: ProviderError) -> bytes:
        """Write the body of a failed answer."""
        return encode({"message": error.message})

    def error_event(self, error: ProviderError) -> bytes:
        """Write the frame with which a stream fails half way."""
        return exception(error)


def expressible(usage: ServedUsage | None) -> ServedUsage | None:
    """Reduce a usage to what the wire can say: it does not count reasoning apart."""
    return None if usage is None else replace(usage, reasoning_tokens=0)


def _blocks(request: Request, reply: Reply) -> Iterator[dict[str, Any]]:
    """Yield the content blocks in the order of the real API."""
    if reply.reasoning:
        yield {"reasoningContent": {"reasoningText": {"text": reply.reasoning, "signature": SIGNATURE}}}
    for text in _texts(reply):
        yield {"text": text}
    for index, call in enumerate(reply.tool_calls):
        yield {"toolUse": {**_tool(request, index, call), "input": dict(call.arguments)}}


def _block_events(request: Request, reply: Reply) -> Iterator[bytes]:
    """Yield the frames of all blocks; only those of tools announce themselves."""
    for index, (start, deltas) in enumerate(_streamed(request, reply)):
        place = {"contentBlockIndex": index}
        if start is not None:
            yield event("contentBlockStart", {"start": start, **place})
        for delta in deltas:
            yield event("contentBlockDelta", {"delta": delta, **place})
        yield event("contentBlockStop", place)


def _streamed(request: Request, reply: Reply) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    if reply.reasoning:
        pieces = [{"text": piece} for piece in split(reply.reasoning, reply.pieces)]
        yield None, [{"reasoningContent": piece} for piece in [*pieces, {"signature": SIGNATURE}]]
    for text in _texts(reply):
        yield None, [{"text": piece} for piece in split(text, reply.pieces)]
    for index, call in enumerate(reply.tool_calls):
        pieces = [{"input": piece} for piece in split(json.dumps(dict(call.arguments)), reply.pieces)]
        yield {"toolUse": _tool(request, index, call)}, [{"toolUse": piece} for piece in pieces]


def _texts(reply: Reply) -> list[str]:
    return [text for text in (reply.text, reply.refusal) if text]


def _tool(request: Request, index: int, call: ToolCall) -> dict[str, Any]:
    return {"toolUseId": call.id or f"tooluse_{request.number:06d}_{index}", "name": call.name}


def _stop_reason(reply: Reply) -> str:
    if reply.refusal is not None and reply.finish_reason is None:
        return "content_filtered"
    return STOP_REASONS.get(reply.finish, reply.finish)


def _metadata(reply: Reply) -> dict[str, Any]:
    tier = {"serviceTier": {"type": reply.service_tier}} if reply.service_tier else {}
    usage = {"usage": _usage(reply.usage)} if reply.usage is not None else {}
    return {**usage, "metrics": {"latencyMs": 1}, **tier}


def _usage(usage: ServedUsage) -> dict[str, Any]:
    """Write the usage; its `inputTokens` leave out the cache parts."""
    short, long = usage.cache_write_tokens, usage.cache_write_1h_tokens
    lifetimes = {"1h": long, "5m": short}
    return {
        "inputTokens": usage.input_tokens - usage.cache_read_tokens - short - long,
        "outputTokens": usage.output_tokens,
        "totalTokens": usage.total_tokens,
        "cacheReadInputTokens": usage.cache_read_tokens,
        "cacheWriteInputTokens": short + long,
        "cacheDetails": [{"ttl": ttl, "inputTokens": count} for ttl, count in lifetimes.items() if count],
    }
