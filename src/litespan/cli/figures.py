"""Figures of runs and models, from their spans alone. What no span says is `None`, never 0."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import format_trace_id

from litespan import records, semconv
from litespan.export import cells
from litespan.export.tree_view import SpanRow, rows_from_spans

_NANOSECONDS = 1e9


@dataclass(frozen=True)
class CallFigures:
    """Sums over model calls.

    Attributes:
        calls: the number of calls.
        outcomes: calls by outcome.
        requests: HTTP requests made for them; None where one of them does not know.
        input_tokens, output_tokens: as reported; cached and reasoning tokens are parts of them.
        reported: calls that reported a usage.
        usage_missing: calls of which the provider's usage did not arrive, or not whole.
        cost: USD, over the calls that have a price.
        unpriced: calls with usage and without a price.
    """

    calls: int
    outcomes: Mapping[str, int]
    requests: int | None
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    reported: int
    usage_missing: int
    cost: float | None
    unpriced: int


@dataclass(frozen=True)
class RunFigures:
    """One run: its outcome, its time in seconds, and its calls."""

    conversation: str | None
    trace: str
    outcome: str
    error_type: str | None
    seconds: float | None
    tool_calls: int
    usage: CallFigures


@dataclass(frozen=True)
class ModelFigures:
    """The calls to one model, or to all; times are in seconds, the first chunk's over streamed calls only."""

    model: str
    usage: CallFigures
    p50_seconds: float | None
    p95_seconds: float | None
    first_chunk_p50_seconds: float | None


def traces(spans: Sequence[ReadableSpan]) -> dict[str, list[SpanRow]]:
    """Group spans by their trace, in the order in which the traces began."""
    groups: dict[str, list[ReadableSpan]] = {}
    for span in sorted(spans, key=lambda span: span.start_time or 0):
        if span.context is not None:
            groups.setdefault(format_trace_id(span.context.trace_id), []).append(span)
    return {trace: rows_from_spans(group) for trace, group in groups.items()}


def run_figures(trace: str, rows: Sequence[SpanRow]) -> RunFigures | None:
    """Return the figures of a trace; None if its root is not a workflow."""
    ids = {row.span_id for row in rows}
    roots = [row for row in rows if row.parent_id not in ids and _is(row, semconv.INVOKE_WORKFLOW)]
    if not roots:
        return None
    root = roots[0]
    return RunFigures(
        conversation=root.attributes.get(semconv.CONVERSATION_ID),
        trace=trace,
        outcome=str(root.attributes.get(semconv.OUTCOME)),
        error_type=root.attributes.get(semconv.ERROR_TYPE),
        seconds=_seconds(root),
        tool_calls=sum(_is(row, semconv.EXECUTE_TOOL) for row in rows),
        usage=call_figures(rows),
    )


def figures_by_model(rows: Iterable[SpanRow]) -> list[ModelFigures]:
    """Return the figures of each model, the most called first."""
    by_model: dict[str, list[SpanRow]] = {}
    for row in filter(is_call, rows):
        by_model.setdefault(str(row.attributes.get(semconv.REQUEST_MODEL, cells.UNKNOWN)), []).append(row)
    models = [model_figures(name, calls) for name, calls in by_model.items()]
    return sorted(models, key=lambda model: (-model.usage.calls, model.model))


def model_figures(name: str, rows: Iterable[SpanRow]) -> ModelFigures:
    """Return the figures of all model calls among these spans under one name."""
    calls = [row for row in rows if is_call(row)]
    times = [seconds for row in calls if (seconds := _seconds(row)) is not None]
    first_chunks = [
        row.attributes[semconv.RESPONSE_TIME_TO_FIRST_CHUNK]
        for row in calls
        if semconv.RESPONSE_TIME_TO_FIRST_CHUNK in row.attributes
    ]
    return ModelFigures(
        model=name,
        usage=call_figures(calls),
        p50_seconds=percentile(times, 0.5),
        p95_seconds=percentile(times, 0.95),
        first_chunk_p50_seconds=percentile(first_chunks, 0.5),
    )


def call_figures(rows: Iterable[SpanRow]) -> CallFigures:
    """Add up the model calls among these spans."""
    calls = [row.attributes for row in rows if is_call(row)]
    requests = [call.get(semconv.ATTEMPTS) for call in calls]
    known_requests = [number for number in requests if number is not None]
    costs = [call[semconv.USAGE_COST_AMOUNT] for call in calls if semconv.USAGE_COST_AMOUNT in call]
    return CallFigures(
        calls=len(calls),
        outcomes=dict(Counter(str(call.get(semconv.OUTCOME)) for call in calls)),
        requests=sum(known_requests) if len(known_requests) == len(requests) else None,
        input_tokens=_sum(calls, semconv.USAGE_INPUT_TOKENS),
        cached_tokens=_sum(calls, semconv.USAGE_CACHE_READ_TOKENS),
        output_tokens=_sum(calls, semconv.USAGE_OUTPUT_TOKENS),
        reasoning_tokens=_sum(calls, semconv.USAGE_REASONING_TOKENS),
        reported=_count(calls, _has_usage),
        usage_missing=_count(calls, lambda call: semconv.USAGE_MISSING_REASON in call),
        cost=math.fsum(costs) if costs else None,
        unpriced=_count(calls, lambda call: _has_usage(call) and semconv.USAGE_COST_AMOUNT not in call),
    )


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that is not below ``share`` of them (nearest rank); None without values."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def is_call(row: SpanRow) -> bool:
    """Say whether a span is a model call; one that stands for others, or never asked anybody, is none."""
    return _is(row, semconv.CHAT) and row.attributes.get(semconv.SENT) is not False


def _is(row: SpanRow, operation: str) -> bool:
    return row.attributes.get(semconv.OPERATION_NAME) == operation


def _seconds(row: SpanRow) -> float | None:
    return None if row.end_ns is None else (row.end_ns - row.start_ns) / _NANOSECONDS


def _sum(calls: Sequence[Mapping[str, Any]], key: str) -> int | None:
    counts = [call[key] for call in calls if key in call]
    return sum(counts) if counts else None


def _count(calls: Sequence[Mapping[str, Any]], condition: Callable[[Mapping[str, Any]], bool]) -> int:
    return sum(map(condition, calls))


def _has_usage(call: Mapping[str, Any]) -> bool:
    return call.get(semconv.USAGE_SOURCE) == records.REPORTED
