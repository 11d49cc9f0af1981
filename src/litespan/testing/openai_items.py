"""The output items of OpenAI responses: reasoning, message, function calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from litespan.testing.reply import Reply, ToolCall
from litespan.testing.wire import Request, split


@dataclass(frozen=True, slots=True)
class Item:
    """One finished output item, and how it comes about in a stream."""

    document: dict[str, Any]
    empty: dict[str, Any]
    kind: str
    """Name of the delta events, such as `output_text`."""

    field: str
    """Field of the done event that holds the full text."""

    text: str
    part: dict[str, Any] | None = None
    """The content part of a message or a reasoning summary."""

    def events(self, index: int, pieces: int) -> Iterator[dict[str, Any]]:
        """Yield the events of this item: added, deltas, done."""
        place: dict[str, Any] = {"item_id": self.document["id"], "output_index": index}
        inner = {**place, **self._inner_index()}
        yield {"type": "response.output_item.added", "output_index": index, "item": self.empty}
        if self.part is not None:
            begun = {**self.part, "text": ""} if "text" in self.part else {**self.part, "refusal": ""}
            yield {"type": f"response.{self._part_name()}.added", **inner, "part": begun}
        for piece in split(self.text, pieces):
            yield {"type": f"response.{self.kind}.delta", **inner, "delta": piece}
        yield {"type": f"response.{self.kind}.done", **inner, self.field: self.text}
        if self.part is not None:
            yield {"type": f"response.{self._part_name()}.done", **inner, "part": self.part}
        yield {"type": "response.output_item.done", "output_index": index, "item": self.document}

    def _part_name(self) -> str:
        return "reasoning_summary_part" if self.document["type"] == "reasoning" else "content_part"

    def _inner_index(self) -> dict[str, int]:
        if self.part is None:
            return {}
        return {"summary_index": 0} if self.document["type"] == "reasoning" else {"content_index": 0}


def output_items(request: Request, reply: Reply) -> list[Item]:
    """List the items of an answer in the order of the real API."""
    items: list[Item] = []
    part: dict[str, Any]
    if reply.reasoning:
        items.append(_reasoning(request, reply.reasoning))
    if reply.refusal is not None:
        part = {"type": "refusal", "refusal": reply.refusal}
        items.append(_message(request, part, "refusal", "refusal", reply.refusal))
    elif reply.text:
        part = {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}
        items.append(_message(request, part, "output_text", "text", reply.text))
    return items + [_function_call(request, index, call) for index, call in enumerate(reply.tool_calls)]


def _reasoning(request: Request, text: str) -> Item:
    base: dict[str, Any] = {"id": f"rs_{request.number:06d}", "type": "reasoning"}
    part = {"type": "summary_text", "text": text}
    document = {**base, "summary": [part]}
    return Item(document, {**base, "summary": []}, "reasoning_summary_text", "text", text, part)


def _message(request: Request, part: dict[str, Any], kind: str, field: str, text: str) -> Item:
    base: dict[str, Any] = {"id": f"msg_{request.number:06d}", "type": "message", "role": "assistant"}
    document = {**base, "status": "completed", "content": [part]}
    return Item(document, {**base, "status": "in_progress", "content": []}, kind, field, text, part)


def _function_call(request: Request, index: int, call: ToolCall) -> Item:
    arguments = json.dumps(dict(call.arguments))
    base = {
        "id": f"fc_{request.number:06d}_{index}",
        "type": "function_call",
        "call_id": call.id or f"call_{request.number:06d}_{index}",
        "name": call.name,
    }
    document = {**base, "arguments": arguments, "status": "completed"}
    empty = {**base, "arguments": "", "status": "in_progress"}
    return Item(document, empty, "function_call_arguments", "arguments", arguments)
