"""Ends in any order: loops that close early, traces that end before their spans, flushes in between."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import itertools
import threading
import time

import litellm
import pytest
from agents import Agent, Runner, agent_span, custom_span, function_tool, trace

import litespan
from litespan import _api, recorder, semconv, table
from litespan.testing import Capture, Provider, Reply, ServedUsage, ToolCall
from tests.fakes.litellm_calls import chat
from tests.flow.models import litespan_model
from tests.flow.running import run_to_end
from tests.flow.troubles import until_all_ended, until_called


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_loop_closed_with_its_tasks_inside(provider: Provider, capture: Capture, *, stream: bool) -> None:
    """What the host never ends is ended by shutdown, as cancelled, in its place."""
    provider.script("gpt-4o-mini", Reply.hangs())
    agent = Agent[None](name="A", model=litespan_model(provider))
    loop = asyncio.new_event_loop()
    tasks = [loop.create_task(run_to_end(agent, stream=stream))]
    loop.run_until_complete(until_called(provider))
    loop.close()

    assert litespan.stats()["records_open"] > 0
    litespan.flush()
    assert "" == capture.tree()
    litespan.shutdown()

    assert [
        "invoke_workflow A litespan.outcome=cancelled",
        "  invoke_agent A litespan.outcome=cancelled",
        "    chat gpt-4o-mini litespan.outcome=cancelled",
    ] == capture.tree("litespan.outcome").splitlines()
    assert 0 == litespan.stats()["records_open"]
    assert 1 == capture.total("litespan.runs", litespan__outcome="cancelled")
    assert 1 == capture.total("litespan.calls", litespan__outcome="cancelled")
    assert 0 == capture.total("litespan.calls.active")
    assert not tasks[0].done()
    # Let the task go here: its coroutines are closed by the garbage collector.
    tasks.clear()
    gc.collect()
    assert 3 == len(capture.spans)


async def test_a_clock_that_is_set_back(
    provider: Provider, capture: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing ends before it began, and no answer comes before it was asked for: backends count unsigned."""
    now = time.time_ns()
    back = itertools.count(now, -(10**9))
    monkeypatch.setattr(_api._installed.recorder, "clock", lambda: next(back))  # type: ignore[union-attr]
    agent = Agent[None](name="A", model=litespan_model(provider))
    for stream in (False, True):
        await run_to_end(agent, stream=stream)

    assert 6 == len(capture.spans)
    assert {0} == {(span.end_time or 0) - (span.start_time or 0) for span in capture.spans}
    assert [0.0] == [
        (span.attributes or {})[semconv.RESPONSE_TIME_TO_FIRST_CHUNK]
        for span in capture.named("chat")
        if (span.attributes or {}).get(semconv.REQUEST_STREAM)
    ]


def test_trace_that_ends_before_its_spans(capture: Capture) -> None:
    """A root waits for the spans in it, and ends as late as the last of them."""
    mine = trace("Mine")
    mine.start()
    agent = agent_span("A", parent=mine)
    agent.start()
    step = custom_span("work", parent=agent)
    step.start()
    mine.finish()
    assert 0 == len(capture.spans)
    agent.finish()
    step.finish()

    assert "invoke_workflow Mine\n  invoke_agent A\n    custom work" == capture.tree()
    ends = {span.name: span.end_time or 0 for span in capture.spans}
    assert ends["invoke_workflow Mine"] == ends["custom work"] == max(ends.values())
    assert 0 == litespan.stats()["records_open"]


def test_span_that_begins_after_its_trace_has_ended(capture: Capture) -> None:
    """A late span is below its own parent all the same."""
    mine = trace("Mine")
    mine.start()
    agent = agent_span("A", parent=mine)
    agent.start()
    mine.finish()
    with custom_span("late", parent=agent):
        pass
    agent.finish()

    assert "invoke_workflow Mine\n  invoke_agent A\n    custom late" == capture.tree()


def test_trace_that_ends_after_its_spans(capture: Capture) -> None:
    """A root whose spans have all ended ends with its trace."""
    with trace("Mine"), agent_span("A"):
        pass

    [root], [agent] = capture.named("invoke_workflow"), capture.named("invoke_agent")
    assert (root.end_time or 0) > (agent.end_time or 0)


def test_flush_closes_an_ended_trace_at_its_end(capture: Capture) -> None:
    """Spans that never end are closed by flush once their trace has ended, and not a moment later than it."""
    mine = trace("Mine")
    mine.start()
    # In a context of its own: what is never ended stays current in the context that began it.
    contextvars.copy_context().run(agent_span("A", parent=mine).start)
    mine.finish()
    assert 2 == litespan.stats()["records_open"]
    litespan.flush()

    assert 0 == litespan.stats()["records_open"]
    [root], [agent] = capture.named("invoke_workflow"), capture.named("invoke_agent")
    assert root.end_time == agent.end_time
    assert "cancelled" == (agent.attributes or {})["litespan.outcome"]


async def test_calls_that_never_end_are_counted_as_lost(
    provider: Provider, capture: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest of too many hanging calls is abandoned; stats and metrics count it by reason."""
    monkeypatch.setattr(table, "MAX_RECORDS", 2)
    provider.script("*", *[Reply.hangs()] * 3)
    hanging = [asyncio.create_task(litellm.acompletion(**chat(provider))) for _ in range(3)]
    await until_called(provider, 3)

    running = litespan.stats()
    assert {"too_many_open": 1} == running["records_dropped"]
    assert 2 == litespan.stats()["records_open"]
    assert 1 == capture.total("litespan.dropped", signal="records", reason="too_many_open")
    [given_up] = capture.spans
    assert "abandoned" == (given_up.attributes or {})["litespan.outcome"]
    for task in hanging:
        task.cancel()
    await asyncio.wait(hanging)
    litespan.uninstrument()

    # A program that asks when all is over finds the same keys, and what was lost.
    assert running.keys() == litespan.stats().keys()
    assert {"too_many_open": 1} == litespan.stats()["records_dropped"]
    assert (3, 0) == (len(capture.spans), litespan.stats()["records_open"])


async def test_flush_closes_no_live_run(provider: Provider, capture: Capture) -> None:
    """A flush while runs wait for a model, stream, or work in a tool ends none of their spans."""
    in_tool, go_on = asyncio.Event(), asyncio.Event()

    @function_tool
    async def wait() -> str:
        in_tool.set()
        await go_on.wait()
        return "waited"

    provider.script("gpt-4o", Reply.calls(ToolCall("wait")))
    provider.script("gpt-4.1", Reply.hangs())
    provider.script("gpt-4o-mini", Reply.says("a b c d", pieces=4, stall_after=3))
    tasks = [
        asyncio.create_task(run_to_end(Agent[None](name=name, model=model, tools=[wait]), stream=stream))
        for name, model, stream in (
            ("Tool", litespan_model(provider, "gpt-4o"), False),
            ("Waiting", litespan_model(provider, "gpt-4.1"), False),
            ("Streaming", litespan_model(provider, "gpt-4o-mini"), True),
        )
    ]
    await in_tool.wait()
    await until_called(provider, 3)
    open_before = litespan.stats()["records_open"]

    litespan.flush()

    assert ["chat gpt-4o"] == [span.name for span in capture.spans]
    assert open_before == litespan.stats()["records_open"]
    go_on.set()
    await tasks[0]
    assert {"ok"} == {(span.attributes or {})["litespan.outcome"] for span in capture.spans}
    assert ["invoke_workflow Tool"] == [span.name for span in capture.named("invoke_workflow")]
    for task in tasks[1:]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await until_all_ended()
    assert 3 == len(capture.named("invoke_workflow"))


def test_spans_may_end_in_another_thread(capture: Capture) -> None:
    """A span that the program finishes in another thread ends there, without a complaint."""

    def work() -> None:
        with trace("Mine"):
            agent = agent_span("A")
            agent.start(mark_as_current=True)
            thread = threading.Thread(target=agent.finish)
            thread.start()
            thread.join()

    contextvars.copy_context().run(work)

    assert "invoke_workflow Mine\n  invoke_agent A" == capture.tree()


async def test_shutdown_ends_a_stream_that_is_still_held(provider: Provider, capture: Capture) -> None:
    """Shutdown ends a held stream with what had arrived; reading on afterwards works and counts no more."""
    provider.script("gpt-4o-mini", Reply.says("a b c d", pieces=4))
    stream = await litellm.acompletion(**chat(provider, stream=True))
    first = await anext(stream)
    litespan.shutdown()

    assert 1 == len(capture.spans)
    rest = [chunk async for chunk in stream]

    assert first.choices
    assert rest[-1].choices[0].finish_reason == "stop"
    assert 1 == len(capture.spans)
    assert 1 == capture.total("litespan.calls")


@pytest.mark.parametrize("what", ["sweep", "flush"])
async def test_a_call_that_outlives_its_trace_is_paid(
    provider: Provider, capture: Capture, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """However late the answer of a call comes, it is counted, and the root waits for it."""
    monkeypatch.setattr(recorder, "GRACE", 0.0)
    monkeypatch.setattr(recorder, "SWEEP_INTERVAL", 0.0)
    provider.script("gpt-4o-mini", Reply.says("late", delay=0.5, usage=ServedUsage(input_tokens=5000)))
    with trace("Mine"):
        agent = Agent(name="Helper", model=litespan_model(provider))
        running = asyncio.create_task(Runner.run(agent, "Hi"))
        await until_called(provider, 1)
    if what == "flush":
        litespan.flush()
    else:
        with trace("Other"):
            pass
    await running

    assert [5000] == [(span.attributes or {})["gen_ai.usage.input_tokens"] for span in capture.named("chat")]
    root = next(span for span in capture.named("invoke_workflow") if span.name.endswith("Mine"))
    assert (5000, "ok") == tuple(
        (root.attributes or {})[name] for name in ("litespan.total.input_tokens", "litespan.outcome")
    )
    assert 5000 == capture.total("gen_ai.client.inference.usage.input_tokens")


async def test_calls_that_go_on_for_ever_hold_no_root(provider: Provider, capture: Capture) -> None:
    """What a task calls after its trace has ended ends by itself, and the root is told meanwhile."""
    provider.default = Reply.says("ok", delay=0.3)

    async def works(calls: int) -> None:
        for _ in range(calls):
            await litellm.acompletion(**chat(provider))

    with trace("Mine"):
        tasks = [asyncio.create_task(works(2))]
        await until_called(provider, 1)
    await until_called(provider, 2)
    litespan.flush()
    assert 1 == len(capture.named("invoke_workflow"))
    await asyncio.gather(*tasks)

    assert 2 == capture.total("litespan.calls", litespan__outcome="ok") == capture.total("litespan.calls")
