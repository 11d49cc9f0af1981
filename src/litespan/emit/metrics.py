"""The metrics emitter: instruments of the OpenTelemetry API, recorded when a record ends.

Metrics never depend on sampling: every record is counted, with its span's context for exemplars. Attributes
are an allow-list; a user, session, conversation or text is never among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Meter, Observation

from litespan import records, semconv
from litespan.emit.spans import SpanInContext
from litespan.records import (
    AgentRun,
    Guardrail,
    Handoff,
    ModelCall,
    Record,
    Run,
    ToolCall,
    Usage,
    Workflow,
)
from litespan.semconv import Metric

Attributes = dict[str, Any]


def instrument(meter: Meter, metric: Metric) -> Any:
    """Create the instrument that a table entry describes."""
    if metric.kind == "histogram":
        return meter.create_histogram(
            metric.name, metric.unit, metric.description, explicit_bucket_boundaries_advisory=metric.buckets
        )
    if metric.kind == "counter":
        return meter.create_counter(metric.name, metric.unit, metric.description)
    return meter.create_up_down_counter(metric.name, metric.unit, metric.description)


class MetricsEmitter:
    """Records the metrics of calls, agents, tools and runs."""

    def __init__(self, meter: Meter) -> None:
        make = lambda metric: instrument(meter, metric)  # noqa: E731 - nine lines become readable
        self._duration = make(semconv.OPERATION_DURATION)
        self._token_usage = make(semconv.TOKEN_USAGE)
        self._first_chunk = make(semconv.TIME_TO_FIRST_CHUNK)
        self._operation_cost = make(semconv.OPERATION_COST)
        self._tokens = [
            (make(metric), field)
            for metric, field in (
                (semconv.INPUT_TOKENS, "input_tokens"),
                (semconv.OUTPUT_TOKENS, "output_tokens"),
                (semconv.CACHE_READ_TOKENS, "cache_read_tokens"),
                (semconv.CACHE_WRITE_TOKENS, "cache_write_tokens"),
                (semconv.REASONING_TOKENS, "reasoning_tokens"),
            )
        ]
        self._cost = make(semconv.COST)
        self._savings = make(semconv.CACHE_SAVINGS)
        self._calls = make(semconv.CALLS)
        self._attempts = make(semconv.CALL_ATTEMPTS)
        self._usage_missing = make(semconv.CALLS_USAGE_MISSING)
        self._unpriced = make(semconv.CALLS_UNPRICED)
        self._active = make(semconv.CALLS_ACTIVE)
        self._agent_duration = make(semconv.AGENT_DURATION)
        self._agent_calls = make(semconv.AGENT_INFERENCE_CALLS)
        self._agent_tools = make(semconv.AGENT_TOOL_CALLS)
        self._workflow_duration = make(semconv.WORKFLOW_DURATION)
        self._runs = make(semconv.RUNS)
        self._tool_duration = make(semconv.TOOL_DURATION)
        self._handoffs = make(semconv.HANDOFFS)
        self._guardrails = make(semconv.GUARDRAILS)
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
            self._active.add(1, _call(record))

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
        base = _call(call)
        spender = {**base, **_spender(call)}
        self._active.add(-1, base, context)
        self._duration.record(_seconds(call), {**base, **_error(call)}, context)
        self._calls.add(1, {**spender, semconv.OUTCOME: call.outcome}, context)
        if call.attempts is not None:
            self._attempts.add(call.attempts, base, context)
        if call.time_to_first_chunk is not None:
            self._first_chunk.record(call.time_to_first_chunk, base, context)
        if call.usage is not None and not call.cache_hit:
            self._record_usage(call, call.usage, base, spender, context)
        if call.usage_missing_reason is not None:
            self._usage_missing.add(1, {**base, semconv.REASON: call.usage_missing_reason}, context)
        self._record_cost(call, base, spender, context)

    def _record_usage(
        self, call: ModelCall, usage: Usage, base: Attributes, spender: Attributes, context: Context | None
    ) -> None:
        by_modality = {**spender, semconv.TOKEN_MODALITY: semconv.MODALITY_UNKNOWN}
        for counter, field in self._tokens:
            tokens = getattr(usage, field)
            if tokens:
                counter.add(tokens, by_modality, context)
        if call.outcome in (records.ERROR, records.INCOMPLETE):
            return
        for tokens, token_type in ((usage.input_tokens, "input"), (usage.output_tokens, "output")):
            if tokens is not None:
                self._token_usage.record(tokens, {**base, semconv.TOKEN_TYPE: token_type}, context)

    def _record_cost(
        self, call: ModelCall, base: Attributes, spender: Attributes, context: Context | None
    ) -> None:
        cost = call.cost
        if cost is None:
            if call.usage is not None:
                self._unpriced.add(1, base, context)
            return
        in_currency = {**spender, semconv.USAGE_COST_CURRENCY: cost.currency}
        priced = {
            **base,
            semconv.USAGE_COST_CURRENCY: cost.currency,
            semconv.USAGE_COST_SOURCE: cost.source,
        }
        self._operation_cost.record(cost.amount, priced, context)
        for token_class, amount in cost.by_class.items():
            self._cost.add(amount, {**in_currency, semconv.TOKEN_CLASS: token_class}, context)
        if cost.cache_savings:
            self._savings.add(cost.cache_savings, in_currency, context)

    # -- what surrounds the calls --------------------------------------------------------------------------
    def _agent_ended(self, agent: AgentRun, context: Context | None) -> None:
        name = {semconv.AGENT_NAME: agent.name}
        self._agent_duration.record(_seconds(agent), {**name, **_error(agent)}, context)
        self._agent_calls.record(agent.totals.model_calls, name, context)
        self._agent_tools.record(agent.totals.tool_calls, name, context)

    def _workflow_ended(self, workflow: Workflow, context: Context | None) -> None:
        self._workflow_duration.record(_seconds(workflow), {**_workflow(workflow), **_error(workflow)}, context)
        if not workflow.runs:
            # Task spans can be switched off in the SDK; the trace then stands for its run.
            self._run_ended(workflow, context)

    def _run_ended(self, run: Run | Workflow, context: Context | None) -> None:
        if isinstance(run.parent, (Workflow, type(None))):
            self._runs.add(1, {**_workflow(run), semconv.OUTCOME: run.outcome}, context)

    def _tool_ended(self, tool: ToolCall, context: Context | None) -> None:
        attributes = {semconv.TOOL_NAME: tool.name, **_agent(tool), **_error(tool)}
        self._tool_duration.record(_seconds(tool), attributes, context)

    def _handoff_ended(self, handoff: Handoff, context: Context | None) -> None:
        names = {
            semconv.HANDOFF_SOURCE: handoff.source or "unknown",
            semconv.HANDOFF_TARGET: handoff.target or "unknown",
        }
        self._handoffs.add(1, names, context)

    def _guardrail_ended(self, guardrail: Guardrail, context: Context | None) -> None:
        names = {
            semconv.GUARDRAIL_NAME: guardrail.name,
            semconv.GUARDRAIL_TRIGGERED: guardrail.triggered,
        }
        self._guardrails.add(1, names, context)


class SelfMetrics:
    """litespan's metrics about itself, read when metrics are collected."""

    def __init__(self, meter: Meter, sources: Mapping[Metric, Callable[[], Iterable[Observation]]]) -> None:
        for metric, read in sources.items():
            callback: Callable[[CallbackOptions], Iterable[Observation]] = lambda _, read=read: read()  # type: ignore[misc]
            create = (
                meter.create_observable_counter
                if metric.kind == "counter"
                else meter.create_observable_gauge
            )
            create(metric.name, [callback], metric.unit, metric.description)


def _seconds(record: Record) -> float:
    return max(0, (record.end_ns or record.start_ns) - record.start_ns) / 1e9


def _call(call: ModelCall) -> Attributes:
    base: Attributes = {semconv.OPERATION_NAME: call.operation, semconv.PROVIDER_NAME: call.provider}
    if call.model is not None:
        base[semconv.REQUEST_MODEL] = call.model
    return base


def _agent(record: Record) -> Attributes:
    return {} if record.agent_name is None else {semconv.AGENT_NAME: record.agent_name}


def _workflow(record: Record) -> Attributes:
    return {} if record.workflow_name is None else {semconv.WORKFLOW_NAME: record.workflow_name}


def _spender(record: Record) -> Attributes:
    return {**_agent(record), **_workflow(record)}


def _error(record: Record) -> Attributes:
    return {} if record.failure is None else {semconv.ERROR_TYPE: record.failure.type}
