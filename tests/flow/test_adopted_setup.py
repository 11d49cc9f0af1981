"""Traces of a program that has OpenTelemetry set up already: its sampler and processors stay in force."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import litellm
import pytest
from agents import Agent, Runner
from litellm.caching.llm_caching_handler import LLMClientCache
from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.propagators.textmap import CarrierT, Setter, TextMapPropagator, default_setter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanLimits, SpanProcessor, Tracer, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span
from opentelemetry.util.types import Attributes

import litespan
import litespan.testing
from litespan.testing import Provider
from tests.fakes.litellm_calls import chat
from tests.flow.models import litespan_model


@pytest.fixture(autouse=True)
def _taken_out_at_the_end() -> Iterator[None]:
    """Take litespan out whatever the test did."""
    yield
    litespan.uninstrument()


def program_traces(**options: Any) -> tuple[TracerProvider, InMemorySpanExporter]:
    """Return a tracer provider as a program sets it up, and what it exported."""
    provider, exporter = TracerProvider(shutdown_on_exit=False, **options), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider, exporter


async def run_agent(provider: Provider, model: str = "gpt-4o-mini") -> None:
    """Make one run with one model call."""
    await Runner.run(Agent(name="Helper", model=litespan_model(provider, model)), "Hi")


class WithoutModel(Sampler):
    """Drops the spans of a model by an attribute, as a program does with calls that it does not care for."""

    def __init__(self, model: str) -> None:
        self.seen: dict[str, Attributes] = {}
        self._model = model

    def should_sample(  # noqa: PLR0913, PLR0917 - OpenTelemetry's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide by the model's name, and remember what there was to decide by."""
        self.seen[name] = dict(attributes or {})
        unwanted = (attributes or {}).get("gen_ai.request.model") == self._model
        decision = Decision.DROP if unwanted else Decision.RECORD_AND_SAMPLE
        return SamplingResult(
            decision, None if unwanted else {"sampled.by": "the program", **(attributes or {})}
        )

    def get_description(self) -> str:
        """Name the sampler."""
        return "WithoutModel"


async def test_sampler_decides_by_what_is_known_at_the_start(provider: Provider) -> None:
    """A sampler sees at a call's start what the conventions want there, and drops and adds."""
    sampler = WithoutModel("gpt-4o")
    traces, exporter = program_traces(sampler=sampler)
    metrics = litespan.testing.Capture().meter_provider
    litespan.instrument(tracer_provider=traces, meter_provider=metrics)
    await run_agent(provider, "gpt-4o")
    await run_agent(provider, "gpt-4o-mini")
    litespan.flush()

    started = sampler.seen["chat gpt-4o"] or {}
    assert ("chat", "openai", "gpt-4o", "127.0.0.1", "Helper") == tuple(
        started.get(name)
        for name in (
            "gen_ai.operation.name",
            "gen_ai.provider.name",
            "gen_ai.request.model",
            "server.address",
            "gen_ai.agent.name",
        )
    )
    chats = [span for span in exporter.get_finished_spans() if span.name.startswith("chat")]
    assert ["chat gpt-4o-mini"] == [span.name for span in chats]
    assert "the program" == (chats[0].attributes or {})["sampled.by"]


async def test_resource_limits_and_ids_are_the_programs(provider: Provider) -> None:
    """Spans carry the program's resource and its ids, and its limits cut attributes."""
    resource = Resource({"service.name": "shop", "team": "blue"})
    traces, exporter = program_traces(
        resource=resource, id_generator=Ids(), span_limits=SpanLimits(max_attribute_length=4)
    )
    litespan.instrument(tracer_provider=traces, meter_provider=MeterProvider(shutdown_on_exit=False))
    await run_agent(provider)
    litespan.flush()

    spans = exporter.get_finished_spans()
    assert [resource] * 3 == [span.resource for span in spans]
    assert {0xABC} == {span.context.trace_id for span in spans}
    (call,) = (span for span in spans if span.name.startswith("chat"))
    assert "gpt-" == (call.attributes or {})["gen_ai.request.model"]


class Ids(IdGenerator):
    """Gives ids that can be told from others."""

    def __init__(self) -> None:
        self._spans = 0

    def generate_span_id(self) -> int:
        """Count."""
        self._spans += 1
        return self._spans

    def generate_trace_id(self) -> int:
        """Return the one id."""
        return 0xABC


class Diary(SpanProcessor):
    """Writes down when it is called, and puts an attribute on every span as it starts."""

    def __init__(self, name: str, pages: list[tuple[str, str, object]]) -> None:
        self._name = name
        self._pages = pages

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note what the span knows when it starts."""
        self._pages.append(
            (self._name, f"start {span.name}", (span.attributes or {}).get("gen_ai.request.model"))
        )
        span.set_attribute("tenant", self._name)

    def on_end(self, span: ReadableSpan) -> None:
        """Note what the span knows when it ends."""
        self._pages.append((self._name, f"end {span.name}", (span.attributes or {}).get("litespan.outcome")))


async def test_processors_are_called_in_their_order(provider: Provider) -> None:
    """In the given order, each sees the first attributes when a span starts, the outcome when it ends."""
    traces, exporter = program_traces()
    pages: list[tuple[str, str, object]] = []
    for name in ("first", "second"):
        traces.add_span_processor(Diary(name, pages))
    before = traces._active_span_processor._span_processors
    litespan.instrument(tracer_provider=traces, meter_provider=MeterProvider(shutdown_on_exit=False))
    await litellm.acompletion(**chat(provider))

    assert [
        ("first", "start chat gpt-4o-mini", "gpt-4o-mini"),
        ("second", "start chat gpt-4o-mini", "gpt-4o-mini"),
        ("first", "end chat gpt-4o-mini", "ok"),
        ("second", "end chat gpt-4o-mini", "ok"),
    ] == pages
    assert before is traces._active_span_processor._span_processors
    (span,) = exporter.get_finished_spans()
    assert "second" == (span.attributes or {})["tenant"]


class House(TextMapPropagator):
    """Injects a header of the house, and no `traceparent`."""

    def inject(
        self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter
    ) -> None:
        """Write the ids of the current span."""
        span = get_current_span(context).get_span_context()
        setter.set(carrier, "x-house-trace", f"{span.trace_id:032x}-{span.span_id:016x}")

    def extract(self, carrier: Any, context: Context | None = None, getter: Any = None) -> Context:
        """Read nothing."""
        return context or Context()

    @property
    def fields(self) -> set[str]:
        """The header."""
        return {"x-house-trace"}


@pytest.fixture
def house_propagator() -> Iterator[None]:
    """Make the house's propagator the global one."""
    before = propagate.get_global_textmap()
    propagate.set_global_textmap(House())
    yield
    propagate.set_global_textmap(before)


async def test_propagator_is_the_programs(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, house_propagator: None
) -> None:
    """What an HTTP instrumentation sends with a call is what the program's propagator says."""
    monkeypatch.setattr(litellm, "in_memory_llm_clients_cache", LLMClientCache())
    traces, exporter = program_traces()
    AioHttpClientInstrumentor().instrument(tracer_provider=traces)
    litespan.instrument(tracer_provider=traces, meter_provider=MeterProvider(shutdown_on_exit=False))
    await litellm.acompletion(**chat(provider))
    AioHttpClientInstrumentor().uninstrument()

    post, call = exporter.get_finished_spans()
    (served,) = provider.served
    assert ("POST", call.context.span_id) == (post.name, post.parent.span_id if post.parent else None)
    assert (
        f"{call.context.trace_id:032x}-{post.context.span_id:016x}" == served.request.headers["x-house-trace"]
    )
    assert "traceparent" not in served.request.headers


async def test_providers_that_end_before_litespan(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """A program may shut its providers down first: later calls work, without an error in the log."""
    traces, exporter = program_traces()
    metrics = MeterProvider(shutdown_on_exit=False)
    litespan.instrument(tracer_provider=traces, meter_provider=metrics)
    await run_agent(provider)
    litespan.flush()
    before = len(exporter.get_finished_spans())
    traces.shutdown()
    metrics.shutdown()
    await run_agent(provider)
    litespan.flush()
    litespan.shutdown()

    assert 3 == before == len(exporter.get_finished_spans())
    assert 2 == len(provider.served)
    assert [] == [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_replaced_functions_are_called_from_the_next_set_up_on(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody puts in the place of the SDK's functions later is seen by putting litespan in again."""
    traces, _ = program_traces()
    metrics = MeterProvider(shutdown_on_exit=False)
    started: list[str] = []
    start_span = Tracer.start_span

    def noting(tracer: Tracer, name: str, *args: Any, **kwargs: Any) -> Any:
        started.append(name)
        return start_span(tracer, name, *args, **kwargs)

    litespan.instrument(tracer_provider=traces, meter_provider=metrics)
    monkeypatch.setattr(Tracer, "start_span", noting)
    await run_agent(provider)
    litespan.uninstrument()
    started.clear()
    litespan.instrument(tracer_provider=traces, meter_provider=metrics)
    await run_agent(provider)

    assert ["invoke_workflow", "invoke_agent Helper", "chat gpt-4o-mini"] == started


async def test_providers_are_swapped_by_instrumenting_anew(provider: Provider) -> None:
    """After `uninstrument()` and `instrument()` with other providers, these get everything."""
    captures = [litespan.testing.Capture() for _ in range(2)]
    for capture in [*captures, captures[0]]:
        litespan.instrument(tracer_provider=capture.tracer_provider, meter_provider=capture.meter_provider)
        await run_agent(provider)
        litespan.flush()
        litespan.uninstrument()

    assert [2, 1] == [len(capture.named("chat")) for capture in captures]
    assert [2, 1] == [capture.total("litespan.calls") for capture in captures]


def test_other_providers_are_no_second_helping() -> None:
    """A second `instrument()` with other providers is an error, as one with other settings is."""
    first, second = (litespan.testing.Capture() for _ in range(2))
    litespan.instrument(tracer_provider=first.tracer_provider, meter_provider=first.meter_provider)
    litespan.instrument(tracer_provider=first.tracer_provider, meter_provider=first.meter_provider)
    litespan.instrument()
    with pytest.raises(litespan.ConfigurationError, match="other OpenTelemetry providers"):
        litespan.instrument(tracer_provider=second.tracer_provider)
    with pytest.raises(litespan.ConfigurationError, match="other OpenTelemetry providers"):
        litespan.instrument(meter_provider=second.meter_provider)
