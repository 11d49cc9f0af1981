"""Names and ids: what a span is called, and how it is found from the Agents SDK's side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from agents import Agent, RunConfig, Runner, add_trace_processor, set_trace_processors, trace
from agents.tracing import TracingProcessor

from litespan.sources.agents_install import registered
from litespan.testing import Capture, Provider, Reply
from tests.flow.models import litespan_model
from tests.flow.running import run_to_end
from tests.flow.team import TRIAGE, build_team, play, run_team


class Watcher(TracingProcessor):
    """Another processor of the program, that remembers what the Agents SDK gives it."""

    def __init__(self) -> None:
        self.traces: list[Any] = []
        self.spans: list[Any] = []
        self.configs_at_end: list[dict[str, Any]] = []

    def on_trace_start(self, trace: Any) -> None:
        """Remember it."""
        self.traces.append(trace)

    def on_trace_end(self, trace: Any) -> None:
        """Ignore it."""

    def on_span_start(self, span: Any) -> None:
        """Remember it."""
        self.spans.append(span)

    def on_span_end(self, span: Any) -> None:
        """Remember what the configuration of a generation holds by then."""
        if span.span_data.type == "generation":
            self.configs_at_end.append(dict(span.span_data.model_config))

    def shutdown(self) -> None:
        """Ignore it."""

    def force_flush(self) -> None:
        """Ignore it."""


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    """Register another processor before litespan comes."""
    before = registered() or ()
    watching = Watcher()
    add_trace_processor(watching)
    yield watching
    set_trace_processors(list(before))


def attribute(capture: Capture, start: str, name: str) -> list[Any]:
    """Return an attribute of the spans whose name starts so."""
    return [(span.attributes or {}).get(name) for span in capture.named(start)]


async def run(provider: Provider, name: str = "A", **config: Any) -> None:
    """Run an agent."""
    agent = Agent[None](name=name, model=litespan_model(provider))
    await Runner.run(agent, "hi", run_config=RunConfig(**config))


async def test_default_workflow_is_named_after_the_first_agent(provider: Provider) -> None:
    """With the SDK's default workflow name, the root is named after the agent and has no workflow name."""
    with Capture() as capture:
        await run(provider, "Helper")

        assert ["invoke_workflow Helper"] == [span.name for span in capture.named("invoke_workflow")]
        assert [None] == attribute(capture, "invoke_workflow", "gen_ai.workflow.name")
        assert [None] == attribute(capture, "chat", "gen_ai.workflow.name")
        assert ["Helper"] == attribute(capture, "chat", "gen_ai.agent.name")


@pytest.mark.parametrize("by_hand", [False, True])
async def test_workflow_has_the_name_it_was_given(provider: Provider, *, by_hand: bool) -> None:
    """The name of a run or of a trace around it names the root and is on agents, calls and metrics."""
    with Capture() as capture:
        if by_hand:
            with trace("My flow"):
                await run(provider)
        else:
            await run(provider, workflow_name="My flow")

        assert ["invoke_workflow My flow"] == [span.name for span in capture.named("invoke_workflow")]
        for start in ("invoke_workflow", "invoke_agent", "chat"):
            assert ["My flow"] == attribute(capture, start, "gen_ai.workflow.name")
        assert 1 == capture.total("litespan.runs", gen_ai__workflow__name="My flow")
        assert 1 == capture.total("litespan.calls", gen_ai__workflow__name="My flow")


async def test_trace_may_hold_several_runs(provider: Provider) -> None:
    """Two runs inside one `trace()` are two agents under one root, and count as two runs."""
    with Capture(deterministic=True) as capture:
        with trace("My flow"):
            await run(provider, "First")
            await run(provider, "Second")

        assert [
            "invoke_workflow My flow",
            "  invoke_agent First",
            "    chat gpt-4o-mini",
            "  invoke_agent Second",
            "    chat gpt-4o-mini",
        ] == capture.tree().splitlines()
        assert 2 == capture.total("litespan.runs")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"group_id": "g-1"}, "g-1"),
        ({"trace_metadata": {"conversation_id": "c-1"}}, "c-1"),
        ({"trace_metadata": {"session_id": "s-1"}}, "s-1"),
        ({"trace_metadata": {"thread_id": "t-1"}}, "t-1"),
        ({"group_id": "g-1", "trace_metadata": {"conversation_id": "c-1"}}, "g-1"),
        ({"trace_metadata": {"other": "x"}}, None),
    ],
)
async def test_conversation_id(provider: Provider, config: dict[str, Any], expected: str | None) -> None:
    """The group id of a run, else an id in its metadata, is the conversation of root, agent and calls."""
    with Capture() as capture:
        await run(provider, **config)

        for start in ("invoke_workflow", "invoke_agent", "chat"):
            assert [expected] == attribute(capture, start, "gen_ai.conversation.id")


async def test_handoff_names_and_tool_call_ids(provider: Provider) -> None:
    """A handoff names both agents, in span and metric; each tool has the id that the model gave its call."""
    provider.respond = play
    with Capture(deterministic=True) as capture:
        await run_team(build_team(lambda name: litespan_model(provider, name)), 1)

        [handoff] = capture.named("handoff")
        assert "handoff Triage -> Writer" == handoff.name
        assert "Triage" == (handoff.attributes or {})["gen_ai.agent.handoff.source.name"]
        assert "Writer" == (handoff.attributes or {})["gen_ai.agent.handoff.target.name"]
        [point] = capture.points("litespan.handoffs")
        assert ["Triage", "Writer"] == sorted((point.attributes or {}).values())
        ids = attribute(capture, "execute_tool", "gen_ai.tool.call.id")
        assert ["weather_1", "clock_1", "expert_1"] == ids


async def test_spans_carry_the_ids_of_the_agents_sdk(provider: Provider, watcher: Watcher) -> None:
    """Each span names the SDK's trace and span that it stands for, calls the SDK's generation span."""
    provider.respond = play
    with Capture(deterministic=True) as capture:
        await run_team(build_team(lambda name: litespan_model(provider, name)), 1)

        folded = ("task", "turn")
        theirs = {s.span_id: s for s in watcher.spans if s.span_data.type not in folded}
        ours = {(s.attributes or {}).get("openai_agents.span_id"): s for s in capture.spans}
        assert {*theirs, None} == set(ours)
        assert ours[None].name.startswith("invoke_workflow")
        [sdk_trace] = watcher.traces
        assert {sdk_trace.trace_id} == {(s.attributes or {})["openai_agents.trace_id"] for s in capture.spans}
        kinds = {"generation": "chat", "agent": "invoke_agent", "function": "execute_tool"}
        for span_id, span in theirs.items():
            kind = span.span_data.type
            assert ours[span_id].name.startswith(kinds.get(kind, kind))


@pytest.mark.parametrize("stream", [False, True])
async def test_generation_span_knows_cost_and_first_chunk(
    provider: Provider, watcher: Watcher, *, stream: bool
) -> None:
    """Other processors find cost and time to first chunk in the generation span when it ends."""
    provider.script(TRIAGE, Reply.says("ok"))
    with Capture(deterministic=True) as capture:
        agent = Agent[None](name="A", model=litespan_model(provider, TRIAGE))
        await run_to_end(agent, stream=stream)

        [config] = watcher.configs_at_end
        [call] = capture.named("chat")
        attributes = call.attributes or {}
        assert attributes["gen_ai.usage.cost.amount"] == config["litespan"]["cost"] > 0
        assert "USD" == config["litespan"]["currency"]
        first_chunk = config["litespan"].get("time_to_first_chunk")
        assert attributes.get("gen_ai.response.time_to_first_chunk") == first_chunk
        assert stream is (first_chunk is not None)
