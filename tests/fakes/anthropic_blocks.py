"""The content blocks of Anthropic messages: thinking, text, tool use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from litespan.testing.reply import Reply, ToolCall
from litespan.testing.wire import Request, split

SIGNATURE = "c2lnbmF0dXJl"


@dataclass(frozen=True, slots=True)
class Block:
    """One content block: as a whole, and as a stream opens and fills it."""

    whole: dict[str, Any]
    opening: dict[str, Any]
    delta_type: str
    delta_field: str
    text: str
    closing: list[dict[str, Any]] = field(default_factory=list)

    def deltas(self, pieces: int) -> Iterator[dict[str, Any]]:
        """Yield the deltas that fill the block."""
        for piece in split(self.text, pieces):
            yield {"type": self.delta_type, self.delta_field: piece}
        yield from self.closing


def content_blocks(request: Request, reply: Reply) -> list[Block]:
    """List the blocks of an answer in the order of the real API."""
    blocks = [_thinking(reply.reasoning)] if reply.reasoning else []
    blocks += [_text(text) for text in (reply.text, reply.refusal) if text]
    return blocks + [_tool_use(request, index, call) for index, call in enumerate(reply.tool_calls)]


def _thinking(text: str) -> Block:
    whole = {"type": "thinking", "thinking": text, "signature": SIGNATURE}
    opening = {"type": "thinking", "thinking": "", "signature": ""}
    signed = {"type": "signature_delta", "signature": SIGNATURE}
    return Block(whole, opening, "thinking_delta", "thinking", text, [signed])


def _text(text: str) -> Block:
    return Block({"type": "text", "text": text}, {"type": "text", "text": ""}, "text_delta", "text", text)


def _tool_use(request: Request, index: int, call: ToolCall) -> Block:
    identity = call.id or f"toolu_{request.number:06d}_{index}"
    base = {"type": "tool_use", "id": identity, "name": call.name}
    arguments = dict(call.arguments)
    text = json.dumps(arguments)
    return Block(
        {**base, "input": arguments}, {**base, "input": {}}, "input_json_delta", "partial_json", text
    )
