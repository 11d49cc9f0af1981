"""What is measured of model calls: their number, tokens, cost and times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from opentelemetry.trace import SpanContext

from litespan import records, semconv
from litespan.emit.cardinality import Values
from litespan.emit.ended import error_of, seconds_of
from litespan.emit.extra_keys import ExtraKeys, Pairs
from litespan.emit.histograms import CappedHistogram, Histograms, Taken
from litespan.emit.instruments import Instruments
from litespan.emit.measurements import Common, Own
from litespan.records import Cost, ModelCall, Standing, Usage
from litespan.semconv import CallMetrics, Generation


class CallHistograms(NamedTuple):
    """The histograms of one kind of call; ``typed``: both token counts go to one, told apart by a type."""

    duration: CappedHistogram
    input_tokens: CappedHistogram
    time_to_first_chunk: CappedHistogram | None
    output_tokens: CappedHistogram | None
    typed: bool


class _Common(NamedTuple):
    """What the calls of a group have in common: what becomes an attribute or decides what is measured."""

    operation: str
    provider: str
    model: str | None
    agent_name: str | None
    workflow_name: str | None
    outcome: str
    usage_missing_reason: str | None
    cache_hit: bool
    told_elsewhere: bool
    counted_as: Values | None
    error: str | None
    currency: str | None
    cost_source: str | None
    extra: tuple[Pairs, ...]
    standing: Standing

    @property
    def values(self) -> Values:
        """The values that all attributes of a call's metrics begin with."""
        return self[:3]

    def spent(self, *rest: str) -> Values:
        """Return the values of a counter of who spent it; ``rest`` are those behind the spender's."""
        return (*self[:5], *rest, *self.extra)


class _Calls(NamedTuple):
    """What the calls of a group have of their own, each in their order; times in seconds."""

    seconds: Sequence[float]
    first_chunks: Sequence[float | None]
    attempts: Sequence[int | None]
    usages: Sequence[Usage | None]
    costs: Sequence[Cost | None]
    taken: Taken


# Fields of a call, in the order of the above. One C call reads them all: this is done for every call.
_common: Final = attrgetter(*_Common._fields[: _Common._fields.index("error")])
_own: Final = attrgetter("time_to_first_chunk", "attempts", "usage", "cost", "end_ns")

# The counters of tokens, and the field of a usage that each of them sums.
_TOKENS: Final = {
    semconv.INPUT_TOKENS: "input_tokens",
    semconv.OUTPUT_TOKENS: "output_tokens",
    semconv.CACHE_READ_TOKENS: "cache_read_tokens",
    semconv.CACHE_WRITE_TOKENS: "cache_write_tokens",
    semconv.REASONING_TOKENS: "reasoning_tokens",
}


class CallMeasurements:
    """Takes measurements of model calls, and records them in groups."""

    def __init__(
        self,
        instruments: Instruments,
        generation: Generation,
        standing: Callable[[ModelCall], Standing],
        extra_keys: ExtraKeys,
    ) -> None:
        tallies, histograms, measurements = instruments
        self._keep = measurements.of(self._write)
        self._keep_landed = measurements.of(self._land)
        self._standing = standing
        self._extra = extra_keys
        self._inference = _of_calls(generation.inference, histograms)
        self._embeddings = _of_calls(generation.embeddings, histograms)
        self._operation_cost = histograms[semconv.OPERATION_COST]
        self._tokens = tuple((tallies[metric], attrgetter(field)) for metric, field in _TOKENS.items())
        self._cost = tallies[semconv.COST]
        self._savings = tallies[semconv.CACHE_SAVINGS]
        self._calls = tallies[semconv.CALLS]
        self._attempts = tallies[semconv.CALL_ATTEMPTS]
        self._usage_missing = tallies[semconv.CALLS_USAGE_MISSING]
        self._unpriced = tallies[semconv.CALLS_UNPRICED]
        self._active = tallies[semconv.CALLS_ACTIVE]

    # -- taking --------------------------------------------------------------------------------------------
    def began(self, call: ModelCall) -> None:
        """Count a call as in flight."""
        if call.sent:
            values = (call.operation, call.provider, call.model)
            # Under what it was counted is kept: at its end it may have another model.
            call.counted_as = self._active.add(1, values, self._standing(call))

    def ended(self, call: ModelCall, span: SpanContext) -> None:
        """Take what is measured of a call."""
        if not call.sent:
            if call.counted_as is not None:
                self._keep_landed(call.counted_as, ())
            return
        cost = call.cost
        priced_in = (None, None) if cost is None else (cost.currency, cost.source)
        common = (*_common(call), error_of(call), *priced_in, self._extra.of(call), self._standing(call))
        self._keep(common, (seconds_of(call), *_own(call), span))

    # -- recording -----------------------------------------------------------------------------------------
    def _land(self, counted_as: Common, calls: list[Own]) -> None:
        """Count calls as no longer in flight."""
        self._active.add(-len(calls), counted_as)

    def _write(self, values: Common, group: list[Own]) -> None:
        common = _Common(*values)
        if common.counted_as is not None:
            self._land(common.counted_as, group)
        seconds, first_chunks, attempts, usages, costs, *where = zip(*group, strict=True)
        calls = _Calls(seconds, first_chunks, attempts, usages, costs, Taken(*where))
        self._count(common, calls)
        self._measure(common, calls)

    def _count(self, common: _Common, calls: _Calls) -> None:
        values, standing = common.values, common.standing
        self._calls.add(len(calls.seconds), common.spent(common.outcome), standing)
        attempts = [number for number in calls.attempts if number is not None]
        if attempts:
            self._attempts.add(sum(attempts), values, standing)
        usages = [usage for usage in calls.usages if usage is not None]
        if not common.cache_hit:
            self._count_tokens(common, usages)
        if common.usage_missing_reason is not None:
            reason = (*values, common.usage_missing_reason)
            self._usage_missing.add(len(calls.seconds), reason, standing)
        costs = [cost for cost in calls.costs if cost is not None]
        if costs:
            self._count_costs(common, costs)
        elif usages:
            self._unpriced.add(len(usages), values, standing)

    def _count_tokens(self, common: _Common, usages: list[Usage]) -> None:
        values = common.spent(semconv.MODALITY_UNKNOWN)
        for tally, count_of in self._tokens:
            count = sum(filter(None, map(count_of, usages)))
            if count:
                tally.add(count, values, common.standing)

    def _count_costs(self, common: _Common, costs: list[Cost]) -> None:
        currency = str(common.currency)
        by_class: defaultdict[str, float] = defaultdict(float)
        for cost in costs:
            for token_class, amount in cost.by_class.items():
                by_class[token_class] += amount
        for token_class, amount in by_class.items():
            if amount:
                self._cost.add(amount, common.spent(currency, token_class), common.standing)
        savings = sum(cost.cache_savings for cost in costs if cost.cache_savings)
        if savings:
            self._savings.add(savings, common.spent(currency), common.standing)

    def _measure(self, common: _Common, calls: _Calls) -> None:
        values, standing, taken = common.values, common.standing, calls.taken
        if common.currency is not None:
            amounts = [None if cost is None else cost.amount for cost in calls.costs]
            priced = (*values, common.currency, common.cost_source)
            self._operation_cost.record(amounts, taken, priced, standing)
        if common.told_elsewhere:
            return
        histograms = self._embeddings if common.operation == semconv.EMBEDDINGS else self._inference
        histograms.duration.record(calls.seconds, taken, (*values, common.error), standing)
        if histograms.time_to_first_chunk is not None:
            histograms.time_to_first_chunk.record(calls.first_chunks, taken, values, standing)
        if common.cache_hit or common.outcome in (records.ERROR, records.INCOMPLETE):
            return
        inputs = [None if usage is None else usage.input_tokens for usage in calls.usages]
        of_input = (*values, "input") if histograms.typed else values
        histograms.input_tokens.record(inputs, taken, of_input, standing)
        if histograms.output_tokens is not None:
            outputs = [None if usage is None else usage.output_tokens for usage in calls.usages]
            of_output = (*values, "output") if histograms.typed else values
            histograms.output_tokens.record(outputs, taken, of_output, standing)


def _of_calls(metrics: CallMetrics, histograms: Histograms) -> CallHistograms:
    first_chunk, output = metrics.time_to_first_chunk, metrics.output_tokens
    return CallHistograms(
        histograms[metrics.duration],
        histograms[metrics.input_tokens],
        None if first_chunk is None else histograms[first_chunk],
        None if output is None else histograms[output],
        typed=semconv.TOKEN_TYPE in metrics.input_tokens.attributes,
    )
