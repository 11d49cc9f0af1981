"""Tools, handoffs and structured output in the request."""

from __future__ import annotations

from typing import Any

import pytest
from agents import Agent, AgentOutputSchema, ModelSettings, UserError, WebSearchTool, function_tool, handoff
from agents.model_settings import MCPToolChoice
from pydantic import BaseModel

from litespan.testing import Request
from tests.contract.adapter.harness import Caller


@function_tool
def look_up(city: str) -> str:
    """Look up the weather.

    Args:
        city: Where.
    """
    return f"sunny in {city}"


@function_tool(strict_mode=False)
def count(limit: int = 3) -> int:
    """Count."""
    return limit


class Weather(BaseModel):
    """An answer with structure."""

    city: str
    degrees: float


def functions(request: Request) -> dict[str, Any]:
    """Return the functions of a request by name."""
    return {
        tool["function"]["name"]: tool["function"] for tool in request.tools if tool["type"] == "function"
    }


async def test_no_tools(caller: Caller) -> None:
    """Without tools neither tools nor a choice nor parallel calls are mentioned."""
    sent = await caller.ask(settings=ModelSettings(parallel_tool_calls=True))
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(sent.json)


async def test_tools(caller: Caller) -> None:
    """A tool is a function with its description, its JSON schema and its strictness."""
    sent = functions(await caller.ask(tools=[look_up, count]))
    assert ["look_up", "count"] == list(sent)
    assert {
        "name": "look_up",
        "description": "Look up the weather.",
        "parameters": look_up.params_json_schema,
        "strict": True,
    } == sent["look_up"]
    assert False is sent["count"]["strict"]


async def test_handoffs_are_tools(caller: Caller) -> None:
    """A handoff is one more function, after the tools."""
    sent = functions(await caller.ask(tools=[look_up], handoffs=[handoff(Agent(name="Refunds"))]))
    assert ["look_up", "transfer_to_refunds"] == list(sent)
    assert "Handoff to the Refunds agent to handle the request." in sent["transfer_to_refunds"]["description"]


async def test_hosted_tools_are_refused(caller: Caller) -> None:
    """OpenAI's hosted tools are an error before anything is sent."""
    with pytest.raises(UserError, match="Hosted tools are not supported"):
        await caller.ask(tools=[WebSearchTool()])
    assert not caller.adapter.provider.served


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (None, None),
        ("auto", "auto"),
        ("required", "required"),
        ("none", "none"),
        ("look_up", {"type": "function", "function": {"name": "look_up"}}),
    ],
)
async def test_tool_choice(caller: Caller, choice: Any, sent: Any) -> None:
    """The choice of a tool is sent as it is, and a tool's name in the shape of the chat API."""
    request = await caller.ask(tools=[look_up], settings=ModelSettings(tool_choice=choice))
    assert sent == request.json.get("tool_choice")


async def test_mcp_tool_choice_is_refused(caller: Caller) -> None:
    """A choice of an MCP server's tool is an error: the chat API has no such thing."""
    settings = ModelSettings(tool_choice=MCPToolChoice(server_label="s", name="n"))
    with pytest.raises(UserError, match="MCPToolChoice is not supported"):
        await caller.ask(tools=[look_up], settings=settings)


@pytest.mark.parametrize("parallel", [True, False, None])
async def test_parallel_tool_calls(caller: Caller, parallel: bool | None) -> None:
    """``parallel_tool_calls`` is sent where it is set, true or false."""
    request = await caller.ask(tools=[look_up], settings=ModelSettings(parallel_tool_calls=parallel))
    assert parallel == request.json.get("parallel_tool_calls")


@pytest.mark.parametrize("strict", [True, False])
async def test_structured_output(caller: Caller, strict: bool) -> None:
    """An output type is sent as a JSON schema named ``final_output``."""
    schema = AgentOutputSchema(Weather, strict_json_schema=strict)
    request = await caller.ask(output_schema=schema)
    assert {
        "type": "json_schema",
        "json_schema": {"name": "final_output", "strict": strict, "schema": schema.json_schema()},
    } == request.json["response_format"]


async def test_plain_output(caller: Caller) -> None:
    """An output type of text asks for no format."""
    request = await caller.ask(output_schema=AgentOutputSchema(str))
    assert "response_format" not in request.json
