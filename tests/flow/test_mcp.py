"""MCP servers: their lists of tools and their tools, over stdio and HTTP, without the secrets of URLs."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from agents import Agent, Runner
from agents.mcp import MCPServer, MCPServerStdio, MCPServerStdioParams, MCPServerStreamableHttp

from litespan.testing import Capture, Provider, Reply, ToolCall
from tests.fakes.mcp_server import ARGUMENTS, COMMAND, ENVIRONMENT, http_server
from tests.flow.everything import emitted
from tests.flow.measured import measured
from tests.flow.models import litespan_model
from tests.versions import needs

USER, PASSWORD, TOKEN = "canary-user", "canary-password", "canary-token"
STDIO: MCPServerStdioParams = {"command": COMMAND, "args": ARGUMENTS, "env": ENVIRONMENT}
SHOWN = ("litespan.mcp.server", "litespan.mcp.tool_count", "mcp.method.name", "gen_ai.tool.type")

TREE = """\
invoke_workflow A
  invoke_agent A
    mcp_tools {server} litespan.mcp.server={server} litespan.mcp.tool_count=2
    chat gpt-4o-mini
    execute_tool stock litespan.mcp.server={server} mcp.method.name=tools/call gen_ai.tool.type=extension
    mcp_tools {server} litespan.mcp.server={server} litespan.mcp.tool_count=2
    chat gpt-4o-mini"""

MEASURED = """\
gen_ai.client.inference.usage.input_tokens A chat openai gpt-4o-mini unknown = 24
gen_ai.client.inference.usage.output_tokens A chat openai gpt-4o-mini unknown = 14
gen_ai.client.operation.cost chat openai gpt-4o-mini USD local x2
gen_ai.client.operation.duration chat openai gpt-4o-mini x2
gen_ai.client.token.usage chat openai gpt-4o-mini input x2
gen_ai.client.token.usage chat openai gpt-4o-mini output x2
gen_ai.execute_tool.duration A stock x1
gen_ai.invoke_agent.duration A x1
gen_ai.invoke_agent.inference_calls A x1
gen_ai.invoke_agent.tool_calls A x1
gen_ai.invoke_workflow.duration x1
litespan.call.attempts chat openai gpt-4o-mini = 2
litespan.calls A chat openai gpt-4o-mini ok = 2
litespan.calls.active chat openai gpt-4o-mini = 0
litespan.cost A chat openai gpt-4o-mini USD input = 3.6e-06
litespan.cost A chat openai gpt-4o-mini USD output = 8.4e-06
litespan.run.cost ok x1
litespan.run.duration ok x1
litespan.runs ok = 1"""


@asynccontextmanager
async def mcp_server(transport: str, **options: Any) -> AsyncIterator[MCPServer]:
    """Connect to a real MCP server; the URL of the one over HTTP holds secrets."""
    if transport == "stdio":
        async with MCPServerStdio(STDIO, **options) as stdio:
            yield stdio
        return
    async with http_server() as address:
        url = f"http://{USER}:{PASSWORD}@{address}/mcp?token={TOKEN}"
        async with MCPServerStreamableHttp({"url": url}, **options) as http:
            yield http


async def run(provider: Provider, server: MCPServer, tool: str, **arguments: str) -> None:
    """Run an agent that uses a tool of the server."""
    provider.script("gpt-4o-mini", Reply.calls(ToolCall(tool, arguments)), Reply.says("done"))
    agent = Agent[None](name="A", model=litespan_model(provider), mcp_servers=[server])
    await Runner.run(agent, "hi")


def safe_name(server: MCPServer) -> str:
    """Return the name that a server has by default, without what is secret in it."""
    return server.name.replace(f"{USER}:{PASSWORD}@", "").replace(f"?token={TOKEN}", "")


@needs("openai-agents", "0.24")  # older ones list the tools before they begin the agent's span
@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_lists_and_calls(provider: Provider, transport: str) -> None:
    """Each list of tools names its server and says how many there are; an MCP tool says whose it is."""
    async with mcp_server(transport) as server:
        with Capture(deterministic=True) as capture:
            await run(provider, server, "stock", item="pens")

            assert TREE.format(server=safe_name(server)) == capture.tree(*SHOWN)
            assert MEASURED.splitlines() == measured(capture)


@pytest.mark.parametrize("content", ["NO_CONTENT", "SPAN_ONLY"])
@pytest.mark.parametrize("prefixed", [False, True])
async def test_secrets_of_a_url_are_nowhere(
    provider: Provider, content: str, caplog: pytest.LogCaptureFixture, *, prefixed: bool
) -> None:
    """User, password and query of an MCP server's URL are in no span, metric or log line of litespan."""
    caplog.set_level(logging.DEBUG, logger="litespan")
    async with mcp_server("http") as server:
        assert f"{USER}:{PASSWORD}@" in server.name
        with Capture(capture_content=content) as capture:
            provider.respond = lambda request: (
                Reply.says("done")
                if any(message["role"] == "tool" for message in request.messages)
                else Reply.calls(ToolCall(request.tools[0]["function"]["name"], {"item": "pens"}))
            )
            agent = Agent[None](
                name="A",
                model=litespan_model(provider),
                mcp_servers=[server],
                mcp_config={"include_server_in_tool_names": prefixed},
            )
            await Runner.run(agent, "hi")

            assert 1 == len(capture.named("execute_tool"))
            everything = emitted(capture)
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("litespan"))
    for canary in (USER, PASSWORD, TOKEN):
        assert canary not in everything + logged
    assert "127.0.0.1" in everything
    assert ("3 pens" in everything) == (content == "SPAN_ONLY")


async def test_tool_that_says_it_failed(provider: Provider) -> None:
    """The SDK takes an MCP result that is marked as an error for an answer, and so does its span."""
    async with mcp_server("stdio") as server:
        with Capture(deterministic=True) as capture:
            await run(provider, server, "order", item="pens")

            [span] = capture.named("execute_tool order")
            assert "ok" == (span.attributes or {})["litespan.outcome"]


async def test_call_that_does_not_come_through(provider: Provider) -> None:
    """The SDK does not say whose a tool is that failed, so its span claims no type."""
    async with mcp_server("stdio") as server:
        with Capture(deterministic=True) as capture:
            await run(provider, server, "stock", other="x")

            [span] = capture.named("execute_tool stock")
            assert "tool_error" == (span.attributes or {})["error.type"]
            assert not {"gen_ai.tool.type", "litespan.mcp.server"} & set(span.attributes or {})


async def test_server_that_is_gone(provider: Provider) -> None:
    """A list of tools that cannot be had is an error of its span and of the run, still without secrets."""
    async with http_server() as address:
        url = f"http://{USER}:{PASSWORD}@{address}/mcp?token={TOKEN}"
        async with MCPServerStreamableHttp({"url": url}) as server:
            pass
    with Capture(deterministic=True, capture_content="SPAN_ONLY") as capture:
        with pytest.raises(Exception, match="not initialized"):
            await run(provider, server, "stock", item="pens")

        [span] = capture.named("mcp_tools")
        assert "error" == (span.attributes or {})["litespan.outcome"]
        assert "litespan.mcp.tool_count" not in (span.attributes or {})
        assert 1 == capture.total("litespan.runs", litespan__outcome="error")
        for canary in (USER, PASSWORD, TOKEN):
            assert canary not in emitted(capture)
