"""Realtime sessions: what the SDK's tracing tells of them, which is next to nothing."""

from __future__ import annotations

import asyncio

import litellm
import pytest
from agents import agent_span, custom_span, function_tool, trace
from agents.realtime import RealtimeAgent, RealtimeRunner

from litespan.testing import Capture, Provider
from tests.fakes.litellm_calls import chat
from tests.fakes.realtime_server import RealtimeTalk, realtime_server
from tests.flow.measured import measured

SECONDS = 20


async def talk(provider: Provider) -> list[str]:
    """Hold a session in which the model calls a tool, which asks another model, and answers."""

    @function_tool
    async def weather(city: str) -> str:
        with custom_span("look outside"):
            answer = await litellm.acompletion(**chat(provider))
        return str(answer.choices[0].message.content)

    agent = RealtimeAgent[None](name="Voice", instructions="Be brief.", tools=[weather])
    happened: list[str] = []
    async with realtime_server(RealtimeTalk("weather", {"city": "Rome"}, "Sunny.")) as url:
        session = await RealtimeRunner(agent).run(
            model_config={"url": f"{url}/realtime", "api_key": "canary-key"}
        )
        async with session:
            await session.send_message("How is the weather?")
            async for event in session:
                happened.append(event.type)
                if happened.count("agent_end") == 2:
                    break
    return happened


@pytest.mark.parametrize("content", ["NO_CONTENT", "SPAN_ONLY"])
async def test_session_alone(provider: Provider, content: str) -> None:
    """The SDK opens no trace and no span for a session; a LiteLLM call of a tool is a span of its own."""
    with Capture(deterministic=True, capture_content=content) as capture:
        happened = await asyncio.wait_for(talk(provider), SECONDS)

        assert {"tool_start", "tool_end", "agent_end"} <= set(happened)
        assert "chat gpt-4o-mini" == capture.tree()
        assert 1 == capture.total("litespan.calls")
        assert 0 == capture.total("litespan.runs")


async def test_session_in_a_trace_of_the_program(provider: Provider) -> None:
    """Inside a trace and an agent span of the program's own there is a tree, with what it calls itself."""
    with Capture(deterministic=True) as capture:
        with trace("Phone call", group_id="call-1"), agent_span("Voice"):
            await asyncio.wait_for(talk(provider), SECONDS)

        assert [
            "invoke_workflow Phone call gen_ai.conversation.id=call-1",
            "  invoke_agent Voice gen_ai.conversation.id=call-1",
            "    custom look outside gen_ai.conversation.id=call-1",
            "      chat gpt-4o-mini gen_ai.conversation.id=call-1",
        ] == capture.tree("gen_ai.conversation.id").splitlines()
        assert [] == [line for line in measured(capture) if line.startswith("gen_ai.execute_tool")]
