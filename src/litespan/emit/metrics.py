"""The metrics emitter: measurements are taken when a record ends.

Metrics never depend on sampling: every record is counted. Histograms get its span for exemplars.
Attributes are an allow-list; a user, session, conversation or text is never among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from opentelemetry.trace import SpanContext, get_current_span

from litespan import records, semconv
from litespan.emit.cardinality import Values
from litespan.emit.extra_keys import ExtraKeys, Pairs
from litespan.emit.histograms import CappedHistogram, Histograms
from litespan.emit.spans import SpanInContext
from litespan.emit.tallies import Tallies
from litespan.records import (
    AgentRun,
    Guardrail,
    Handoff,
    ModelCall,
    Record,
    Run,
    Standing,
    ToolCall,
    Usage,
    Workflow,
)
from litespan.semconv import CallMetrics, Generation

CallValues = tuple[str, str, str | None]
SpenderValues = tuple[str, str, str | None, str | None, str | None]


class CallHistograms(NamedTuple):
    """The histograms of one kind of call; ``typed``: both token counts go to one, told apart by a type."""

    duration: CappedHistogram
    input_tokens: CappedHistogram
    time_to_first_chunk: CappedHistogram | None
    output_tokens: CappedHistogram | None
    typed: bool


class _Spending(NamedTuple):
    """Who spent what a call used: the values that all its counters begin with, and the extra keys."""

    values: SpenderValues
    extra: tuple[Pairs, ...]
    standing: Standing

    def under(self, *rest: str) -> Values:
        """Return the values of a counter; ``rest`` are those of its attributes behind the spender's."""
        return (*self.values, *rest, *self.extra)


class MetricsEmitter:
    """Records the metrics of calls, agents, tools and runs."""

    def __init__(
        self,
        tallies: Tallies,
        histograms: Histograms,
        generation: Generation,
        standing: Callable[[ModelCall], Standing],
        extra_keys: ExtraKeys,
    ) -> None:
        self._standing = standing
        self._extra = extra_keys
        self._inference = _of_calls(generation.inference, histograms)
        self._embeddings = _of_calls(generation.embeddings, histograms)
        self._operation_cost = histograms[semconv.OPERATION_COST]
        self._agent_duration = histograms[semconv.AGENT_DURATION]
        self._agent_calls = histograms[semconv.AGENT_INFERENCE_CALLS]
        self._agent_tools = histograms[semconv.AGENT_TOOL_CALLS]
        self._workflow_duration = histograms[semconv.WORKFLOW_DURATION]
        self._run_duration = histograms[semconv.RUN_DURATION]
        self._run_cost = histograms[semconv.RUN_COST]
        self._tool_duration = histograms[semconv.TOOL_DURATION]
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
        self._writers: Mapping[type[Record], Callable[[Any, SpanContext], None]] = {
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
            values = (record.operation, record.provider, record.model)
            # Under what it was counted is kept: at its end it may have another model.
            record.counted_as = self._active.add(1, values, self._standing(record))

    def ended(self, record: Record) -> None:
        """Record everything that is measured of this record."""
        write = self._writers.get(type(record))
        if write is not None:
            handle = record.handle
            span = handle.span if isinstance(handle, SpanInContext) else get_current_span()
            write(record, span.get_span_context())

    def hears_began(self, kind: type[Record]) -> bool:
        """Say whether anything is measured when a record of this type begins."""
        return kind is ModelCall

    def hears_ended(self, kind: type[Record]) -> bool:
        """Say whether anything is measured when a record of this type ends."""
        return kind in self._writers

    # -- model calls ---------------------------------------------------------------------------------------
    def _call_ended(self, call: ModelCall, span: SpanContext) -> None:
        if call.counted_as is not None:
            self._active.add(-1, call.counted_as)
        if not call.sent:
            return
        values = (call.operation, call.provider, call.model)
        standing = self._standing(call)
        self._measure(call, values, standing, span)
        spending = _Spending((*values, call.agent_name, call.workflow_name), self._extra.of(call), standing)
        self._calls.add(1, spending.under(call.outcome), standing)
        if call.attempts is not None:
            self._attempts.add(call.attempts, values, standing)
        if call.usage is not None and not call.cache_hit:
            self._count_tokens(call.usage, spending)
        if call.usage_missing_reason is not None:
            self._usage_missing.add(1, (*values, call.usage_missing_reason), standing)
        if call.cost is not None:
            self._count_cost(call.cost, spending)
        elif call.usage is not None:
            self._unpriced.add(1, values, standing)

    def _measure(self, call: ModelCall, values: CallValues, standing: Standing, span: SpanContext) -> None:
        if call.cost is not None:
            priced = (*values, call.cost.currency, call.cost.source)
            self._operation_cost.record(call.cost.amount, priced, span, standing)
        if call.told_elsewhere:
            return
        histograms = self._embeddings if call.operation == semconv.EMBEDDINGS else self._inference
        histograms.duration.record(_seconds(call), (*values, _error(call)), span, standing)
        if call.time_to_first_chunk is not None and histograms.time_to_first_chunk is not None:
            histograms.time_to_first_chunk.record(call.time_to_first_chunk, values, span, standing)
        if call.usage is None or call.cache_hit or call.outcome in (records.ERROR, records.INCOMPLETE):
            return
        usage, typed = call.usage, histograms.typed
        if usage.input_tokens is not None:
            of_input = (*values, "input") if typed else values
            histograms.input_tokens.record(usage.input_tokens, of_input, span, standing)
        if usage.output_tokens is not None and histograms.output_tokens is not None:
            of_output = (*values, "output") if typed else values
            histograms.output_tokens.record(usage.output_tokens, of_output, span, standing)

    def _count_tokens(self, usage: Usage, spending: _Spending) -> None:
        values, standing = spending.under(semconv.MODALITY_UNKNOWN), spending.standing
        if usage.input_tokens:
            self._input.add(usage.input_tokens, values, standing)
        if usage.output_tokens:
            self._output.add(usage.output_tokens, values, standing)
        if usage.cache_read_tokens:
            self._cache_read.add(usage.cache_read_tokens, values, standing)
        if usage.cache_write_tokens:
            self._cache_write.add(usage.cache_write_tokens, values, standing)
        if usage.reasoning_tokens:
            self._reasoning.add(usage.reasoning_tokens, values, standing)

    def _count_cost(self, cost: records.Cost, spending: _Spending) -> None:
        for token_class, amount in cost.by_class.items():
            if amount:
                self._cost.add(amount, spending.under(cost.currency, token_class), spending.standing)
        if cost.cache_savings:
            self._savings.add(cost.cache_savings, spending.under(cost.currency), spending.standing)

    # -- what surrounds the calls --------------------------------------------------------------------------
    def _agent_ended(self, agent: AgentRun, span: SpanContext) -> None:
        self._agent_duration.record(_seconds(agent), (agent.name, _error(agent)), span)
        self._agent_calls.record(agent.totals.model_calls, (agent.name,), span)
        self._agent_tools.record(agent.totals.tool_calls, (agent.name,), span)

    def _workflow_ended(self, workflow: Workflow, span: SpanContext) -> None:
        self._workflow_duration.record(_seconds(workflow), (workflow.name, _error(workflow)), span)
        if not workflow.runs:
            # Task spans can be switched off in the SDK; the trace then stands for its run.
            self._run_ended(workflow, span)

    def _run_ended(self, run: Run | Workflow, span: SpanContext) -> None:
        """Count and measure a run; a run inside a tool of another one is part of that one."""
        if isinstance(run, Run) and run.nested:
            return
        values = (run.workflow_name, run.outcome)
        self._runs.add(1, (*values, *self._extra.of(run)))
        self._run_duration.record(_seconds(run), values, span)
        if run.totals.priced_calls:
            self._run_cost.record(run.totals.cost, values, span)

    def _tool_ended(self, tool: ToolCall, span: SpanContext) -> None:
        self._tool_duration.record(_seconds(tool), (tool.name, tool.agent_name, _error(tool)), span)

    def _handoff_ended(self, handoff: Handoff, _span: SpanContext) -> None:
        self._handoffs.add(1, (handoff.source or "unknown", handoff.target or "unknown"))

    def _guardrail_ended(self, guardrail: Guardrail, _span: SpanContext) -> None:
        self._guardrails.add(1, (guardrail.name, guardrail.triggered))


def _of_calls(metrics: CallMetrics, histograms: Histograms) -> CallHistograms:
    first_chunk, output = metrics.time_to_first_chunk, metrics.output_tokens
    return CallHistograms(
        histograms[metrics.duration],
        histograms[metrics.input_tokens],
        None if first_chunk is None else histograms[first_chunk],
        None if output is None else histograms[output],
        typed=semconv.TOKEN_TYPE in metrics.input_tokens.attributes,
    )


def _seconds(record: Record) -> float:
    end_ns = record.end_ns
    return 0.0 if end_ns is None or end_ns < record.start_ns else (end_ns - record.start_ns) / 1e9


def _error(record: Record) -> str | None:
    return None if record.failure is None else record.failure.type
