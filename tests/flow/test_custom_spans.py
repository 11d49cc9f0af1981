"""Spans of the program's own and of future SDKs: plain steps that keep their children in place."""

from __future__ import annotations

import contextvars
import json
from typing import Any

import pytest
from agents import Agent, RunConfig, Runner, agent_span, custom_span, function_tool, trace
from agents.tracing import SpanData, get_trace_provider
from opentelemetry import trace as otel_trace

from litespan.testing import Capture, Provider, Reply, ToolCall
from tests.flow.everything import emitted
from tests.flow.measured import measured
from tests.flow.models import litespan_model

DATA = {"query": "canary query", "rows": 3, "blob": b"canary blob"}
ON: dict[str, Any] = {"capture_content": "SPAN_ONLY"}


class FutureSpanData(SpanData):
    """A kind of span that this version of litespan has never heard of."""

    name = "canary step"
    data = DATA

    @property
    def type(self) -> str:
        """Return its type."""
        return "future"

    def export(self) -> dict[str, Any]:
        """Return what the SDK would send."""
        return {"type": self.type, **self.data}


@function_tool
async def look_up(key: str) -> str:
    """Look something up, in a span of its own."""
    with custom_span("database", dict(DATA)):
        return f"{key} is 1"


async def run(provider: Provider, **config: Any) -> None:
    """Run an agent with a tool that opens a span, inside a span of the program's."""
    provider.script("gpt-4o-mini", Reply.calls(ToolCall("look_up", {"key": "x"})), Reply.says("done"))
    agent = Agent[None](name="A", model=litespan_model(provider), tools=[look_up])
    with trace("Mine"), custom_span("prepare", {"why": "canary why"}):
        await Runner.run(agent, "hi", run_config=RunConfig(**config))


async def test_tree_and_metrics(provider: Provider) -> None:
    """Custom spans stand where they were opened, and change no metric."""
    with Capture(deterministic=True) as capture:
        await run(provider)

        assert [
            "invoke_workflow Mine litespan.outcome=ok",
            "  custom prepare litespan.outcome=ok",
            "    invoke_agent A litespan.run=1 litespan.outcome=ok",
            "      chat gpt-4o-mini litespan.run=1 litespan.outcome=ok",
            "      execute_tool look_up litespan.run=1 litespan.outcome=ok",
            "        custom database litespan.run=1 litespan.outcome=ok",
            "      chat gpt-4o-mini litespan.run=1 litespan.outcome=ok",
        ] == capture.tree("litespan.run", "litespan.outcome").splitlines()
        assert [] == [line for line in measured(capture) if "prepare" in line or "database" in line]
        assert 1 == capture.total("litespan.runs")


@pytest.mark.parametrize("mode", ["NO_CONTENT", "EVENT_ONLY"])
async def test_data_is_not_captured_by_default(provider: Provider, mode: str) -> None:
    """What a program puts on its spans is content."""
    with Capture(capture_content=mode) as capture:
        await run(provider)

    assert "canary" not in emitted(capture)


async def test_data_is_captured_with_content(provider: Provider) -> None:
    """With content on the data is there as JSON, bounded, redacted, and binary values by size and hash."""

    def redact(text: str) -> str:
        return text.replace("query", "***")

    with Capture(**ON, redact=redact) as capture:
        await run(provider)

    [database] = capture.named("custom database")
    data = json.loads(str((database.attributes or {})["litespan.step.data"]))
    assert ("canary ***", 3) == (data["***"], data["rows"])
    assert "canary blob" not in emitted(capture)
    [prepare] = capture.named("custom prepare")
    assert '{"why":"canary why"}' == (prepare.attributes or {})["litespan.step.data"]


async def test_large_data_is_cut() -> None:
    """Data is cut to the size of a content attribute and stays JSON."""
    big = {"text": "x" * 10_000}
    with Capture(**ON, content_max_bytes=500) as capture, trace("Mine"), custom_span("big", big):
        pass

    text = str((capture.named("custom big")[0].attributes or {})["litespan.step.data"])
    assert len(text) <= 500
    assert "cut" in json.loads(text)["text"]


async def test_a_run_that_forbids_content_forbids_it_here(provider: Provider) -> None:
    """Inside a tool the run's `trace_include_sensitive_data=False` holds for custom spans too."""
    with Capture(**ON) as capture:
        await run(provider, trace_include_sensitive_data=False)

    [database] = capture.named("custom database")
    assert "litespan.step.data" not in (database.attributes or {})
    assert "canary query" not in emitted(capture)


async def test_data_that_came_late_is_captured() -> None:
    """A program may add to the data until the span ends."""
    with Capture(**ON) as capture, trace("Mine"), custom_span("late") as span:
        span.span_data.data["rows"] = 7

    assert '{"rows":7}' == (capture.named("custom late")[0].attributes or {})["litespan.step.data"]


@pytest.mark.parametrize("content", ["NO_CONTENT", "SPAN_ONLY"])
def test_unknown_type_is_a_step(content: str) -> None:
    """A span type of a future SDK becomes a step under its own type and name, without its data."""
    future = FutureSpanData()
    with (
        Capture(deterministic=True, capture_content=content) as capture,
        trace("Mine"),
        get_trace_provider().create_span(future),
        agent_span("A"),
    ):
        pass

    lines = ["invoke_workflow Mine", "  future canary step", "    invoke_agent A"]
    assert lines == capture.tree().splitlines()
    assert "canary query" not in emitted(capture)


def test_custom_span_that_fails() -> None:
    """What leaves a custom span as an exception is its outcome."""
    with Capture(deterministic=True) as capture, pytest.raises(KeyError), trace("Mine"), custom_span("work"):
        raise KeyError("canary")

    [work] = capture.named("custom work")
    assert "KeyError" == (work.attributes or {})["error.type"]
    assert "canary" not in emitted(capture)


def test_unfinished_agent_span_is_not_current_after_its_trace() -> None:
    """An agent span that the program never finishes is no parent of what comes after the trace's end."""
    with Capture(deterministic=True) as capture:

        def work() -> None:
            with trace("Mine"):
                agent_span("A").start(mark_as_current=True)
            capture.tracer_provider.get_tracer("program").start_span("after").end()

        contextvars.copy_context().run(work)

    assert ["invoke_workflow Mine", "  invoke_agent A", "after"] == capture.tree().splitlines()


def test_unfinished_spans_in_each_other_are_not_current_after_their_trace() -> None:
    """Several of them are put back in their order; the program's own span around all is current again."""
    with Capture(deterministic=True) as capture:
        tracer = capture.tracer_provider.get_tracer("program")

        def work() -> None:
            with tracer.start_as_current_span("request") as request:
                with trace("Mine"):
                    agent_span("A").start(mark_as_current=True)
                    agent_span("B").start(mark_as_current=True)
                assert otel_trace.get_current_span() is request

        contextvars.copy_context().run(work)


def test_agent_span_that_outlives_its_trace_in_another_context() -> None:
    """A trace that ends elsewhere leaves a span alone that is still current where it began."""
    with Capture(deterministic=True) as capture:
        tracer = capture.tracer_provider.get_tracer("program")

        def work() -> None:
            mine = trace("Mine")
            mine.start()
            agent = agent_span("A", parent=mine)
            agent.start()
            contextvars.copy_context().run(mine.finish)
            tracer.start_span("inside").end()
            agent.finish()
            tracer.start_span("after").end()

        contextvars.copy_context().run(work)

    lines = capture.tree().splitlines()
    assert ["invoke_workflow Mine", "  invoke_agent A", "    inside", "after"] == lines
