"""Writing a planned response to a client, and noting what went out."""

from __future__ import annotations

import asyncio
from typing import Protocol

from aiohttp import web

from litespan.testing.plan import Plan
from litespan.testing.served import Served
from litespan.testing.wire import Part


class Body(Protocol):
    """A response body under way."""

    async def open(self) -> None:
        """Send the head."""

    async def write(self, data: bytes) -> None:
        """Send a piece; raises ConnectionError once the client has gone."""

    def end(self) -> web.StreamResponse:
        """End it properly; returns what aiohttp finishes."""


class FramedBody:
    """A body whose end the client can tell: chunked, or with a Content-Length."""

    def __init__(self, http: web.Request, plan: Plan) -> None:
        self._http = http
        self._response = web.StreamResponse(status=plan.status, headers=plan.headers)
        self._response.content_length = plan.length

    async def open(self) -> None:
        """Send the head."""
        await self._response.prepare(self._http)

    async def write(self, data: bytes) -> None:
        """Send a piece."""
        await self._response.write(data)

    def end(self) -> web.StreamResponse:
        """Leave the end marker to aiohttp."""
        return self._response


class CloseDelimitedBody:
    """A body that lasts until the connection closes. aiohttp would frame it, so it is written by hand."""

    def __init__(self, http: web.Request, plan: Plan) -> None:
        self._http = http
        lines = [
            f"HTTP/1.1 {plan.status} Fake",
            *(f"{name}: {value}" for name, value in plan.headers.items()),
        ]
        self._head = "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")

    async def open(self) -> None:
        """Send the head."""
        await self.write(self._head)

    async def write(self, data: bytes) -> None:
        """Send a piece."""
        transport = self._http.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has gone")
        transport.write(data)

    def end(self) -> web.StreamResponse:
        """Close the connection, which is the end."""
        return close_connection(self._http)


def close_connection(http: web.Request) -> web.StreamResponse:
    """Close once what was written has gone out. aiohttp finds it closed and sends nothing more."""
    if http.transport is not None:
        http.transport.close()
    return web.Response()


async def deliver(http: web.Request, plan: Plan, served: Served) -> web.StreamResponse:
    """Send the response and keep the record true at every step."""
    reply = served.reply
    if reply.hang:
        await asyncio.Event().wait()
    if reply.delay:
        await asyncio.sleep(reply.delay)
    body: Body = FramedBody(http, plan) if reply.chunked else CloseDelimitedBody(http, plan)
    served.status = plan.status
    await body.open()
    for index, part in enumerate(plan.parts):
        if index and reply.chunk_delay:
            await asyncio.sleep(reply.chunk_delay)
        is_last = index == len(plan.parts) - 1
        await _write(body, part, served, ends=is_last and plan.ending == "end")
    if plan.ending == "stall":
        await asyncio.Event().wait()
    if plan.ending == "cut":
        served.close("cut")
        return close_connection(http)
    return body.end()


async def _write(body: Body, part: Part, served: Served, *, ends: bool) -> None:
    """Send one piece. The record goes first: the client may act on the bytes before this task runs again."""
    before = served.usage_delivered
    served.usage_delivered = part.usage or before
    if ends:
        served.close("finished")
    try:
        await body.write(part.data)
    except ConnectionError:
        served.usage_delivered = before
        served.outcome = "client_left"
        raise
