"""Answers of OpenAI's Responses API that the test kit's provider has no words for, as documents or events."""

from __future__ import annotations

import json
from typing import Any

from litespan.testing import Reply

MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Hello", "annotations": []}],
}
USAGE = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 100,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 1100,
}
_RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "gpt-4o-mini",
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "output": [MESSAGE],
    "parallel_tool_calls": True,
    "temperature": 1,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1,
    "usage": USAGE,
}


def response(**fields: Any) -> dict[str, Any]:
    """Return a whole response; ``fields`` replace what is in it."""
    return {**_RESPONSE, **fields}


def whole(document: dict[str, Any]) -> Reply:
    """Answer with a document."""
    return Reply.garbage(json.dumps(document).encode(), headers={"Content-Type": "application/json"})


def events(*following: dict[str, Any]) -> Reply:
    """Answer with a stream that begins as all do and goes on with these events."""
    begun = {"type": "response.created", "response": response(status="in_progress", output=[], usage=None)}
    numbered = ({**event, "sequence_number": number} for number, event in enumerate((begun, *following)))
    sent = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in numbered)
    return Reply.garbage(sent.encode(), headers={"Content-Type": "text/event-stream"})


def answer(document: dict[str, Any], *, stream: bool) -> Reply:
    """Answer with a document, streamed or not."""
    last = {"type": f"response.{document['status']}", "response": document}
    return events(last) if stream else whole(document)
