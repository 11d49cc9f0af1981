"""The Ollama wire: `POST /api/chat`, `/api/generate` and `/api/embed`; streams are lines of JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from litespan.testing.openai_common import as_listed
from litespan.testing.reply import ProviderError, Reply, ServedUsage
from litespan.testing.wire import LAST, Arrival, Endpoint, Part, Request, encode, split

CREATED = "2025-06-15T15:06:40Z"
NANOSECONDS = {"total_duration": 50, "load_duration": 5, "prompt_eval_duration": 15, "eval_duration": 30}


class OllamaWire:
    """An Ollama server."""

    name = "ollama"
    base_path = "/ollama"

    def __init__(self) -> None:
        self.endpoints: Sequence[Endpoint] = (Chat(), Generate(), Embed())


class _Ollama:
    """What its endpoints share: how requests are read and errors are written."""

    operation = "chat"
    path = ""

    def read(self, arrival: Arrival) -> Request:
        """Understand a request; without a wish, Ollama streams."""
        body = arrival.json
        return arrival.request(
            wire="ollama",
            operation=self.operation,
            model=str(body.get("model", "")),
            stream=self.operation == "chat" and bool(body.get("stream", True)),
            messages=body.get("messages") or as_listed(body.get("prompt") or body.get("input")),
            tools=body.get("tools") or (),
        )

    def error(self, error: ProviderError) -> bytes:
        """Write the body of a failed answer."""
        return encode({"error": error.message})

    def error_event(self, error: ProviderError) -> bytes:
        """Write the line with which a stream fails half way."""
        return self.error(error) + b"\n"


class _Answers(_Ollama):
    """An endpoint that answers with text; what is in its lines depends on the endpoint."""

    def whole(self, request: Request, reply: Reply) -> Part:
        """Write the answer as one body."""
        return Part(encode(self._last(request, reply, self._all(reply))), _told(reply.usage))

    def events(self, request: Request, reply: Reply) -> list[Part]:
        """Write the answer as lines; the last one has the counts."""
        lines = [{**_head(request, reply), **content, "done": False} for content in self._pieces(reply)]
        last = Part(encode(self._last(request, reply, self._empty())) + b"\n", _told(reply.usage), LAST)
        return [*(Part(encode(line) + b"\n") for line in lines), last]

    def _last(self, request: Request, reply: Reply, content: dict[str, Any]) -> dict[str, Any]:
        reason = "length" if reply.finish == "length" else "stop"
        done = {"done": True, "done_reason": reason, **NANOSECONDS}
        return {**_head(request, reply), **content, **done, **_counts(reply.usage)}

    def _all(self, reply: Reply) -> dict[str, Any]:
        raise NotImplementedError

    def _pieces(self, reply: Reply) -> Iterator[dict[str, Any]]:
        raise NotImplementedError

    def _empty(self) -> dict[str, Any]:
        raise NotImplementedError


class Chat(_Answers):
    """The endpoint that takes messages."""

    path = f"{OllamaWire.base_path}/api/chat"

    def _all(self, reply: Reply) -> dict[str, Any]:
        calls = {"tool_calls": _tool_calls(reply)} if reply.tool_calls else {}
        thought = {"thinking": reply.reasoning} if reply.reasoning else {}
        return _message(content=reply.text, **thought, **calls)

    def _pieces(self, reply: Reply) -> Iterator[dict[str, Any]]:
        yield from (_message(content="", thinking=piece) for piece in split(reply.reasoning, reply.pieces))
        yield from (_message(content=piece) for piece in split(reply.text, reply.pieces))
        if reply.tool_calls:
            yield _message(content="", tool_calls=_tool_calls(reply))

    def _empty(self) -> dict[str, Any]:
        return _message(content="")


class Generate(_Answers):
    """The endpoint that takes one prompt."""

    path = f"{OllamaWire.base_path}/api/generate"

    def _all(self, reply: Reply) -> dict[str, Any]:
        return {"response": reply.text}

    def _pieces(self, reply: Reply) -> Iterator[dict[str, Any]]:
        yield from ({"response": piece} for piece in split(reply.text, reply.pieces))

    def _empty(self) -> dict[str, Any]:
        return {"response": ""}


class Embed(_Ollama):
    """The endpoint for embeddings: one vector for each input, the same for all."""

    operation = "embeddings"
    path = f"{OllamaWire.base_path}/api/embed"

    def whole(self, request: Request, reply: Reply) -> Part:
        """Write the answer as one body. Its usage knows input tokens only."""
        vectors = [list(reply.embedding) for _ in request.messages]
        document: dict[str, Any] = {"model": request.model, "embeddings": vectors}
        if reply.usage is None:
            return Part(encode(document))
        told = ServedUsage(input_tokens=reply.usage.input_tokens)
        return Part(encode({**document, "prompt_eval_count": told.input_tokens}), told)

    def events(self, request: Request, reply: Reply) -> list[Part]:
        """Embeddings do not stream: the answer is one body."""
        return [self.whole(request, reply)]


def _head(request: Request, reply: Reply) -> dict[str, Any]:
    return {"model": reply.model or request.model, "created_at": CREATED}


def _message(**fields: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", **fields}}


def _tool_calls(reply: Reply) -> list[dict[str, Any]]:
    return [{"function": {"name": call.name, "arguments": dict(call.arguments)}} for call in reply.tool_calls]


def _told(usage: ServedUsage | None) -> ServedUsage | None:
    if usage is None:
        return None
    return replace(
        usage, cache_read_tokens=0, cache_write_tokens=0, cache_write_1h_tokens=0, reasoning_tokens=0
    )


def _counts(usage: ServedUsage | None) -> dict[str, int]:
    if usage is None:
        return {}
    return {"prompt_eval_count": usage.input_tokens, "eval_count": usage.output_tokens}
