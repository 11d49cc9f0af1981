"""A real MCP server with two tools, for a process of its own: over stdio, or over HTTP on a given port."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from mcp.server import MCPServer

from tests.fakes.ports import free_port

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
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        COMMAND, *ARGUMENTS, str(port), env=ENVIRONMENT, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        while not await _answers(port):
            assert process.returncode is None, "the MCP server did not start"
            await asyncio.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


if __name__ == "__main__":
    if sys.argv[1:]:
        uvicorn.run(
            shop().streamable_http_app(), host="127.0.0.1", port=int(sys.argv[1]), log_level="critical"
        )
    else:
        shop().run("stdio")
