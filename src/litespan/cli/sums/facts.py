"""What one span says: a model call or the root of a run. What it does not say is `None`, never 0."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from litespan import records, semconv
from litespan.cli.sums.names import OUTCOMES, TOKENS, UNKNOWN
from litespan.cli.sums.values import (
    MAX_COUNT,
    MAX_TEXT,
    Values,
    amount,
    count,
    flag,
    text,
    text_of,
    values_of,
    whole,
)

_READ: Final = frozenset({semconv.CHAT, semconv.TEXT_COMPLETION, semconv.EMBEDDINGS, semconv.INVOKE_WORKFLOW})
_NAMES: Final = (semconv.REQUEST_MODEL, semconv.AGENT_NAME, semconv.WORKFLOW_NAME, semconv.USER_ID,
                 semconv.PROVIDER_NAME)  # fmt: skip
# Both generations of the conventions: the older one has a name of its own for cache writes.
_TOKEN_KEYS: Final = (
    (semconv.USAGE_INPUT_TOKENS,),
    (semconv.USAGE_CACHE_READ_TOKENS,),
    (semconv.USAGE_CACHE_WRITE_TOKENS, semconv.USAGE_CACHE_CREATION_TOKENS),
    (semconv.USAGE_OUTPUT_TOKENS,),
    (semconv.USAGE_REASONING_TOKENS,),
)
_NO_TOKENS: Final = (None,) * len(TOKENS)
_NS_PER_DAY: Final = 86_400 * 10**9
_EPOCH: Final = dt.date(1970, 1, 1).toordinal()


class Call(NamedTuple):
    """One model call.

    Attributes:
        run: what all spans of its run have in common.
        trace: OpenTelemetry's trace id, in hex.
        root: the span's name, if the call itself is the root of its trace.
        start_ns: nanoseconds since the epoch; None if the span does not say.
        seconds: how long it took.
        names: what it belongs to, in the order of `DIMENSIONS`.
        outcome: one of `OUTCOMES`.
        tokens: as reported, in the order of `TOKENS`.
        missing: why the provider's usage did not arrive, or not whole; None if it did.
        cost: USD.
        unpriced: it has usage and no cost.
        sent: it is a call, as metrics count it. One that failed before it asked anybody, or that only stands
            for the calls inside it, is none.
    """

    run: str
    trace: str
    root: str | None
    start_ns: int | None
    seconds: float | None
    names: tuple[str | None, ...]
    outcome: str
    tokens: tuple[int | None, ...]
    missing: str | None
    cost: Decimal | None
    unpriced: bool
    sent: bool


class Root(NamedTuple):
    """The span of a whole run: its name, outcome, start (nanoseconds) and duration (seconds)."""

    run: str
    trace: str
    name: str
    outcome: str
    start_ns: int | None
    seconds: float | None


def read_span(span: Mapping[str, Any], *, ours: bool) -> Call | Root | None:
    """Return what a span of OTLP/JSON says, if it is a model call or a workflow.

    ``ours``: litespan's scope wrote it. Another instrumentation's span counts only if litespan has told it
    its facts, as it does where that one was there first.

    Raises:
        TypeError, AttributeError, KeyError: if it is no span of OTLP/JSON.
    """
    operation = text_of(span, semconv.OPERATION_NAME)
    if operation not in _READ:
        return None
    values = values_of(span)
    if not ours and semconv.OUTCOME not in values:
        return None
    return _root(span, values) if operation == semconv.INVOKE_WORKFLOW else _call(span, values)


def _call(span: Mapping[str, Any], values: Values) -> Call:
    trace, start_ns, outcome = _trace(span), _time(span, "startTimeUnixNano"), _outcome(values)
    source = text(values, semconv.USAGE_SOURCE)
    cost = _cost(values)
    return Call(
        run=text(values, semconv.OPENAI_AGENTS_TRACE_ID) or trace,
        trace=trace,
        root=None if span.get("parentSpanId") else _name(span),
        start_ns=start_ns,
        seconds=_seconds(span, start_ns),
        names=(*[text(values, key) for key in _NAMES], _day(start_ns)),
        outcome=outcome,
        tokens=tuple(_first(values, keys) for keys in _TOKEN_KEYS) if source is not None else _NO_TOKENS,
        missing=_reason(values),
        cost=cost,
        unpriced=cost is None and source == records.REPORTED,
        sent=flag(values, semconv.SENT) is not False,
    )


def _root(span: Mapping[str, Any], values: Values) -> Root:
    trace, start_ns = _trace(span), _time(span, "startTimeUnixNano")
    return Root(
        run=text(values, semconv.OPENAI_AGENTS_TRACE_ID) or trace,
        trace=trace,
        name=_name(span).removeprefix(f"{semconv.INVOKE_WORKFLOW} "),
        outcome=_outcome(values),
        start_ns=start_ns,
        seconds=_seconds(span, start_ns),
    )


# -- parts of a call ---------------------------------------------------------------------------------------
def _cost(values: Values) -> Decimal | None:
    currency = text(values, semconv.USAGE_COST_CURRENCY)
    return amount(values, semconv.USAGE_COST_AMOUNT) if currency in {None, "USD"} else None


def _first(values: Values, keys: tuple[str, ...]) -> int | None:
    for key in keys:
        if key in values:
            return count(values, key)
    return None


def _outcome(values: Values) -> str:
    outcome = text(values, semconv.OUTCOME)
    return outcome if outcome in OUTCOMES else UNKNOWN


def _reason(values: Values) -> str | None:
    reason = text(values, semconv.USAGE_MISSING_REASON)
    return reason if reason is None or reason in records.MISSING_REASONS else UNKNOWN


# -- the rest of a span ------------------------------------------------------------------------------------
def _trace(span: Mapping[str, Any]) -> str:
    return str(span.get("traceId", ""))[:64]


def _name(span: Mapping[str, Any]) -> str:
    return str(span.get("name", ""))[:MAX_TEXT]


def _time(span: Mapping[str, Any], key: str) -> int | None:
    time_ns = whole(span.get(key))
    return time_ns if time_ns is not None and 0 < time_ns <= MAX_COUNT else None


def _seconds(span: Mapping[str, Any], start_ns: int | None) -> float | None:
    end_ns = _time(span, "endTimeUnixNano")
    return None if start_ns is None or end_ns is None else max(0, end_ns - start_ns) / 1e9


def _day(time_ns: int | None) -> str | None:
    return None if time_ns is None else _date(time_ns // _NS_PER_DAY)


@lru_cache(maxsize=1024)
def _date(day: int) -> str:
    return dt.date.fromordinal(_EPOCH + day).isoformat()
