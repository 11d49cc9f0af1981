"""How strict OpenAI-compatible servers refuse a request field that they do not know."""

from __future__ import annotations

from typing import Literal

from litespan.testing.reply import Reply
from litespan.testing.wire import encode


def refuse(field: str, status: Literal[400, 422]) -> Reply:
    """Refuse a field: 400 with OpenAI's error body, or 422 with the list that validating servers send."""
    if status == 400:
        message = f"Unrecognized request argument supplied: {field}"
        return Reply.fails(400, message=message, type="invalid_request_error")
    problem = {"type": "extra_forbidden", "loc": ["body", field], "msg": "Extra inputs are not permitted"}
    headers = {"Content-Type": "application/json"}
    return Reply.fails(422, raw_body=encode({"detail": [problem]}), headers=headers)
