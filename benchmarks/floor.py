"""The floor: what the same telemetry costs when a program writes it by hand with OpenTelemetry. Frozen.

It makes the spans, span attributes and histograms that litespan makes for the benchmark's run (a workflow, an
agent, two model calls and one tool call), with everything known beforehand: no look-up, no mapping, no
failure handling, no streams, and none of litespan's counters. Nothing general can be cheaper; how much dearer
litespan may be is the budget in ``benchmarks/run.py``.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from typing import Any

from agents.extensions.models.litellm_model import LitellmModel
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import SpanKind, TracerProvider

INPUT_PRICE, OUTPUT_PRICE = 2.5e-6, 1e-5
_DURATION = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
_COST = (0.001, 0.004, 0.016, 0.064, 0.256, 1.024, 4.096, 16.384, 65.536)
_COUNT = (1, 2, 4, 8, 16, 32, 64, 128)


class Floor:
    """Hand-written telemetry of one kind of run."""

    def __init__(self, tracer_provider: TracerProvider, meter_provider: MeterProvider) -> None:
        self.tracer = tracer_provider.get_tracer("floor")
        meter = meter_provider.get_meter("floor")

        def histogram(name: str, unit: str, buckets: tuple[float, ...]) -> Any:
            return meter.create_histogram(name, unit, explicit_bucket_boundaries_advisory=buckets)

        self.duration = histogram("gen_ai.client.operation.duration", "s", _DURATION)
        self.tokens = histogram("gen_ai.client.token.usage", "{token}", _TOKENS)
        self.cost = histogram("gen_ai.client.operation.cost", "{cost}", _COST)
        self.agent_duration = histogram("gen_ai.invoke_agent.duration", "s", _DURATION)
        self.agent_calls = histogram("gen_ai.invoke_agent.inference_calls", "{inference_call}", _COUNT)
        self.agent_tools = histogram("gen_ai.invoke_agent.tool_calls", "{tool_call}", _COUNT)
        self.workflow_duration = histogram("gen_ai.invoke_workflow.duration", "s", _DURATION)
        self.tool_duration = histogram("gen_ai.execute_tool.duration", "s", _DURATION)

    async def run(self, agent_name: str, run: Callable[[], Awaitable[Any]]) -> Any:
        """Run an agent inside its workflow and agent spans."""
        began = time.perf_counter()
        workflow_attributes = {
            "gen_ai.operation.name": "invoke_workflow",
            "openai_agents.trace_id": "trace_0123456789abcdef0123456789abcdef",
        }
        agent_attributes = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": agent_name,
            "openai_agents.trace_id": "trace_0123456789abcdef0123456789abcdef",
            "openai_agents.span_id": "span_0123456789abcdef01234567",
        }
        with (
            self.tracer.start_as_current_span(
                f"invoke_workflow {agent_name}", attributes=workflow_attributes
            ) as root,
            self.tracer.start_as_current_span(
                f"invoke_agent {agent_name}", attributes=agent_attributes
            ) as agent,
        ):
            result = await run()
            usage = result.context_wrapper.usage
            totals = {
                "litespan.total.model_calls": 2,
                "litespan.total.tool_calls": 1,
                "litespan.total.input_tokens": usage.input_tokens,
                "litespan.total.output_tokens": usage.output_tokens,
                "litespan.total.cache_read_tokens": 0,
                "litespan.total.reasoning_tokens": 0,
                "litespan.total.cost": usage.input_tokens * INPUT_PRICE + usage.output_tokens * OUTPUT_PRICE,
                "litespan.outcome": "ok",
            }
            agent.set_attributes(
                {
                    **totals,
                    "gen_ai.usage.input_tokens": usage.input_tokens,
                    "gen_ai.usage.output_tokens": usage.output_tokens,
                }
            )
            seconds = time.perf_counter() - began
            named = {"gen_ai.agent.name": agent_name}
            self.agent_duration.record(seconds, named)
            self.agent_calls.record(2, named)
            self.agent_tools.record(1, named)
            root.set_attributes(
                {
                    **totals,
                    "litespan.cost.band": "<0.01",
                    "litespan.price.origin": "litellm 1.83.0 price table",
                }
            )
            self.workflow_duration.record(seconds, {})
        return result

    @contextmanager
    def tool(self, name: str, agent_name: str) -> Any:
        """Span and histogram around a tool's body."""
        began = time.perf_counter()
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.agent.name": agent_name,
            "openai_agents.trace_id": "trace_0123456789abcdef0123456789abcdef",
            "openai_agents.span_id": "span_0123456789abcdef01234567",
            "litespan.turn": 1,
        }
        with self.tracer.start_as_current_span(f"execute_tool {name}", attributes=attributes) as span:
            yield
            span.set_attributes(
                {
                    "gen_ai.tool.type": "function",
                    "gen_ai.tool.call.id": "call_000001_0",
                    "litespan.outcome": "ok",
                }
            )
            labels = {"gen_ai.tool.name": name, "gen_ai.agent.name": agent_name}
            self.tool_duration.record(time.perf_counter() - began, labels)


class FloorModel(LitellmModel):
    """The SDK's adapter with a hand-written span around each call."""

    def __init__(self, floor: Floor, agent_name: str, port: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._floor, self._agent_name, self._port = floor, agent_name, port

    async def get_response(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model inside a span, and record its histograms."""
        floor, name = self._floor, self.model.split("/", 1)[1]
        began = time.perf_counter()
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": name,
            "server.address": "127.0.0.1",
            "server.port": self._port,
            "gen_ai.agent.name": self._agent_name,
            "openai_agents.trace_id": "trace_0123456789abcdef0123456789abcdef",
            "openai_agents.span_id": "span_0123456789abcdef01234567",
            "litespan.turn": 1,
        }
        with floor.tracer.start_as_current_span(
            f"chat {name}", kind=SpanKind.CLIENT, attributes=attributes
        ) as span:
            response = await super().get_response(*args, **kwargs)
            usage = response.usage
            cost = usage.input_tokens * INPUT_PRICE + usage.output_tokens * OUTPUT_PRICE
            span.set_attributes(
                {
                    "gen_ai.response.id": "chatcmpl-000001",
                    "gen_ai.response.model": name,
                    "gen_ai.response.finish_reasons": ("stop",),
                    "litespan.attempts": 1,
                    "gen_ai.usage.cost.amount": cost,
                    "gen_ai.usage.cost.currency": "USD",
                    "gen_ai.usage.cost.source": "local",
                    "litespan.usage.source": "reported",
                    "gen_ai.usage.input_tokens": usage.input_tokens,
                    "gen_ai.usage.output_tokens": usage.output_tokens,
                    "gen_ai.usage.cache_read.input_tokens": 0,
                    "gen_ai.usage.reasoning.output_tokens": 0,
                    "gen_ai.usage.audio.input_tokens": 0,
                    "gen_ai.usage.audio.output_tokens": 0,
                    "litespan.outcome": "ok",
                }
            )
            labels = {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": name,
            }
            floor.duration.record(time.perf_counter() - began, labels)
            floor.tokens.record(usage.input_tokens, {**labels, "gen_ai.token.type": "input"})
            floor.tokens.record(usage.output_tokens, {**labels, "gen_ai.token.type": "output"})
            floor.cost.record(
                cost,
                {**labels, "gen_ai.usage.cost.currency": "USD", "gen_ai.usage.cost.source": "local"},
            )
        return response
