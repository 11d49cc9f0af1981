"""The metrics emitter: measurements are taken when a record ends.

Metrics never depend on sampling: every record is counted. Histograms get its span's context for exemplars.
Attributes are an allow-list; a user, session, conversation or text is never among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.metrics import Histogram, Meter

from litespan import records, semconv
from litespan.emit.spans import SpanInContext
from litespan.emit.tallies import Tallies
from litespan.records import AgentRun, Guardrail, Handoff, ModelCall, Record, Run, ToolCall, Usage, Workflow
from litespan.semconv import Metric

Attributes = dict[str, Any]
CallValues = tuple[str, str, str | None]
SpenderValues = tuple[str, str, str | None, str | None, str | None]

_MAX_CALL_ATTRIBUTES: Final = 1024


class CallAttributes:
    """The attributes of one kind of call, built once: OpenTelemetry copies them at every measurement."""

    __slots__ = ("_by_cost", "input", "output", "plain")

    def __init__(self, operation: str, provider: str, model: str | None) -> None:
        self.plain: Attributes = {semconv.OPERATION_NAME: operation, semconv.PROVIDER_NAME: provider}
        if model is not None:
            self.plain[semconv.REQUEST_MODEL] = model
        self.input: Attributes = {**self.plain, semconv.TOKEN_TYPE: "input"}
        self.output: Attributes = {**self.plain, semconv.TOKEN_TYPE: "output"}
        self._by_cost: dict[tuple[str, str], Attributes] = {}

    def of_cost(self, cost: records.Cost) -> Attributes:
        """Return the attributes with the currency and the source of a cost."""
        kind = (cost.currency, cost.source)
        found = self._by_cost.get(kind)
        if found is None:
            found = self._by_cost[kind] = {
                **self.plain,
                semconv.USAGE_COST_CURRENCY: cost.currency,
                semconv.USAGE_COST_SOURCE: cost.source,
            }
        return found


class MetricsEmitter:
    """Records the metrics of calls, agents, tools and runs."""

    def __init__(self, meter: Meter, tallies: Tallies) -> None:
        def histogram(metric: Metric) -> Histogram:
            return meter.create_histogram(
                metric.name,
                metric.unit,
                metric.description,
                explicit_bucket_boundaries_advisory=metric.buckets,
            )

        self._duration = histogram(semconv.OPERATION_DURATION)
        self._token_usage = histogram(semconv.TOKEN_USAGE)
        self._first_chunk = histogram(semconv.TIME_TO_FIRST_CHUNK)
        self._operation_cost = histogram(semconv.OPERATION_COST)
        self._agent_duration = histogram(semconv.AGENT_DURATION)
        self._agent_calls = histogram(semconv.AGENT_INFERENCE_CALLS)
        self._agent_tools = histogram(semconv.AGENT_TOOL_CALLS)
        self._workflow_duration = histogram(semconv.WORKFLOW_DURATION)
        self._tool_duration = histogram(semconv.TOOL_DURATION)
        self._input = tallies[semconv.INPUT_TOKENS]
        self._output = tallies[semconv.OUTPUT_TOKENS]
        self._cache_read = tallies[semconv.CACHE_READ_TOKENS]
        self._cache_write = tallies[semconv.CACHE_WRITE_TOKENS]
        self._reasoning = tallies[semconv.REASONING_TOKENS]
        self._cost = tallies[semconv.COST]
        self._savings = tallies[semconv.CACHE_SAVINGS]
        self._calls = tallies[semconv.CALLS]
        self._attempts = tallies[semconv.CALL_ATTEMPTS]
        self._usage_missing = tallies[semconv.CALLS_USAGE_MISSING]
        self._unpriced = tallies[semconv.CALLS_UNPRICED]
        self._active = tallies[semconv.CALLS_ACTIVE]
        self._runs = tallies[semconv.RUNS]
        self._handoffs = tallies[semconv.HANDOFFS]
        self._guardrails = tallies[semconv.GUARDRAILS]
        self._call_attributes: dict[CallValues, CallAttributes] = {}
        self._writers: Mapping[type[Record], Callable[[Any, Context | None], None]] = {
            ModelCall: self._call_ended,
            AgentRun: self._agent_ended,
            Workflow: self._workflow_ended,
            Run: self._run_ended,
            ToolCall: self._tool_ended,
            Handoff: self._handoff_ended,
            Guardrail: self._guardrail_ended,
        }

    def began(self, record: Record) -> None:
        """Count a model call as in flight."""
        if isinstance(record, ModelCall) and record.sent:
            self._active.add(1, (record.operation, record.provider, record.model))

    def ended(self, record: Record) -> None:
        """Record everything that is measured of this record."""
        write = self._writers.get(type(record))
        if write is not None:
            handle = record.handle
            write(record, handle.context if isinstance(handle, SpanInContext) else None)

    # -- model calls ---------------------------------------------------------------------------------------
    def _call_ended(self, call: ModelCall, context: Context | None) -> None:
        if not call.sent:
            return
        values = (call.operation, call.provider, call.model)
        spender = (*values, call.agent_name, call.workflow_name)
        attributes = self._attributes_of(values)
        self._active.add(-1, values)
        self._calls.add(1, (*spender, call.outcome))
        self._duration.record(_seconds(call), _with_error(attributes.plain, call), context)
        if call.attempts is not None:
            self._attempts.add(call.attempts, values)
        if call.time_to_first_chunk is not None:
            self._first_chunk.record(call.time_to_first_chunk, attributes.plain, context)
        if call.usage is not None and not call.cache_hit:
            self._count_tokens(call.usage, spender)
            if call.outcome not in (records.ERROR, records.INCOMPLETE):
                self._record_tokens(call.usage, attributes, context)
        if call.usage_missing_reason is not None:
            self._usage_missing.add(1, (*values, call.usage_missing_reason))
        if call.cost is not None:
            self._record_cost(call.cost, spender, attributes, context)
        elif call.usage is not None:
            self._unpriced.add(1, values)

    def _attributes_of(self, values: CallValues) -> CallAttributes:
        found = self._call_attributes.get(values)
        if found is None:
            if len(self._call_attributes) >= _MAX_CALL_ATTRIBUTES:
                self._call_attributes.clear()
            found = self._call_attributes[values] = CallAttributes(*values)
        return found

    def _count_tokens(self, usage: Usage, spender: SpenderValues) -> None:
        values = (*spender, semconv.MODALITY_UNKNOWN)
        if usage.input_tokens:
            self._input.add(usage.input_tokens, values)
        if usage.output_tokens:
            self._output.add(usage.output_tokens, values)
        if usage.cache_read_tokens:
            self._cache_read.add(usage.cache_read_tokens, values)
        if usage.cache_write_tokens:
            self._cache_write.add(usage.cache_write_tokens, values)
        if usage.reasoning_tokens:
            self._reasoning.add(usage.reasoning_tokens, values)

    def _record_tokens(self, usage: Usage, attributes: CallAttributes, context: Context | None) -> None:
        if usage.input_tokens is not None:
            self._token_usage.record(usage.input_tokens, attributes.input, context)
        if usage.output_tokens is not None:
            self._token_usage.record(usage.output_tokens, attributes.output, context)

    def _record_cost(
        self, cost: records.Cost, spender: SpenderValues, attributes: CallAttributes, context: Context | None
    ) -> None:
        self._operation_cost.record(cost.amount, attributes.of_cost(cost), context)
        for token_class, amount in cost.by_class.items():
            if amount:
                self._cost.add(amount, (*spender, cost.currency, token_class))
        if cost.cache_savings:
            self._savings.add(cost.cache_savings, (*spender, cost.currency))

    # -- what surrounds the calls --------------------------------------------------------------------------
    def _agent_ended(self, agent: AgentRun, context: Context | None) -> None:
        attributes = {semconv.AGENT_NAME: agent.name}
        self._agent_duration.record(_seconds(agent), _with_error(attributes, agent), context)
        self._agent_calls.record(agent.totals.model_calls, attributes, context)
        self._agent_tools.record(agent.totals.tool_calls, attributes, context)

    def _workflow_ended(self, workflow: Workflow, context: Context | None) -> None:
        attributes = {} if workflow.name is None else {semconv.WORKFLOW_NAME: workflow.name}
        self._workflow_duration.record(_seconds(workflow), _with_error(attributes, workflow), context)
        if not workflow.runs:
            # Task spans can be switched off in the SDK; the trace then stands for its run.
            self._run_ended(workflow, context)

    def _run_ended(self, run: Run | Workflow, _context: Context | None) -> None:
        """Count a run; a run inside a tool of another one is part of that one."""
        if run.parent is None or isinstance(run.parent, Workflow):
            self._runs.add(1, (run.workflow_name, run.outcome))

    def _tool_ended(self, tool: ToolCall, context: Context | None) -> None:
        attributes = {semconv.TOOL_NAME: tool.name}
        if tool.agent_name is not None:
            attributes[semconv.AGENT_NAME] = tool.agent_name
        self._tool_duration.record(_seconds(tool), _with_error(attributes, tool), context)

    def _handoff_ended(self, handoff: Handoff, _context: Context | None) -> None:
        self._handoffs.add(1, (handoff.source or "unknown", handoff.target or "unknown"))

    def _guardrail_ended(self, guardrail: Guardrail, _context: Context | None) -> None:
        self._guardrails.add(1, (guardrail.name, guardrail.triggered))


def _seconds(record: Record) -> float:
    return max(0, (record.end_ns or record.start_ns) - record.start_ns) / 1e9


def _with_error(attributes: Attributes, record: Record) -> Attributes:
    return attributes if record.failure is None else {**attributes, semconv.ERROR_TYPE: record.failure.type}
