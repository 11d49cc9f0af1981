"""OpenAI responses: `POST /v1/responses`."""

from __future__ import annotations

from typing import Any

from litespan.testing.openai_common import CREATED, OpenAIErrors, as_listed, expressible, read_request
from litespan.testing.openai_items import Item, output_items
from litespan.testing.reply import ProviderError, Reply
from litespan.testing.wire import LAST, Arrival, Part, Request, encode, server_sent


class Responses(OpenAIErrors):
    """The responses endpoint, with and without a stream. It reports the usage of a stream unasked."""

    operation = "responses"
    path = "/v1/responses"

    def read(self, arrival: Arrival) -> Request:
        """Understand a request; the input items are its messages."""
        return read_request(arrival, self.operation, as_listed(arrival.json.get("input")))

    def whole(self, request: Request, reply: Reply) -> Part:
        """Write the answer as one body."""
        return Part(encode(_final(request, reply, output_items(request, reply))), expressible(reply.usage))

    def events(self, request: Request, reply: Reply) -> list[Part]:
        """Write the answer as the numbered events of a stream."""
        items = output_items(request, reply)
        begun = _document(request, reply, "in_progress", [])
        documents: list[dict[str, Any]] = [
            {"type": "response.created", "response": begun},
            {"type": "response.in_progress", "response": begun},
            *(event for index, item in enumerate(items) for event in item.events(index, reply.pieces)),
        ]
        parts = [Part(_numbered(number, document)) for number, document in enumerate(documents)]
        final = _final(request, reply, items)
        last = _numbered(len(parts), {"type": f"response.{final['status']}", "response": final})
        return [*parts, Part(last, expressible(reply.usage), LAST)]

    def error_event(self, error: ProviderError) -> bytes:
        """Write the event with which a stream fails half way."""
        document = {"type": "error", "code": error.code, "message": error.message, "param": None}
        return server_sent(document, "error")


def _numbered(number: int, document: dict[str, Any]) -> bytes:
    return server_sent({**document, "sequence_number": number}, document["type"])


def _final(request: Request, reply: Reply, items: list[Item]) -> dict[str, Any]:
    complete = reply.finish in ("stop", "tool_calls")
    document = _document(request, reply, "completed" if complete else "incomplete", items)
    if not complete:
        reason = "max_output_tokens" if reply.finish == "length" else reply.finish
        document["incomplete_details"] = {"reason": reason}
    return {**document, "usage": _usage(reply)}


def _document(request: Request, reply: Reply, status: str, items: list[Item]) -> dict[str, Any]:
    return {
        "id": f"resp_{request.number:06d}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "model": reply.model or request.model,
        "output": [item.document for item in items],
        "error": None,
        "incomplete_details": None,
        "instructions": request.json.get("instructions"),
        "metadata": {},
        "parallel_tool_calls": True,
        "service_tier": reply.service_tier,
        "temperature": request.json.get("temperature", 1.0),
        "tool_choice": request.json.get("tool_choice", "auto"),
        "tools": list(request.tools),
        "top_p": request.json.get("top_p", 1.0),
        "usage": None,
    }


def _usage(reply: Reply) -> dict[str, Any] | None:
    usage = expressible(reply.usage)
    if usage is None:
        return None
    details = {"cached_tokens": usage.cache_read_tokens}
    if usage.cache_write_tokens:
        details["cache_write_tokens"] = usage.cache_write_tokens
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": details,
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }
