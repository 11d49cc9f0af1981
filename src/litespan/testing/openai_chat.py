"""OpenAI chat completions: `POST /v1/chat/completions`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from litespan.testing.openai_common import (
    CREATED,
    DONE,
    OpenAIErrors,
    expressible,
    read_request,
    usage_body,
)
from litespan.testing.reply import Reply
from litespan.testing.wire import END, FINISH, USAGE, Arrival, Part, Request, encode, server_sent, split


class ChatCompletions(OpenAIErrors):
    """The chat endpoint, with and without a stream."""

    operation = "chat"
    path = "/v1/chat/completions"

    def read(self, arrival: Arrival) -> Request:
        """Understand a request."""
        return read_request(arrival, self.operation, arrival.json.get("messages") or ())

    def whole(self, request: Request, reply: Reply) -> Part:
        """Write the answer as one body."""
        choices = [_choice(index, request, reply) for index in _indexes(request)]
        document = {**_envelope("chat.completion", request, reply), "choices": choices}
        usage = usage_body(reply)
        if usage is not None:
            document["usage"] = usage
        return Part(encode(document), expressible(reply.usage))

    def events(self, request: Request, reply: Reply) -> list[Part]:
        """Write the answer as the events of a stream; the usage comes only if the client asked for it."""
        parts = [self._chunk(request, reply, delta) for delta in _deltas(request, reply)]
        parts.append(self._chunk(request, reply, {}, finish=reply.finish))
        usage = usage_body(reply)
        if request.wants_usage and usage is not None:
            document = {**_envelope("chat.completion.chunk", request, reply), "choices": [], "usage": usage}
            parts.append(Part(server_sent(document), expressible(reply.usage), USAGE))
        return [*parts, Part(DONE, marks=END)]

    def _chunk(
        self, request: Request, reply: Reply, delta: dict[str, Any], finish: str | None = None
    ) -> Part:
        choices = [
            {
                "index": index,
                "delta": delta,
                "logprobs": _logprobs(delta.get("content"), reply),
                "finish_reason": finish,
            }
            for index in _indexes(request)
        ]
        document = {**_envelope("chat.completion.chunk", request, reply), "choices": choices}
        if request.wants_usage:
            document["usage"] = None
        return Part(server_sent(document), marks=FINISH if finish else frozenset())


def _indexes(request: Request) -> range:
    return range(int(request.json.get("n") or 1))


def _envelope(kind: str, request: Request, reply: Reply) -> dict[str, Any]:
    envelope: dict[str, Any] = {
        "id": f"chatcmpl-{request.number:06d}",
        "object": kind,
        "created": CREATED,
        "model": reply.model or request.model,
        "system_fingerprint": reply.system_fingerprint,
    }
    if reply.service_tier is not None:
        envelope["service_tier"] = reply.service_tier
    return envelope


def _choice(index: int, request: Request, reply: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None, "refusal": reply.refusal}
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    if reply.tool_calls:
        message["tool_calls"] = [call for call, _ in _tool_calls(request, reply)]
    logprobs = _logprobs(reply.text, reply)
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": reply.finish}


def _tool_calls(request: Request, reply: Reply) -> Iterator[tuple[dict[str, Any], str]]:
    for index, call in enumerate(reply.tool_calls):
        arguments = json.dumps(dict(call.arguments))
        function = {"name": call.name, "arguments": arguments}
        identity = call.id or f"call_{request.number:06d}_{index}"
        yield {"id": identity, "type": "function", "function": function}, arguments


def _deltas(request: Request, reply: Reply) -> Iterator[dict[str, Any]]:
    """Yield the deltas in the order of the real API: role, reasoning, text, refusal, tools."""
    yield {"role": "assistant", "content": "", "refusal": None}
    yield from ({"reasoning_content": piece} for piece in split(reply.reasoning, reply.pieces))
    yield from ({"content": piece} for piece in split(reply.text, reply.pieces))
    yield from ({"refusal": piece} for piece in split(reply.refusal or "", reply.pieces))
    for index, (call, arguments) in enumerate(_tool_calls(request, reply)):
        opening = {**call["function"], "arguments": ""}
        yield {"tool_calls": [{**call, "index": index, "function": opening}]}
        for piece in split(arguments, reply.pieces):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _logprobs(text: str | None, reply: Reply) -> dict[str, Any] | None:
    if not (reply.logprobs and text):
        return None
    token = {"token": text, "logprob": -0.125, "bytes": list(text.encode()), "top_logprobs": []}
    return {"content": [token], "refusal": None}
