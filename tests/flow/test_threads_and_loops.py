"""Runs in several event loops and threads: every parent is right, whatever runs beside it."""

from __future__ import annotations

import _thread
import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import litellm
from agents import Agent, Runner, function_tool
from agents.tool import Tool

from litespan.testing import Capture, Provider, Reply, Request, ToolCall, render_tree
from tests.fakes.litellm_calls import chat
from tests.flow.models import litespan_model
from tests.flow.test_concurrent_runs import traces_by_name
from tests.waiting import wait_until


def play(request: Request) -> Reply:
    """Ask for the tool of the model's agent, then answer."""
    if not request.tools or any(message["role"] == "tool" for message in request.messages):
        return Reply.says("done")
    return Reply.calls(ToolCall(request.tools[0]["function"]["name"]))


def tree_of(name: str, model: str, tool: str) -> str:
    """Return the trace of an agent that used one tool."""
    return (
        f"invoke_workflow {name}\n  invoke_agent {name}\n    chat {model}\n"
        f"    execute_tool {tool}\n    chat {model}"
    )


def test_two_event_loops_at_once(provider: Provider) -> None:
    """Runs that meet inside their tools, each in its own loop and thread, leave two separate trees."""
    provider.respond = play
    meeting = threading.Barrier(2, timeout=20)

    def run(name: str, model: str) -> None:
        @function_tool
        async def meet() -> str:
            await asyncio.to_thread(meeting.wait)
            return "met"

        agent = Agent[None](name=name, model=litespan_model(provider, model), tools=[meet])
        asyncio.run(Runner.run(agent, "hi"))

    with Capture(deterministic=True) as capture, ThreadPoolExecutor(2) as pool:
        list(pool.map(run, ["Left", "Right"], ["gpt-4o", "gpt-4o-mini"]))

        traces = traces_by_name(capture.spans)
        assert tree_of("Left", "gpt-4o", "meet") == render_tree(traces["invoke_workflow Left"])
        assert tree_of("Right", "gpt-4o-mini", "meet") == render_tree(traces["invoke_workflow Right"])
        assert 2 == len(traces)


def test_run_sync_in_threads(provider: Provider) -> None:
    """`Runner.run_sync` in several threads at once leaves one tree per run."""
    provider.respond = play
    names = ["North", "East", "South", "West"]
    meeting = threading.Barrier(len(names), timeout=20)

    @function_tool
    def meet() -> str:
        meeting.wait()
        return "met"

    def run(name: str) -> None:
        Runner.run_sync(Agent[None](name=name, model=litespan_model(provider), tools=[meet]), "hi")

    with Capture(deterministic=True) as capture, ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(run, names))

        traces = traces_by_name(capture.spans)
        for name in names:
            assert tree_of(name, "gpt-4o-mini", "meet") == render_tree(traces[f"invoke_workflow {name}"])
        assert len(names) == len(traces)


async def test_run_sync_inside_a_tool_is_nested(provider: Provider) -> None:
    """A synchronous tool that runs an agent with `Runner.run_sync` has that run under its span."""
    provider.respond = play

    @function_tool
    def delegate() -> str:
        sub = Agent[None](name="Sub", model=litespan_model(provider, "gpt-4o"))
        return str(Runner.run_sync(sub, "x").final_output)

    with Capture(deterministic=True) as capture:
        await run_agent(provider, delegate)

        assert nested_tree("delegate", "invoke_agent Sub\n        chat gpt-4o") == capture.tree()


async def test_run_inside_a_tool_is_nested(provider: Provider) -> None:
    """An asynchronous tool that runs an agent has that run under its span, in the same trace."""
    provider.respond = play

    @function_tool
    async def delegate() -> str:
        sub = Agent[None](name="Sub", model=litespan_model(provider, "gpt-4o"))
        return str((await Runner.run(sub, "x")).final_output)

    with Capture(deterministic=True) as capture:
        await run_agent(provider, delegate)

        assert nested_tree("delegate", "invoke_agent Sub\n        chat gpt-4o") == capture.tree()


async def test_plain_call_inside_a_tool_stands_under_the_tool(provider: Provider) -> None:
    """A tool that calls LiteLLM itself, from a task or a thread of its own, has the call under its span."""
    provider.respond = play

    @function_tool
    async def ask() -> str:
        await asyncio.create_task(litellm.acompletion(**chat(provider)))
        await asyncio.to_thread(litellm.completion, **chat(provider))
        return "asked"

    with Capture(deterministic=True) as capture:
        await run_agent(provider, ask)

        assert nested_tree("ask", "chat gpt-4o-mini\n      chat gpt-4o-mini") == capture.tree()


async def run_agent(provider: Provider, tool: Tool) -> None:
    """Run an agent that uses this tool."""
    await Runner.run(Agent[None](name="Boss", model=litespan_model(provider, "gpt-4.1"), tools=[tool]), "hi")


def nested_tree(tool: str, inside: str) -> str:
    """Return the trace of `run_agent` with something under the tool's span."""
    line = f"execute_tool {tool}"
    return tree_of("Boss", "gpt-4.1", tool).replace(line, f"{line}\n      {inside}")


def test_a_thread_may_begin_with_the_call(provider: Provider) -> None:
    """A call below which there is no Python code works as without litespan; gevent's greenlets make such."""
    with Capture() as capture:
        _thread.start_new_thread(litellm.completion, (), chat(provider))
        wait_until(lambda: capture.spans, 20)

        assert "chat gpt-4o-mini" == capture.tree()
