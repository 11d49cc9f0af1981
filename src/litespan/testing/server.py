"""The HTTP server of the fake provider: aiohttp in a daemon thread of its own, on the loopback address."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from litespan.testing.delivery import deliver
from litespan.testing.plan import plan_response
from litespan.testing.reply import Reply
from litespan.testing.served import Memory
from litespan.testing.wire import Arrival, Endpoint, Request, Wire

HOST = "127.0.0.1"
START_SECONDS = 10.0
GRACE_SECONDS = 0.1
"""How long a stop waits for responses under way before it cancels them."""

LARGEST_REQUEST = 64 * 1024 * 1024

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Serves the wires until stopped. It asks `choose` for the reply to each request."""

    def __init__(self, wires: Sequence[Wire], choose: Callable[[Request], Reply], memory: Memory) -> None:
        self._wires = wires
        self._choose = choose
        self._memory = memory
        self._stopping = False
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, port: int) -> int:
        """Listen and return the port; 0 takes a free one. Raises OSError if the port is taken."""
        self._socket = socket.create_server((HOST, port), backlog=1024)
        chosen: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="litespan-fake-provider", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            raise RuntimeError(f"the fake provider did not start within {START_SECONDS} s")
        return chosen

    def stop(self, timeout: float) -> None:
        """End all connections; returns after at most `timeout` seconds."""
        if self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout)
        self._thread = None

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=LARGEST_REQUEST)
        app.add_routes(
            [
                web.post(endpoint.path, self._handler(endpoint))
                for wire in self._wires
                for endpoint in wire.endpoints
            ]
        )
        # With cancellation a handler that waits learns at once that its client has gone.
        runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=GRACE_SECONDS
        )
        await runner.setup()
        await web.SockSite(runner, self._socket).start()
        self._ready.set()
        await self._stop.wait()
        self._stopping = True
        await runner.cleanup()

    def _handler(self, endpoint: Endpoint) -> Handler:
        async def handle(http: web.Request) -> web.StreamResponse:
            request = endpoint.read(await self._arrival(http))
            reply = self._choose(request)
            plan = plan_response(endpoint, request, reply)
            served = self._memory.begin(request, reply)
            try:
                return await deliver(http, plan, served)
            finally:
                served.close("stopped" if self._stopping else "client_left")
                self._memory.end(served)

        return handle

    async def _arrival(self, http: web.Request) -> Arrival:
        return Arrival(
            number=self._memory.next_number(),
            path=http.path,
            match=dict(http.match_info),
            query=dict(http.query),
            headers={name.lower(): value for name, value in http.headers.items()},
            json=await _fields(http),
        )


async def _fields(http: web.Request) -> Mapping[str, Any]:
    """Read a body of JSON, or the fields of a form; files of a form are known by their size only."""
    if http.content_type != "multipart/form-data":
        document: Mapping[str, Any] = await http.json()
        return document
    form = await http.post()
    return {
        name: len(value.file.read()) if isinstance(value, web.FileField) else value
        for name, value in form.items()
    }
