"""A web application for uvicorn: every request asks the agent."""

from typing import Any

from agent import answer  # type: ignore[import-not-found]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer a request."""
    if scope["type"] == "http":
        text = await answer("What is a span?")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": text.encode()})
