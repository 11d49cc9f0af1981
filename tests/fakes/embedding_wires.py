"""Embeddings of providers that do not speak OpenAI's protocol: Cohere and Gemini. Voyage nearly does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from litespan.testing.openai_common import OpenAIErrors, as_listed
from litespan.testing.reply import Reply, ServedUsage
from litespan.testing.wire import Arrival, Endpoint, Part, Request, encode

Body = Callable[[Request, Reply], dict[str, Any]]


class EmbeddingWire:
    """The embeddings endpoint of one provider; `inputs` is the field of a request that holds the texts."""

    def __init__(self, name: str, path: str, inputs: str, body: Body, *, tells: bool = True) -> None:
        self.name = name
        self.base_path = f"/{name}"
        self.endpoints: Sequence[Endpoint] = (_Embeddings(name, f"/{name}{path}", inputs, body, tells=tells),)


class _Embeddings(OpenAIErrors):
    operation = "embeddings"

    def __init__(self, wire: str, path: str, inputs: str, body: Body, *, tells: bool) -> None:
        self.path = path
        self._wire = wire
        self._inputs = inputs
        self._body = body
        self._tells = tells

    def read(self, arrival: Arrival) -> Request:
        """Understand a request; the inputs are its messages."""
        body = arrival.json
        return arrival.request(
            wire=self._wire,
            operation=self.operation,
            model=str(body.get("model") or arrival.match.get("model", "")),
            stream=False,
            messages=as_listed(body.get(self._inputs)),
        )

    def whole(self, request: Request, reply: Reply) -> Part:
        """Write the answer as one body."""
        told = ServedUsage(input_tokens=reply.usage.input_tokens) if reply.usage and self._tells else None
        return Part(encode(self._body(request, reply)), told)

    def events(self, request: Request, reply: Reply) -> list[Part]:
        """Embeddings do not stream: the answer is one body."""
        return [self.whole(request, reply)]


def cohere() -> EmbeddingWire:
    """Return Cohere's second API: what it bills is in `meta`."""
    return EmbeddingWire("cohere", "/v2/embed", "texts", _cohere)


def voyage() -> EmbeddingWire:
    """Return Voyage: OpenAI's shape, with nothing but the total in its usage."""
    return EmbeddingWire("voyage", "/v1/embeddings", "input", _voyage)


def gemini_embeddings() -> EmbeddingWire:
    """Return Gemini, which says nothing of tokens when it embeds."""
    path = "/v1beta/models/{model}:batchEmbedContents"
    return EmbeddingWire("gemini_embeddings", path, "requests", _gemini, tells=False)


def _vectors(request: Request, reply: Reply) -> list[list[float]]:
    return [list(reply.embedding) for _ in request.messages]


def _cohere(request: Request, reply: Reply) -> dict[str, Any]:
    billed = {} if reply.usage is None else {"billed_units": {"input_tokens": reply.usage.input_tokens}}
    return {
        "id": f"embed-{request.number:06d}",
        "texts": list(request.messages),
        "embeddings": {"float": _vectors(request, reply)},
        "meta": {"api_version": {"version": "2"}, **billed},
    }


def _voyage(request: Request, reply: Reply) -> dict[str, Any]:
    data = [
        {"object": "embedding", "index": index, "embedding": vector}
        for index, vector in enumerate(_vectors(request, reply))
    ]
    usage = {} if reply.usage is None else {"usage": {"total_tokens": reply.usage.input_tokens}}
    return {"object": "list", "data": data, "model": request.model, **usage}


def _gemini(request: Request, reply: Reply) -> dict[str, Any]:
    return {"embeddings": [{"values": vector} for vector in _vectors(request, reply)]}
