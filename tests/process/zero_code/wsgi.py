"""The same for gunicorn; the answer tells the worker's process id."""

import asyncio
import os
from typing import Any

from agent import answer  # type: ignore[import-not-found]


def app(environ: Any, start_response: Any) -> list[bytes]:
    """Answer a request."""
    asyncio.run(answer("What is a span?"))
    start_response("200 OK", [("Content-Length", str(len(str(os.getpid()))))])
    return [str(os.getpid()).encode()]
