"""Event loops that are not asyncio's own, loops inside loops, and what the end of a loop closes."""

from __future__ import annotations

import asyncio
import gc
import importlib
import sys
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import anyio
import anyio.lowlevel
import litellm
import pytest
from agents import Agent, Runner, function_tool

import litespan
from litespan.testing import Capture, Provider, Reply
from tests.fakes.litellm_calls import chat
from tests.flow.models import litespan_model
from tests.flow.running import run_to_end
from tests.flow.test_threads_and_loops import nested_tree, play, tree_of


@function_tool
async def pause() -> str:
    """Give the turn to others."""
    await anyio.lowlevel.checkpoint()
    return "paused"


def agent(provider: Provider, name: str = "Helper") -> Agent[None]:
    """Return an agent that uses a tool once."""
    return Agent[None](name=name, model=litespan_model(provider), tools=[pause])


async def both(provider: Provider) -> None:
    """Run an agent and read another one's events."""
    await Runner.run(agent(provider, "Read"), "hi")
    await run_to_end(agent(provider, "Streamed"), stream=True)


def expected() -> set[str]:
    """Return the two trees of `both`."""
    return {tree_of(name, "gpt-4o-mini", "pause") for name in ("Read", "Streamed")}


def test_uvloop(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """Under uvloop the trees are those of asyncio's own loop."""
    if sys.platform == "win32":
        pytest.skip("there is no uvloop for Windows")
    provider.respond = play
    with Capture(deterministic=True) as capture:
        importlib.import_module("uvloop").run(both(provider))

        assert expected() == set(trees(capture))
    assert [] == caplog.messages


def test_anyio(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """Runs in an anyio task group on asyncio have a tree each."""
    provider.respond = play

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for name in ("Read", "Streamed"):
                group.start_soon(Runner.run, agent(provider, name), "hi")

    with Capture(deterministic=True) as capture:
        anyio.run(main, backend="asyncio")

        assert expected() == set(trees(capture))
    assert [] == caplog.messages


def test_trio(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """The Agents SDK needs asyncio: under trio its runs belong in a thread, and calls of LiteLLM too."""
    provider.respond = play

    async def main() -> None:
        await anyio.to_thread.run_sync(lambda: asyncio.run(both(provider)))
        await anyio.to_thread.run_sync(lambda: litellm.completion(**chat(provider)))

    with Capture(deterministic=True) as capture:
        anyio.run(main, backend="trio")

        assert expected() | {"chat gpt-4o-mini"} == set(trees(capture))
    assert [] == caplog.messages


async def test_asyncio_run_inside_a_tool(provider: Provider) -> None:
    """A synchronous tool that calls `asyncio.run` has what runs there under its span."""
    provider.respond = play

    @function_tool
    def delegate() -> str:
        sub = Agent[None](name="Sub", model=litespan_model(provider, "gpt-4o"))
        return str(asyncio.run(Runner.run(sub, "x")).final_output)

    with Capture(deterministic=True) as capture:
        boss = Agent[None](name="Boss", model=litespan_model(provider, "gpt-4.1"), tools=[delegate])
        await Runner.run(boss, "hi")

        assert nested_tree("delegate", "invoke_agent Sub\n        chat gpt-4o") == capture.tree()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_generators_that_the_end_of_a_loop_closes(
    loop: str, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """A stream that is left half read when its loop ends is one span, and nothing fails to detach."""
    provider.default = Reply.says("a b c d e f", pieces=6, stall_after=4)
    left: list[Any] = []

    async def main() -> None:
        async def chunks() -> AsyncIterator[Any]:
            with litespan.using(tags=["left"]):
                async for chunk in await litellm.acompletion(**chat(provider, stream=True)):
                    yield chunk

        left.append(chunks())
        await left[0].__anext__()

    with Capture(deterministic=True) as capture:
        run(loop, main())
        left.clear()
        gc.collect()
        litespan.flush()

        assert "chat gpt-4o-mini litespan.outcome=abandoned" == capture.tree("litespan.outcome")
        assert 0 == litespan.stats()["records_open"]
    assert "detach" not in caplog.text


def run(loop: str, main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in a loop of this kind."""
    if loop == "uvloop" and sys.platform == "win32":
        pytest.skip("there is no uvloop for Windows")
    importlib.import_module(loop).run(main)


def trees(capture: Capture) -> list[str]:
    """Return the trees of all traces, each begun at the margin."""
    found: list[str] = []
    for line in capture.tree().splitlines():
        if line.startswith(" "):
            found[-1] += f"\n{line}"
        else:
            found.append(line)
    return found
