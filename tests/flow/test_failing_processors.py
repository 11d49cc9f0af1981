"""Samplers and span processors of the program that fail: what is below keeps its place in the tree."""

from __future__ import annotations

from typing import Any

import pytest
from agents import Agent, Runner
from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler, SamplingResult

import litespan
from litespan.testing import Provider, Reply, ToolCall
from tests.flow.models import litespan_model
from tests.flow.test_adopted_setup import program_traces
from tests.flow.tools import weather

pytestmark = pytest.mark.internal_errors_expected


class FailsAtAgents(SpanProcessor):
    """Fails when the span of an agent starts."""

    def on_start(self, span: Span, parent_context: Any = None) -> None:
        """Fail."""
        if span.name.startswith("invoke_agent"):
            raise LookupError


class DecidesOnNoAgent(Sampler):
    """Fails when it is asked for the span of an agent."""

    def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
        """Fail."""
        if args[2].startswith("invoke_agent"):
            raise LookupError
        return ALWAYS_ON.should_sample(*args, **kwargs)

    def get_description(self) -> str:
        """Name the sampler."""
        return "DecidesOnNoAgent"


@pytest.mark.parametrize("fails", ["processor", "sampler"])
async def test_spans_below_one_that_could_not_begin(provider: Provider, fails: str) -> None:
    """They stand below the next one above it, in the same trace; without it each were a trace of its own."""
    traces, exporter = program_traces(sampler=DecidesOnNoAgent() if fails == "sampler" else None)
    if fails == "processor":
        traces.add_span_processor(FailsAtAgents())
    litespan.instrument(tracer_provider=traces)
    provider.script("*", Reply.calls(ToolCall("weather", {"city": "Rome"})), Reply.says("Sunny"))
    try:
        await Runner.run(Agent(name="A", model=litespan_model(provider), tools=[weather]), "Hi")
        litespan.flush()
    finally:
        litespan.uninstrument()
    *below, root = exporter.get_finished_spans()

    assert "invoke_workflow A" == root.name
    assert ["chat gpt-4o-mini", "execute_tool weather", "chat gpt-4o-mini"] == [span.name for span in below]
    assert all(span.parent == root.context for span in below)
