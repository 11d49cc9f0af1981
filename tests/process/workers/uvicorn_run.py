"""A program that is set up, then serves; nothing in it is done for the end."""

import os
import sys
from typing import Any

import uvicorn
from agent import answer  # type: ignore[import-not-found]

import litespan


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer a request."""
    if scope["type"] == "http":
        await answer("What is a span?")
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
        await send({"type": "http.response.body", "body": str(os.getpid()).encode()})


litespan.configure()
uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
