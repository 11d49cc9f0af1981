"""The web application for uvicorn, with litespan in its code; the answer tells the worker's process id."""

import asyncio
import os
from typing import Any

from agent import answer  # type: ignore[import-not-found]

import litespan

litespan.configure()


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer a request; send what is left when the server stops."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(litespan.shutdown)
        await send({"type": "lifespan.shutdown.complete"})
    if scope["type"] == "http":
        await answer("What is a span?")
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
        await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
