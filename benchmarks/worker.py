"""One variant of the benchmark in a process of its own: reads batch sizes, answers with CPU seconds.

``python -m benchmarks.worker VARIANT BASE_URL``; each line on stdin is a number of runs, each line on stdout
the CPU time (user and system, in seconds) that this process used for them.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from typing import Any
from urllib.parse import urlsplit

from agents import Agent, Runner, function_tool, set_trace_processors, set_tracing_disabled
from agents.extensions.models.litellm_model import LitellmModel
from agents.tracing import TracingProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

import litespan
from benchmarks.floor import Floor, FloorModel

VARIANTS = ("none", "sdk", "floor", "litespan", "unsampled")
MODEL = "openai/gpt-4o"
AGENT = "bench"

Run = Callable[[], Awaitable[Any]]


class _Discard(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS


class _Nothing(TracingProcessor):
    """The least processor: the SDK's tracing runs, nothing is made of it."""

    def on_trace_start(self, trace: Any) -> None: ...
    def on_trace_end(self, trace: Any) -> None: ...
    def on_span_start(self, span: Any) -> None: ...
    def on_span_end(self, span: Any) -> None: ...
    def shutdown(self) -> None: ...
    def force_flush(self) -> None: ...


def _providers(*, sampled: bool = True) -> tuple[TracerProvider, MeterProvider]:
    tracer_provider = TracerProvider(sampler=ALWAYS_ON if sampled else ALWAYS_OFF)
    tracer_provider.add_span_processor(BatchSpanProcessor(_Discard()))
    return tracer_provider, MeterProvider([InMemoryMetricReader()])


def _agent(model: LitellmModel, tool: Any = nullcontext) -> Agent[Any]:
    @function_tool
    async def weather(city: str) -> str:
        with tool():
            return f"sunny in {city}"

    return Agent(name=AGENT, model=model, tools=[weather])


def prepare(variant: str, base_url: str) -> Run:
    """Set a variant up and return its run: an agent with two model calls and one tool call."""
    model = LitellmModel(MODEL, base_url=base_url, api_key="bench")
    if variant in ("litespan", "unsampled"):
        litespan.instrument(*_providers(sampled=variant == "litespan"))
    elif variant == "sdk":
        set_trace_processors([_Nothing()])
    else:
        set_tracing_disabled(True)
    if variant != "floor":
        agent = _agent(model)
        return lambda: Runner.run(agent, "What is the weather?")
    floor = Floor(*_providers())
    port = urlsplit(base_url).port or 0
    observed = FloorModel(floor, AGENT, port, model=MODEL, base_url=base_url, api_key="bench")
    by_hand = _agent(observed, lambda: floor.tool("weather", AGENT))
    return lambda: floor.run(AGENT, lambda: Runner.run(by_hand, "What is the weather?"))


async def serve(variant: str, base_url: str) -> None:
    """Answer batches until stdin ends."""
    run = prepare(variant, base_url)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        gc.collect()
        began = time.process_time()
        for _ in range(int(line)):
            await run()
        print(time.process_time() - began, flush=True)  # noqa: T201 - the answer to the parent


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2]))
