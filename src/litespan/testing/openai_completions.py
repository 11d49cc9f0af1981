"""OpenAI text completions: `POST /v1/completions`."""

from __future__ import annotations

from typing import Any

from litespan.testing.openai_common import (
    CREATED,
    DONE,
    OpenAIErrors,
    as_listed,
    expressible,
    read_request,
    usage_body,
)
from litespan.testing.reply import Reply
from litespan.testing.wire import END, FINISH, USAGE, Arrival, Part, Request, encode, server_sent, split


class TextCompletions(OpenAIErrors):
    """The older endpoint that completes a prompt, with and without a stream."""

    operation = "text_completion"
    path = "/v1/completions"

    def read(self, arrival: Arrival) -> Request:
        """Understand a request; the prompts are its messages."""
        return read_request(arrival, self.operation, as_listed(arrival.json.get("prompt")))

    def whole(self, request: Request, reply: Reply) -> Part:
        """Write the answer as one body."""
        document = _document(request, reply, [_choice(reply.text, reply.finish)])
        usage = usage_body(reply)
        if usage is not None:
            document["usage"] = usage
        return Part(encode(document), expressible(reply.usage))

    def events(self, request: Request, reply: Reply) -> list[Part]:
        """Write the answer as the events of a stream; the usage comes only if the client asked for it."""
        texts = split(reply.text, reply.pieces)
        parts = [Part(server_sent(_document(request, reply, [_choice(text, None)]))) for text in texts]
        parts.append(Part(server_sent(_document(request, reply, [_choice("", reply.finish)])), marks=FINISH))
        usage = usage_body(reply)
        if request.wants_usage and usage is not None:
            document = {**_document(request, reply, []), "usage": usage}
            parts.append(Part(server_sent(document), expressible(reply.usage), USAGE))
        return [*parts, Part(DONE, marks=END)]


def _document(request: Request, reply: Reply, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"cmpl-{request.number:06d}",
        "object": "text_completion",
        "created": CREATED,
        "model": reply.model or request.model,
        "choices": choices,
    }


def _choice(text: str, finish: str | None) -> dict[str, Any]:
    return {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}
