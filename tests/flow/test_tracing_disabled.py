"""The Agents SDK's tracing switched off: there is no tree, but no call is lost."""

from __future__ import annotations

import asyncio
import logging

import pytest
from agents import Agent, RunConfig, Runner

from litespan.testing import Capture, Provider, Reply, ToolCall
from tests.flow.models import WAYS, litespan_model, model_maker
from tests.flow.running import run_to_end
from tests.flow.team import MODEL_CALLS, build_team, fails_at_first, play, run_team

RUNS = 6


def off_warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return litespan's warnings so far that name the SDK's switch."""
    records = [r for r in caplog.records if r.name == "litespan" and r.levelno == logging.WARNING]
    return [r.getMessage() for r in records if "set_tracing_disabled(True)" in r.getMessage()]


async def run_teams(
    provider: Provider, way: str, patch: pytest.MonkeyPatch, *, disabled: bool = False
) -> None:
    """Run the team a few times at once."""
    provider.respond = play
    team = build_team(model_maker(way, provider, patch))
    await asyncio.gather(*(run_team(team, number, tracing_disabled=disabled) for number in range(RUNS)))


def assert_calls_alone(capture: Capture, provider: Provider) -> None:
    """Check that each call has a span under the span `request` and is counted, and nothing else has."""
    [request] = [span for span in capture.spans if span.name == "request"]
    others = [span for span in capture.spans if span is not request]

    assert RUNS * MODEL_CALLS == len(others) == capture.total("litespan.calls")
    assert {"chat gpt-4o-mini", "chat gpt-4o", "chat gpt-4.1"} == {span.name for span in others}
    assert {request.context.span_id} == {span.parent.span_id for span in others if span.parent}
    assert len(others) == sum(span.parent is not None for span in others)
    retried = sum(map(fails_at_first, range(RUNS)))
    assert len(others) + retried == provider.calls_served() == capture.total("litespan.call.attempts")
    assert provider.delivered().output_tokens == capture.total("gen_ai.client.inference.usage.output_tokens")


@pytest.mark.parametrize("way", WAYS)
async def test_off_globally_keeps_the_calls(
    way: str,
    provider: Provider,
    agents_tracing_disabled: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With tracing off globally, calls stand under the ambient span, and one warning names the flag."""
    with Capture() as capture:
        with capture.tracer_provider.get_tracer("app").start_as_current_span("request"):
            await run_teams(provider, way, monkeypatch)
        assert_calls_alone(capture, provider)

    assert 1 == len(off_warnings(caplog))
    assert "enable_agents_tracing=True" in off_warnings(caplog)[0]


async def test_off_for_a_run_keeps_the_calls(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With tracing off for a run, calls stand under the ambient span; that choice earns no warning."""
    with Capture() as capture:
        with capture.tracer_provider.get_tracer("app").start_as_current_span("request"):
            await run_teams(provider, "litespan model", monkeypatch, disabled=True)
        assert_calls_alone(capture, provider)

    assert [] == off_warnings(caplog)


async def test_calls_without_an_ambient_span_are_roots(
    provider: Provider, agents_tracing_disabled: None
) -> None:
    """With tracing off and no span around it, each call is a trace of its own."""
    with Capture() as capture:
        agent = Agent(name="A", model=litespan_model(provider))
        await Runner.run(agent, "hi")
        await Runner.run(agent, "hi")

        assert ["chat gpt-4o-mini"] * 2 == capture.tree().splitlines()
        assert 2 == len({span.context.trace_id for span in capture.spans})


async def test_litespan_can_switch_it_on_again(
    provider: Provider, agents_tracing_disabled: None, caplog: pytest.LogCaptureFixture
) -> None:
    """The setting enable_agents_tracing clears the global flag, and there is nothing to warn of."""
    with Capture(enable_agents_tracing=True) as capture:
        await Runner.run(Agent(name="A", model=litespan_model(provider)), "hi")

        assert "invoke_workflow A\n  invoke_agent A\n    chat gpt-4o-mini" == capture.tree()
    assert [] == off_warnings(caplog)


async def test_switching_on_spares_what_a_run_switched_off(
    provider: Provider, agents_tracing_disabled: None
) -> None:
    """The setting enable_agents_tracing never overrules a run that switched its own tracing off."""
    with Capture(enable_agents_tracing=True) as capture:
        agent = Agent(name="A", model=litespan_model(provider))
        await Runner.run(agent, "hi", run_config=RunConfig(tracing_disabled=True))

        assert "chat gpt-4o-mini" == capture.tree()


@pytest.mark.parametrize("stream", [False, True])
async def test_off_for_a_run_inside_another(provider: Provider, *, stream: bool) -> None:
    """A call of a tool's run without tracing stands below that tool, and is in the sums above it."""
    inner = Agent(name="Inner", model=litespan_model(provider, "gpt-4o"))
    tool = inner.as_tool("ask", "Ask.", run_config=RunConfig(tracing_disabled=True))
    outer = Agent(name="Outer", model=litespan_model(provider), tools=[tool])
    provider.script("gpt-4o-mini", Reply.calls(ToolCall("ask", {"input": "hi"})))
    with Capture() as capture:
        await run_to_end(outer, stream=stream)

        assert "      chat gpt-4o litespan.run=1" in capture.tree("litespan.run").splitlines()
        for name in ("invoke_agent", "invoke_workflow"):
            [span] = capture.named(name)
            attributes = span.attributes or {}
            assert 3 == attributes["litespan.total.model_calls"]
            assert provider.delivered().input_tokens == attributes["litespan.total.input_tokens"]


@pytest.mark.parametrize("globally", [True, False])
async def test_litespan_can_follow_the_switch(
    provider: Provider, request: pytest.FixtureRequest, *, globally: bool
) -> None:
    """The setting follow_agents_tracing hides the calls of runs without tracing, in spans and metrics."""
    if globally:
        request.getfixturevalue("agents_tracing_disabled")
    with Capture(follow_agents_tracing=True) as capture:
        agent = Agent(name="A", model=litespan_model(provider))
        await Runner.run(agent, "hi", run_config=RunConfig(tracing_disabled=not globally))

        assert 1 == provider.calls_served()
        assert "" == capture.tree()
        assert 0 == capture.total("litespan.calls")


async def test_following_sees_runs_with_tracing(provider: Provider) -> None:
    """The setting follow_agents_tracing hides nothing of a run whose tracing is on."""
    with Capture(follow_agents_tracing=True) as capture:
        await Runner.run(Agent(name="A", model=litespan_model(provider)), "hi")

        assert 1 == capture.total("litespan.calls")


@pytest.mark.parametrize("globally", [True, False])
async def test_no_content_where_nobody_says_that_it_is_allowed(
    provider: Provider, request: pytest.FixtureRequest, *, globally: bool
) -> None:
    """Without its tracing the SDK does not tell whether a run forbids content, so none is kept."""
    if globally:
        request.getfixturevalue("agents_tracing_disabled")
    config = RunConfig(tracing_disabled=not globally, trace_include_sensitive_data=False)
    with Capture(capture_content="SPAN_ONLY") as capture:
        agent = Agent(name="A", model=litespan_model(provider))
        for stream in (False, True):
            await run_to_end(agent, "my diagnosis", stream=stream, run_config=config)

        assert 2 == capture.total("litespan.calls")
        assert "diagnosis" not in str([dict(span.attributes or {}) for span in capture.spans])
