"""Cancelled runs: wherever the cancellation strikes, it is seen as one, and nothing stays open."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import litellm
import pytest
from agents import Agent, Runner, function_tool
from opentelemetry.trace import StatusCode

from litespan.testing import Capture, Provider, Reply, ToolCall
from tests.fakes.litellm_calls import chat
from tests.flow.models import litespan_model
from tests.flow.running import run_to_end
from tests.flow.troubles import until, until_all_ended, until_called
from tests.versions import installed
from tests.waiting import wait_until

streamed_or_not = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
ALL_CANCELLED = [
    "invoke_workflow A litespan.outcome=cancelled",
    "  invoke_agent A litespan.outcome=cancelled",
    "    chat gpt-4o-mini litespan.outcome=cancelled",
]


# Before Python 3.11 a task's awaiter gets a new CancelledError without the reason, whoever cancels it.
REASON = r"^enough$" if sys.version_info >= (3, 11) else None


async def cancel_when(ready: Callable[[], Awaitable[object]], agent: Agent[None], *, stream: bool) -> None:
    """Start a run, cancel it once it is where it shall be, and check that its task sees just that."""
    task = asyncio.create_task(run_to_end(agent, stream=stream))
    await ready()
    task.cancel("enough")
    with pytest.raises(asyncio.CancelledError, match=REASON):
        await task
    await until_all_ended()


def assert_no_error(capture: Capture) -> None:
    """Check that no span is an error: the program wanted the end."""
    assert {StatusCode.UNSET} == {span.status.status_code for span in capture.spans}
    assert not any("error.type" in (span.attributes or {}) for span in capture.spans)


def assert_counted(capture: Capture, *, call: str, run: str) -> None:
    """Check the metrics of one run with one call."""
    assert 1 == capture.total("litespan.calls") == capture.total("litespan.calls", litespan__outcome=call)
    assert 1 == capture.total("litespan.runs") == capture.total("litespan.runs", litespan__outcome=run)
    assert 0 == capture.total("litespan.calls.active")


@streamed_or_not
async def test_cancelled_while_waiting_for_the_model(
    provider: Provider, capture: Capture, *, stream: bool
) -> None:
    """A run that is cancelled before the model answers has a cancelled call, agent and root."""
    provider.script("gpt-4o-mini", Reply.hangs())
    agent = Agent[None](name="A", model=litespan_model(provider))

    await cancel_when(lambda: until_called(provider), agent, stream=stream)

    assert ALL_CANCELLED == capture.tree("litespan.outcome").splitlines()
    assert_no_error(capture)
    assert_counted(capture, call="cancelled", run="cancelled")


@streamed_or_not
async def test_cancelled_in_a_tool(provider: Provider, capture: Capture, *, stream: bool) -> None:
    """A run that is cancelled in a tool has a cancelled tool, agent and root; the call before was fine.

    The tool ends after its agent, which counts it all the same.
    """
    started = asyncio.Event()

    @function_tool
    async def wait() -> str:
        started.set()
        await asyncio.Event().wait()
        return "never"

    provider.script("gpt-4o-mini", Reply.calls(ToolCall("wait")))
    agent = Agent[None](name="A", model=litespan_model(provider), tools=[wait])

    await cancel_when(started.wait, agent, stream=stream)

    assert [
        *ALL_CANCELLED[:2],
        "    chat gpt-4o-mini litespan.outcome=ok",
        "    execute_tool wait litespan.outcome=cancelled",
    ] == capture.tree("litespan.outcome").splitlines()
    for name in ("invoke_agent", "invoke_workflow"):
        assert [1] == [(span.attributes or {})["litespan.total.tool_calls"] for span in capture.named(name)]
    assert 1 == capture.total("gen_ai.invoke_agent.tool_calls")
    assert_no_error(capture)
    assert_counted(capture, call="ok", run="cancelled")


async def test_consumer_cancelled_in_mid_stream(provider: Provider, capture: Capture) -> None:
    """A cancelled reader of a stream cancels the run; what had been read is in the call's span."""
    provider.script("gpt-4o-mini", Reply.says("a b c d", pieces=4, stall_after=3))
    reading = asyncio.Event()

    async def consume() -> None:
        agent = Agent[None](name="A", model=litespan_model(provider))
        async for event in Runner.run_streamed(agent, "hi").stream_events():
            if event.type == "raw_response_event":
                reading.set()

    task = asyncio.create_task(consume())
    await reading.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until_all_ended()

    assert ALL_CANCELLED == capture.tree("litespan.outcome").splitlines()
    [call] = capture.named("chat")
    assert "gen_ai.response.time_to_first_chunk" in (call.attributes or {})
    assert "missing" == (call.attributes or {})["litespan.usage.source"]
    assert_no_error(capture)
    assert_counted(capture, call="cancelled", run="cancelled")


@pytest.mark.parametrize(("mode", "outcome"), [("immediate", "cancelled"), ("after_turn", "ok")])
async def test_result_cancel(
    provider: Provider, capture: Capture, mode: Literal["immediate", "after_turn"], outcome: str
) -> None:
    """`result.cancel()` cancels the call in flight; `after_turn` lets it end well."""
    waits = mode == "immediate"
    provider.script("gpt-4o-mini", Reply.says("a b c d", pieces=4, stall_after=3 if waits else None))
    result = Runner.run_streamed(Agent[None](name="A", model=litespan_model(provider)), "hi")

    async for event in result.stream_events():
        if event.type == "raw_response_event":
            result.cancel(mode=mode)
    await until_all_ended()

    expected = [line.replace("cancelled", outcome) for line in ALL_CANCELLED]
    assert expected == capture.tree("litespan.outcome").splitlines()
    assert_no_error(capture)
    assert_counted(capture, call=outcome, run=outcome)


async def test_cancelling_one_run_leaves_another_alone(provider: Provider, capture: Capture) -> None:
    """Of two runs of one agent, only the cancelled one is seen as cancelled."""
    provider.script("gpt-4o-mini", Reply.hangs())
    agent = Agent[None](name="A", model=litespan_model(provider))

    await cancel_when(lambda: until_called(provider), agent, stream=False)
    await Runner.run(agent, "hi")

    outcomes = [(span.attributes or {})["litespan.outcome"] for span in capture.named("invoke_workflow")]
    assert ["cancelled", "ok"] == outcomes


# Everything up to the reason of the finish; then the provider says nothing for a while.
NO_USAGE_YET = Reply.says("a b", pieces=2, stall_after=4)
# LiteLLM from 1.110 on begins with an empty chunk.
BEFORE_THE_FINISH = ["", "a ", "b"] if installed("litellm") >= (1, 110) else ["a ", "b"]


async def test_cancelled_between_finish_and_usage(provider: Provider, capture: Capture) -> None:
    """Who stops waiting for the usage is cancelled at once, and still gets the last chunk if it reads on."""
    provider.default = NO_USAGE_YET
    stream: Any = await litellm.acompletion(**chat(provider, stream=True))
    assert BEFORE_THE_FINISH == [(await anext(stream)).choices[0].delta.content for _ in BEFORE_THE_FINISH]
    last = asyncio.create_task(anext(stream))
    await until(lambda: stream.received_finish_reason)
    last.cancel("enough")
    with pytest.raises(asyncio.CancelledError, match=REASON):
        await last

    assert "stop" == (await anext(stream)).choices[0].finish_reason
    assert "chat gpt-4o-mini litespan.outcome=cancelled" == capture.tree("litespan.outcome")
    assert 1 == capture.total("litespan.calls.usage_missing", reason="cancelled")


def test_interrupted_between_finish_and_usage(provider: Provider, capture: Capture) -> None:
    """The same holds for Ctrl-C in a stream that is read without await."""
    provider.default = NO_USAGE_YET
    stream: Any = litellm.completion(**chat(provider, stream=True))
    assert BEFORE_THE_FINISH == [next(stream).choices[0].delta.content for _ in BEFORE_THE_FINISH]

    def interrupt() -> None:
        wait_until(lambda: stream.received_finish_reason, 5)
        time.sleep(0.3)  # many times what the reader needs from there to its next wait
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        next(stream)

    assert "stop" == next(stream).choices[0].finish_reason
    assert "chat gpt-4o-mini litespan.outcome=cancelled" == capture.tree("litespan.outcome")
    assert 1 == capture.total("litespan.calls.usage_missing", reason="cancelled")
