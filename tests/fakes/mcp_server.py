"""A real MCP server with two tools, in a process of its own: over stdio, or over HTTP on a port it tells."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from mcp.server import MCPServer

COMMAND = sys.executable
ARGUMENTS = ["-m", "tests.fakes.mcp_server"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


def shop() -> MCPServer:
    """Return a server that knows a stock."""
    server = MCPServer("shop", log_level="CRITICAL")

    @server.tool()
    def stock(item: str) -> str:
        """Count what is there."""
        return f"3 {item}"

    @server.tool()
    def order(item: str) -> str:
        """Fail."""
        raise ValueError(f"cannot order {item}")

    return server


@asynccontextmanager
async def http_server() -> AsyncIterator[str]:
    """Serve over streamable HTTP in a process of its own; gives host and port."""
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        *ARGUMENTS,
        "http",
        env=ENVIRONMENT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        port = int(await process.stdout.readline() or 0)
        assert port, "the MCP server did not start"
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


def _serve_http() -> None:
    """Serve on a port of the system's choice; who connects before the server runs waits in the queue."""
    listening = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(shop().streamable_http_app(), log_level="critical")
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    if sys.argv[1:]:
        _serve_http()
    else:
        shop().run("stdio")
