"""The Gemini wires: `POST …/models/{model}:generateContent` and `:streamGenerateContent`.

Google serves them twice: the Gemini API under `/v1beta`, Vertex AI under the path of a project.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from litespan.testing.reply import ProviderError, Reply, ServedUsage
from litespan.testing.wire import (
    LAST,
    Arrival,
    Endpoint,
    Part,
    Request,
    encode,
    server_sent,
    split,
)
from tests.fakes.gemini_usage import Metering, expressible, share

FINISH_REASONS = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"}
ERROR_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


class GeminiWire:
    """Google's Gemini API. LiteLLM adds `/models/...` to the base URL by itself."""

    name = "gemini"
    base_path = "/v1beta"

    def __init__(self, metering: Metering | None = None) -> None:
        path = f"{self.base_path}/models/{{target:.+}}"
        self.endpoints: Sequence[Endpoint] = (GenerateContent(self.name, path, metering or Metering()),)


class VertexWire(GeminiWire):
    """Vertex AI. To a base URL LiteLLM adds only `:generateContent`, so the model's name belongs to it."""

    name = "vertex_ai"
    base_path = "/v1/projects/fake-project/locations/us-central1/publishers/google"


class GenerateContent:
    """Content generation, with and without a stream. Every event of a stream reports the usage so far."""

    operation = "chat"

    def __init__(self, wire: str, path: str, metering: Metering) -> None:
        self._wire = wire
        self.path = path
        self._metering = metering

    def read(self, arrival: Arrival) -> Request:
        """Understand a request; the model and the wish for a stream are in its path."""
        model, _, method = arrival.match["target"].rpartition(":")
        body = arrival.json
        return arrival.request(
            wire=self._wire,
            operation=self.operation,
            model=model,
            stream=method == "streamGenerateContent",
            messages=body.get("contents") or (),
            tools=body.get("tools") or (),
        )

    def whole(self, request: Request, reply: Reply) -> Part:
        """Write the answer as one body."""
        content = list(_content(reply, pieces=1))
        usage = expressible(reply.usage)
        return Part(encode(self._document(request, reply, content, usage, _finish_reason(reply))), usage)

    def events(self, request: Request, reply: Reply) -> list[Part]:
        """Write the answer as the events of a stream; the last one has the finish reason."""
        *pieces, last = [*_content(reply, reply.pieces)] or [{"text": ""}]
        parts = []
        for index, piece in enumerate(pieces):
            usage = share(reply.usage, index, len(pieces) + 1)
            parts.append(Part(server_sent(self._document(request, reply, [piece], usage, None)), usage))
        usage = expressible(reply.usage)
        final = self._document(request, reply, [last], usage, _finish_reason(reply))
        return [*parts, Part(server_sent(final), usage, LAST)]

    def error(self, error: ProviderError) -> bytes:
        """Write the body of a failed answer."""
        return encode(_error(error))

    def error_event(self, error: ProviderError) -> bytes:
        """Write the event with which a stream fails half way."""
        return server_sent(_error(error))

    def _document(
        self,
        request: Request,
        reply: Reply,
        content: list[dict[str, Any]],
        usage: ServedUsage | None,
        finish: str | None,
    ) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"parts": content, "role": "model"}, "index": 0}
        if finish is not None:
            candidate = {**candidate, "finishReason": finish, **self._metering.grounding()}
        told = {} if usage is None else {"usageMetadata": self._metering.usage_metadata(usage)}
        return {
            "candidates": [candidate],
            "modelVersion": reply.model or request.model,
            "responseId": f"gemini-{request.number:06d}",
            **told,
        }


def _content(reply: Reply, pieces: int) -> Iterator[dict[str, Any]]:
    """Yield the content parts in the order of the real API; a function call comes in one piece."""
    yield from ({"text": piece, "thought": True} for piece in split(reply.reasoning, pieces))
    yield from ({"text": piece} for piece in split(reply.text, pieces))
    yield from ({"text": piece} for piece in split(reply.refusal or "", pieces))
    for call in reply.tool_calls:
        yield {"functionCall": {"name": call.name, "args": dict(call.arguments)}}


def _finish_reason(reply: Reply) -> str:
    if reply.refusal is not None and reply.finish_reason is None:
        return "SAFETY"
    return FINISH_REASONS.get(reply.finish, reply.finish)


def _error(error: ProviderError) -> dict[str, Any]:
    status = error.code or ERROR_STATUSES.get(error.status, "INTERNAL")
    return {"error": {"code": error.status, "message": error.message, "status": status}}
