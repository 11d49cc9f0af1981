"""Several runs inside one `trace()`: each has its number, outcome, time and cost, the root the sum."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import litellm
import pytest
from agents import Agent, RunConfig, Runner, agent_span, custom_span, function_tool, trace
from opentelemetry.instrumentation.utils import suppress_instrumentation

import litespan
from litespan.testing import Capture, Provider, Reply, ServedUsage, ToolCall
from tests.fakes.litellm_calls import chat
from tests.flow.running import run_to_end
from tests.flow.tools import weather

USAGE = ServedUsage(input_tokens=1000, output_tokens=0)
SUMS = ("cost", "input_tokens", "output_tokens", "model_calls", "tool_calls")


def agent(provider: Provider, name: str, price: float, **options: Any) -> Agent[None]:
    """Return an agent whose calls of a thousand tokens cost `price` dollars."""
    model = litespan.LitellmModel(
        f"openai/{name.lower()}", provider.base_url, "k", price={"input": price * 1000, "output": 0}
    )
    return Agent[None](name=name, model=model, **options)


def told(capture: Capture, name: str) -> list[Any]:
    """Return an attribute of each run that the root tells of, in the order in which they ended."""
    [root] = capture.named("invoke_workflow")
    return [(event.attributes or {})[name] for event in root.events if event.name == "litespan.run"]


def root_of(capture: Capture) -> Mapping[str, Any]:
    """Return the attributes of the root."""
    [root] = capture.named("invoke_workflow")
    return root.attributes or {}


@pytest.fixture
def provider_of_a_thousand(provider: Provider) -> Provider:
    """Return a provider whose every answer has a thousand tokens."""
    provider.default = Reply.says("done", usage=USAGE)
    return provider


async def test_runs_one_after_another(provider_of_a_thousand: Provider) -> None:
    """Three runs, one of them with a handoff: spans have their run's number, the root each run's figures."""
    provider = provider_of_a_thousand
    provider.script("triage", Reply.calls(ToolCall("transfer_to_writer"), usage=USAGE))
    writer = agent(provider, "Writer", 4.0)
    with Capture(deterministic=True) as capture:
        with trace("Mine"):
            await Runner.run(agent(provider, "First", 1.0), "hi")
            await Runner.run(agent(provider, "Triage", 2.0, handoffs=[writer]), "hi")
            await Runner.run(agent(provider, "Last", 8.0), "hi")

        assert [
            "invoke_workflow Mine litespan.run.count=3",
            "  invoke_agent First litespan.run=1",
            "    chat first litespan.run=1",
            "  invoke_agent Triage litespan.run=2",
            "    chat triage litespan.run=2",
            "    handoff Triage -> Writer litespan.run=2",
            "  invoke_agent Writer litespan.run=2",
            "    chat writer litespan.run=2",
            "  invoke_agent Last litespan.run=3",
            "    chat last litespan.run=3",
        ] == capture.tree("litespan.run", "litespan.run.count").splitlines()
        assert [1, 2, 3] == told(capture, "litespan.run")
        assert [1.0, 6.0, 8.0] == told(capture, "litespan.total.cost")
        assert ["ok", "ok", "ok"] == told(capture, "litespan.outcome")
        for name in SUMS:
            assert root_of(capture)[f"litespan.total.{name}"] == sum(told(capture, f"litespan.total.{name}"))
        assert 3 == capture.total("litespan.runs") == capture.count("litespan.run.duration")
        assert (3, 15.0) == (capture.count("litespan.run.cost"), capture.total("litespan.run.cost"))


async def test_runs_at_the_same_time(provider_of_a_thousand: Provider) -> None:
    """Runs that overlap keep their spans, calls and costs apart."""
    provider = provider_of_a_thousand
    provider.script("slow", Reply.says("done", usage=USAGE, delay=0.2))
    with Capture() as capture:
        with trace("Mine"):
            await asyncio.gather(
                Runner.run(agent(provider, "Slow", 1.0), "hi"), Runner.run(agent(provider, "Two", 2.0), "hi")
            )

        costs = dict(zip(told(capture, "litespan.run"), told(capture, "litespan.total.cost"), strict=True))
        assert {1: 1.0, 2: 2.0} == costs
        assert 3.0 == root_of(capture)["litespan.total.cost"]
        for number, name in ((1, "slow"), (2, "two")):
            spans = [span for span in capture.spans if span.name.lower().endswith(f" {name}")]
            assert [number, number] == [(span.attributes or {})["litespan.run"] for span in spans]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_second_run_fails(provider_of_a_thousand: Provider, *, stream: bool) -> None:
    """A run that fails is told as failed, those around it are not; its calls cost what they cost."""
    provider = provider_of_a_thousand
    tool = ToolCall("weather", {"city": "Rome"})
    provider.script("second", Reply.calls(tool, usage=USAGE), Reply.fails(400))
    second = agent(provider, "Second", 2.0, tools=[weather])
    with Capture(deterministic=True) as capture:
        with trace("Mine"):
            await Runner.run(agent(provider, "First", 1.0), "hi")
            with pytest.raises(litellm.BadRequestError):
                await run_to_end(second, stream=stream)
            await Runner.run(agent(provider, "Third", 4.0), "hi")

        assert ["ok", "error", "ok"] == told(capture, "litespan.outcome")
        assert [1.0, 2.0, 4.0] == told(capture, "litespan.total.cost")
        [root] = capture.named("invoke_workflow")
        errors = [(event.attributes or {}).get("error.type") for event in root.events]
        assert [None, "litellm.exceptions.BadRequestError", None] == errors
        assert "ok" == root_of(capture)["litespan.outcome"]
        assert 2 == capture.total("litespan.runs", litespan__outcome="ok")
        assert 1 == capture.total("litespan.runs", litespan__outcome="error")
        assert 2.0 == capture.total("litespan.run.cost", litespan__outcome="error")


async def in_a_trace(*agents: Agent[None]) -> None:
    """Run agents one after another inside one trace."""
    with trace("Mine"):
        for one in agents:
            await Runner.run(one, "hi")


async def test_last_run_fails(provider_of_a_thousand: Provider) -> None:
    """What a failing last run raises through the trace is the trace's outcome."""
    provider = provider_of_a_thousand
    provider.script("second", Reply.fails(400))
    with Capture(deterministic=True) as capture:
        with pytest.raises(litellm.BadRequestError):
            await in_a_trace(agent(provider, "First", 1.0), agent(provider, "Second", 2.0))

        assert "error" == root_of(capture)["litespan.outcome"]
        assert ["ok", "error"] == told(capture, "litespan.outcome")


async def test_runs_in_custom_spans(provider_of_a_thousand: Provider) -> None:
    """A run below a span of the program's own is a run like others, and its outcome reaches the root."""
    provider = provider_of_a_thousand
    provider.script("second", Reply.fails(400))
    with Capture(deterministic=True) as capture:
        with trace("Mine"):
            for name in ("First", "Second"):
                with custom_span("step"):
                    await asyncio.gather(Runner.run(agent(provider, name, 1.0), "hi"), return_exceptions=True)

        assert 2 == capture.total("litespan.runs") == root_of(capture)["litespan.run.count"]
        assert ["ok", "error"] == told(capture, "litespan.outcome")
        assert "error" == root_of(capture)["litespan.outcome"]


async def test_agent_as_tool_is_no_run_of_its_own(provider_of_a_thousand: Provider) -> None:
    """A run that a tool starts belongs to the run around it, in number, cost and count."""
    provider = provider_of_a_thousand
    provider.script("boss", Reply.calls(ToolCall("ask", {"input": "x"}), usage=USAGE))
    expert = agent(provider, "Expert", 4.0).as_tool("ask", "Ask.")
    with Capture(deterministic=True) as capture:
        with trace("Mine"):
            await Runner.run(agent(provider, "Boss", 1.0, tools=[expert]), "hi")
            await Runner.run(agent(provider, "Other", 2.0), "hi")

        assert [6.0, 2.0] == told(capture, "litespan.total.cost")
        assert [1] == [(span.attributes or {})["litespan.run"] for span in capture.named("chat expert")]
        assert 2 == capture.total("litespan.runs") == root_of(capture)["litespan.run.count"]


async def test_a_trace_of_one_run_has_no_list(provider_of_a_thousand: Provider) -> None:
    """Where a trace holds one run, the root's own figures are the run's."""
    with Capture() as capture:
        await Runner.run(agent(provider_of_a_thousand, "First", 1.0), "hi")

        [root] = capture.named("invoke_workflow")
        assert () == root.events
        assert (1, 1.0) == (root_of(capture)["litespan.run.count"], root_of(capture)["litespan.total.cost"])
        assert 1.0 == capture.total("litespan.run.cost")


async def test_a_trace_without_runs_stands_for_its_run(provider_of_a_thousand: Provider) -> None:
    """Where the program opens its spans itself, and none is of a run, the trace is counted as one."""
    with Capture() as capture:
        with trace("Mine"), agent_span("First"):
            await litellm.acompletion(**chat(provider_of_a_thousand))

        assert 1 == capture.total("litespan.runs", **{"gen_ai.workflow.name": "Mine"})
        assert 1 == capture.count("litespan.run.duration")


async def test_turn_spans_show_runs_as_spans(provider_of_a_thousand: Provider) -> None:
    """With `turn_spans` each run is a span with its own time, outcome and sums."""
    provider = provider_of_a_thousand
    with Capture(deterministic=True, turn_spans=True) as capture:
        with trace("Mine"):
            await Runner.run(agent(provider, "First", 1.0), "hi")
            await Runner.run(agent(provider, "Second", 2.0), "hi", run_config=RunConfig(workflow_name="Two"))

        tasks = capture.named("task")
        assert ["task Agent workflow", "task Two"] == [span.name for span in tasks]
        shown = ("litespan.run", "litespan.total.cost", "litespan.total.model_calls", "litespan.outcome")
        figures = [tuple((span.attributes or {})[name] for name in shown) for span in tasks]
        assert [(1, 1.0, 1, "ok"), (2, 2.0, 1, "ok")] == figures


async def test_unknown_price_of_a_run_is_not_zero(provider_of_a_thousand: Provider) -> None:
    """A run without a known price has no cost in its figures and none in the histogram."""
    provider = provider_of_a_thousand
    private = litespan.LitellmModel("openai/my-own-model", provider.base_url, "k")
    with Capture() as capture:
        with trace("Mine"):
            await Runner.run(agent(provider, "First", 1.0), "hi")
            await Runner.run(Agent[None](name="Private", model=private), "hi")

        [root] = capture.named("invoke_workflow")
        costs = [(event.attributes or {}).get("litespan.total.cost") for event in root.events]
        assert [1.0, None] == costs
        assert 1 == capture.count("litespan.run.cost")


async def test_the_list_is_bounded(provider_of_a_thousand: Provider) -> None:
    """A root tells of the first hundred runs that ended, and counts all of them."""
    one = agent(provider_of_a_thousand, "First", 1.0)
    with Capture() as capture:
        with trace("Mine"):
            for _ in range(11):
                await asyncio.gather(*(Runner.run(one, "hi") for _ in range(10)))

        assert 100 == len(told(capture, "litespan.run"))
        assert 110 == root_of(capture)["litespan.run.count"] == capture.total("litespan.runs")
        assert 110.0 == root_of(capture)["litespan.total.cost"]


async def test_a_trace_inside_a_tool(provider_of_a_thousand: Provider) -> None:
    """A tool's run in a trace of its own is below the tool, and in the figures of the outer one."""
    provider = provider_of_a_thousand

    @function_tool
    async def ask() -> str:
        with trace("Inner"):
            return str((await Runner.run(agent(provider, "Inner", 4.0), "hi")).final_output)

    provider.script("outer", Reply.calls(ToolCall("ask"), usage=USAGE))
    with Capture(deterministic=True) as capture:
        await Runner.run(agent(provider, "Outer", 1.0, tools=[ask]), "hi")

    assert [
        "invoke_workflow Outer litespan.total.cost=6.0",
        "  invoke_agent Outer litespan.total.cost=2.0",
        "    chat outer",
        "    execute_tool ask",
        "      invoke_workflow Inner",
        "      invoke_agent Inner litespan.total.cost=4.0",
        "        chat inner",
        "    chat outer",
    ] == capture.tree("litespan.total.cost").splitlines()


@pytest.mark.parametrize("traces_between", [0, 300], ids=["at once", "much later"])
async def test_a_run_that_waited_for_an_approval(
    provider_of_a_thousand: Provider, caplog: pytest.LogCaptureFixture, traces_between: int
) -> None:
    """A run goes on in its trace below a root of its own, which has the figures of what came later."""
    provider = provider_of_a_thousand
    provider.script("first", Reply.calls(ToolCall("remove", {"path": "x"}), usage=USAGE))

    @function_tool(needs_approval=True)
    def remove(path: str) -> str:
        return f"removed {path}"

    first = agent(provider, "First", 1.0, tools=[remove])
    with Capture() as capture:
        asked = await Runner.run(first, "hi")
        before = len(capture.spans)
        for _ in range(traces_between):
            with trace("Other"):
                pass
        state = asked.to_state()
        state.approve(asked.interruptions[0])
        await Runner.run(first, state)
        later = [span for span in capture.spans[before:] if not span.name.endswith("Other")]

    [root] = [span for span in later if span.name.startswith("invoke_workflow")]
    assert {"invoke_workflow First", "invoke_agent First", "execute_tool remove", "chat first"} == {
        span.name for span in later
    }
    assert {root.context.trace_id} == {span.context.trace_id for span in later}
    assert (root.parent is None) == bool(traces_between)
    assert (1.0, "ok") == tuple(
        (root.attributes or {})[name] for name in ("litespan.total.cost", "litespan.outcome")
    )
    assert 2.0 == capture.total("litespan.run.cost") == capture.total("litespan.cost")
    assert 2 == capture.total("litespan.runs")
    assert 0 == litespan.stats()["records_open"]
    assert [] == caplog.records


async def test_a_trace_without_agents_is_no_run(provider_of_a_thousand: Provider) -> None:
    """A trace around nothing, or around calls of the program's own, counts no run; its sums are there."""
    with Capture() as capture:
        with trace("Mine"):
            await litellm.acompletion(**chat(provider_of_a_thousand))

        assert (0, 1000) == tuple(
            root_of(capture)[name] for name in ("litespan.run.count", "litespan.total.input_tokens")
        )
        assert 0 == capture.total("litespan.runs")


async def test_suppressed_runs_are_not_seen(provider_of_a_thousand: Provider) -> None:
    """Where the program suppresses instrumentation there is no span and no measurement, of agents neither."""
    provider = provider_of_a_thousand

    @function_tool
    async def quietly() -> str:
        with suppress_instrumentation():
            await Runner.run(agent(provider, "Inner", 1.0), "hi")
        return "done"

    provider.script("outer", Reply.calls(ToolCall("quietly"), usage=USAGE))
    with Capture() as capture:
        with suppress_instrumentation():
            await Runner.run(agent(provider, "Inner", 1.0), "hi")

        assert "" == capture.tree()
        assert 0 == capture.total("litespan.runs")
        await Runner.run(agent(provider, "Outer", 1.0, tools=[quietly]), "hi")

    assert [
        "invoke_workflow Outer",
        "  invoke_agent Outer",
        "    chat outer",
        "    execute_tool quietly",
        "    chat outer",
    ] == capture.tree().splitlines()
    assert 1 == capture.total("litespan.runs")


def asking(
    provider: Provider, name: str, tool: Callable[[], Awaitable[str]] | None = None, *others: Any
) -> Agent[None]:
    """Return an agent whose tool `go` needs an approval; that and the others are called once."""

    @function_tool(needs_approval=True)
    async def go() -> str:
        return "gone" if tool is None else await tool()

    calls = [ToolCall(each.name) for each in (*others, go)]
    provider.script(name.lower(), Reply.calls(*calls, usage=USAGE))
    return agent(provider, name, 1.0, tools=[go, *others])


def approved(asked: Any) -> Any:
    """Return the state in which a run goes on."""
    state = asked.to_state()
    for interruption in asked.interruptions:
        state.approve(interruption)
    return state


async def test_runs_that_go_on_side_by_side(provider_of_a_thousand: Provider) -> None:
    """The root of two resumed runs ends with the last of them; a flush between them cuts nothing off."""
    over = asyncio.Event()

    async def waits() -> str:
        await over.wait()
        return "done"

    provider = provider_of_a_thousand
    quick, slow = asking(provider, "Quick"), asking(provider, "Slow", waits)
    with Capture() as capture:
        with trace("Mine"):
            asked = [await Runner.run(each, "hi") for each in (quick, slow)]
        running = asyncio.create_task(Runner.run(slow, approved(asked[1])))
        await asyncio.sleep(0)
        await Runner.run(quick, approved(asked[0]))
        litespan.flush()
        over.set()
        await running

    outcomes = [(span.attributes or {})["litespan.outcome"] for span in capture.spans]
    assert {"ok"} == set(outcomes)
    totals = [(root.attributes or {})["litespan.total.cost"] for root in capture.named("invoke_workflow")]
    assert [2.0, 2.0] == totals


async def test_a_run_goes_on_while_its_trace_waits(provider_of_a_thousand: Provider) -> None:
    """A trace that waits for a call of its own goes on with the run: there is one root, with all of it."""
    provider = provider_of_a_thousand
    answered = asyncio.Event()
    provider.script("background", Reply.says("late", delay=0.5, usage=USAGE))
    tasks = []

    async def summarise() -> None:
        await litellm.acompletion(**{**chat(provider), "model": "openai/background"})
        answered.set()

    async def waits() -> str:
        await answered.wait()
        litespan.flush()
        return "done"

    @function_tool
    async def note() -> str:
        tasks.append(asyncio.create_task(summarise()))
        return "noted"

    first = asking(provider, "First", waits, note)
    with Capture() as capture:
        asked = await Runner.run(first, "hi")
        await Runner.run(first, approved(asked))
        await asyncio.gather(*tasks)

    assert {"ok"} == {(span.attributes or {})["litespan.outcome"] for span in capture.spans}
    [root] = capture.named("invoke_workflow")
    assert capture.total("litespan.calls") == len(capture.named("chat"))
    assert 1000 * len(capture.named("chat")) == (root.attributes or {})["litespan.total.input_tokens"]


async def test_parts_of_a_run_stand_side_by_side(provider_of_a_thousand: Provider) -> None:
    """However often a run waits for an approval, all its parts are below its first root."""
    provider = provider_of_a_thousand
    first = asking(provider, "First")
    provider.script("first", *[Reply.calls(ToolCall("go"), usage=USAGE)] * 3)
    with Capture() as capture:
        asked = await Runner.run(first, "hi")
        while asked.interruptions:
            asked = await Runner.run(first, approved(asked))

    root, *later = sorted(capture.named("invoke_workflow"), key=lambda span: span.start_time or 0)
    assert len(later) > 2
    assert {root.context.span_id} == {span.parent.span_id for span in later if span.parent}


async def test_a_suppressed_run_that_fails_is_not_seen(provider: Provider) -> None:
    """A call that fails where instrumentation is suppressed is not taken for one that was never sent."""
    provider.default = Reply.fails(400)
    with Capture() as capture, trace("Mine"), suppress_instrumentation():
        await asyncio.gather(Runner.run(agent(provider, "First", 1.0), "hi"), return_exceptions=True)

    assert "invoke_workflow Mine" == capture.tree()
