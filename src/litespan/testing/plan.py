"""From a reply to what goes over the connection: which bytes, and how it ends. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from litespan.testing.reply import Mark, Reply
from litespan.testing.wire import Endpoint, Part, Request

Ending = Literal["end", "cut", "stall"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A response: its head, the pieces of its body, and what happens after the last piece.

    `length` is the Content-Length; None leaves it out.
    """

    status: int
    headers: Mapping[str, str]
    parts: list[Part]
    ending: Ending
    length: int | None


def plan_response(endpoint: Endpoint, request: Request, reply: Reply) -> Plan:
    """Lay out the response to one request."""
    head = {"x-request-id": f"req_{request.number:06d}"}
    if reply.raw_body is not None:
        status = 200 if reply.error is None else reply.error.status
        return _body(status, Part(reply.raw_body), {**head, "Content-Type": "text/html"}, reply)
    if reply.error is not None and reply.error_after is None:
        failed = Part(endpoint.error(reply.error))
        return _body(reply.error.status, failed, {**head, "Content-Type": "application/json"}, reply)
    if not request.stream:
        answer = endpoint.whole(request, reply)
        return _body(200, answer, {**head, "Content-Type": "application/json"}, reply)
    parts, ending = _stream(endpoint, request, reply)
    return Plan(200, {**head, "Content-Type": "text/event-stream", **reply.headers}, parts, ending, None)


def _body(status: int, part: Part, headers: Mapping[str, str], reply: Reply) -> Plan:
    cut = reply.cut_after is not None or reply.cut_before is not None
    parts = [Part(part.data[: len(part.data) // 2])] if cut else [part]
    ending: Ending = "cut" if cut else "end"
    length = len(part.data) if reply.chunked else None
    return Plan(status, {**headers, **reply.headers}, parts, ending, length)


def _stream(endpoint: Endpoint, request: Request, reply: Reply) -> tuple[list[Part], Ending]:
    parts = endpoint.events(request, reply)
    if reply.error is not None:
        kept = parts[: reply.error_after]
        return [*kept, Part(endpoint.error_event(reply.error))], "end"
    if reply.cut_after is not None:
        return parts[: reply.cut_after], "cut"
    if reply.cut_before is not None:
        return parts[: _place(parts, reply.cut_before)], "cut"
    if reply.stall_after is not None:
        return parts[: reply.stall_after], "stall"
    return parts, "end"


def _place(parts: list[Part], mark: Mark) -> int:
    """Find the first event with that mark; the end of the body where the stream has none."""
    return next((index for index, part in enumerate(parts) if mark in part.marks), len(parts))
