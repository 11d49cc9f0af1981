"""The program's own spans, baggage and context values around a run and inside its tools."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import litellm
import pytest
from agents import Agent, Runner, function_tool
from agents.tool import Tool
from opentelemetry import baggage, context, trace
from opentelemetry.trace import Tracer

from litespan.testing import Capture, Provider, Reply, ToolCall
from tests.fakes.litellm_calls import chat
from tests.flow.models import litespan_model
from tests.flow.running import run_to_end


@pytest.fixture
def tracer(capture: Capture) -> Tracer:
    """Return the program's own tracer."""
    return capture.tracer_provider.get_tracer("app")


def agent_with(provider: Provider, *tools: Tool) -> Agent[None]:
    """Return an agent that calls each of the tools once, in parallel, and then answers."""
    provider.script("gpt-4o-mini", Reply.calls(*(ToolCall(tool.name) for tool in tools)), Reply.says("done"))
    return Agent[None](name="A", model=litespan_model(provider), tools=list(tools))


@pytest.mark.parametrize("stream", [False, True])
async def test_span_in_a_tool_stands_under_the_tool(
    provider: Provider, capture: Capture, tracer: Tracer, *, stream: bool
) -> None:
    """A span that an asynchronous or a synchronous tool opens is a child of that tool's span."""

    @function_tool
    async def fetch() -> str:
        with tracer.start_as_current_span("async work"):
            return "a"

    @function_tool
    def compute() -> str:
        with tracer.start_as_current_span("sync work"):
            return "b"

    await run_to_end(agent_with(provider, fetch, compute), stream=stream)

    assert "    execute_tool fetch\n      async work\n" in capture.tree()
    assert "    execute_tool compute\n      sync work\n" in capture.tree()


@pytest.mark.parametrize("stream", [False, True])
async def test_run_joins_the_trace_around_it(
    provider: Provider, capture: Capture, tracer: Tracer, *, stream: bool
) -> None:
    """A run inside a web request's span is part of that trace, and leaves that span current behind it."""
    with tracer.start_as_current_span("GET /") as request:
        await run_to_end(agent_with(provider), stream=stream)
        assert request is trace.get_current_span()
        tracer.start_span("after").end()

    assert "GET /\n  invoke_workflow A\n    invoke_agent A\n      chat gpt-4o-mini" in capture.tree()
    assert "  after" == capture.tree().splitlines()[-1]
    assert {request.get_span_context().trace_id} == {span.context.trace_id for span in capture.spans}


@pytest.mark.parametrize("stream", [False, True])
async def test_nothing_stays_current(provider: Provider, capture: Capture, *, stream: bool) -> None:
    """After a run outside any span, no span is current."""
    await run_to_end(agent_with(provider), stream=stream)

    assert not trace.get_current_span().get_span_context().is_valid


async def test_two_readers_of_one_stream_keep_no_span_current(provider: Provider, capture: Capture) -> None:
    """A second reader, which LiteLLM refuses, and the first one go on outside of the call's span."""
    provider.default = Reply.says("Hello", stall_after=2)
    stream = await litellm.acompletion(**chat(provider, stream=True))

    async def read_on() -> trace.Span:
        with suppress(Exception, asyncio.CancelledError):
            async for _ in stream:
                pass
        return trace.get_current_span()

    readers = [asyncio.create_task(read_on()) for _ in range(2)]
    _, waiting = await asyncio.wait(readers, return_when=asyncio.FIRST_COMPLETED)
    for reader in waiting:
        reader.cancel()

    left = await asyncio.gather(*readers)
    assert [False, False] == [span.get_span_context().is_valid for span in left]


async def test_what_a_program_forgets_to_undo_keeps_no_span_current(
    provider: Provider, capture: Capture, tracer: Tracer
) -> None:
    """A context that the program attached inside a run, and left so, does not put what follows under it."""

    def instructions(_context: object, _agent: object) -> str:
        context.attach(baggage.set_baggage("tenant", "acme"))
        return "Answer."

    agent = agent_with(provider)
    agent.instructions = instructions
    for _ in range(2):
        await Runner.run(agent, "hi")
        tracer.start_span("after").end()

    roots = [line for line in capture.tree().splitlines() if not line.startswith(" ")]
    assert ["after", "after", "invoke_workflow A", "invoke_workflow A"] == sorted(roots)


async def test_context_of_the_program_reaches_its_tools(provider: Provider, capture: Capture) -> None:
    """Baggage and context values that the program set around a run are visible in both kinds of tool."""
    seen: dict[str, tuple[object, object]] = {}

    @function_tool
    async def fetch() -> str:
        seen["async"] = (baggage.get_baggage("tenant"), context.get_value("app-key"))
        return "a"

    @function_tool
    def compute() -> str:
        seen["sync"] = (baggage.get_baggage("tenant"), context.get_value("app-key"))
        return "b"

    around = context.set_value("app-key", 17, baggage.set_baggage("tenant", "acme"))
    token = context.attach(around)
    try:
        await Runner.run(agent_with(provider, fetch, compute), "hi")
        assert around is context.get_current()
    finally:
        context.detach(token)

    assert {"async": ("acme", 17), "sync": ("acme", 17)} == seen


async def test_context_set_in_a_tool_reaches_a_nested_run(
    provider: Provider, capture: Capture, tracer: Tracer
) -> None:
    """A run inside a span of a tool stays under the tool and sees what the tool set."""
    seen: list[object] = []

    @function_tool
    async def inner() -> str:
        seen.append(baggage.get_baggage("tenant"))
        return "b"

    @function_tool
    async def outer() -> str:
        token = context.attach(baggage.set_baggage("tenant", "acme"))
        try:
            sub = Agent[None](name="Sub", model=litespan_model(provider, "gpt-4o"), tools=[inner])
            return str((await Runner.run(sub, "sub")).final_output)
        finally:
            context.detach(token)

    provider.script("gpt-4o", Reply.calls(ToolCall("inner")), Reply.says("done"))
    await Runner.run(agent_with(provider, outer), "hi")

    assert ["acme"] == seen
    assert "    execute_tool outer\n      invoke_agent Sub\n        chat gpt-4o\n" in capture.tree()
    assert "        execute_tool inner\n" in capture.tree()
