"""What the spans of all record types have in common: how a kind is described, and what every span carries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import compress
from operator import attrgetter, is_not
from typing import Any, Final, NamedTuple

from litespan import semconv
from litespan.records import Record, Totals

Attributes = dict[str, Any]

_is_known: Final = partial(is_not, None)


class SpanEvent(NamedTuple):
    """Something that happened during a span, at a time in nanoseconds since the Unix epoch."""

    name: str
    attributes: Attributes
    time_ns: int | None


class SpanKindOf(NamedTuple):
    """How one record type becomes a span; ``renamed`` says that the name is known only at the end."""

    name: Callable[[Any], str]
    start: Callable[[Any], Attributes]
    end: Callable[[Any], Attributes]
    client: bool = False
    renamed: bool = False
    events: Callable[[Any], Iterable[SpanEvent]] | None = None


class Fields:
    """Fields of a record, by the attribute that each becomes as it is.

    C code reads them all and leaves out what is not known: this is done for every span.
    """

    __slots__ = ("_names", "_read")

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._names = tuple(fields)
        self._read = attrgetter(*fields.values())  # of one field it would return no tuple

    def known(self, record: object) -> Attributes:
        """Return the attributes of the fields that are not ``None``."""
        values = self._read(record)
        return dict(compress(zip(self._names, values), map(_is_known, values)))  # noqa: B905 - slow, and equal


# What every span of the Agents SDK's plane carries.
COMMON: Final[Mapping[str, str]] = {
    semconv.CONVERSATION_ID: "conversation_id",
    semconv.OPENAI_AGENTS_TRACE_ID: "trace_id",
    semconv.OPENAI_AGENTS_SPAN_ID: "span_id",
    semconv.RUN: "run",
    semconv.TURN: "turn",
}
_COMMON_FIELDS: Final = Fields(COMMON)
_PLAIN_FIELDS: Final = Fields({semconv.AGENT_NAME: "agent_name", **COMMON})


def known(attributes: Mapping[str, Any]) -> Attributes:
    """Return only what is known: entries without ``None``."""
    return {name: value for name, value in attributes.items() if value is not None}


def named(operation: str, name: str | None) -> str:
    """Return the operation with a name behind it, if there is one."""
    return f"{operation} {name}" if name else operation


def start(record: Record, attributes: Attributes) -> Attributes:
    """Add what every span of the Agents SDK's plane carries; what is not known is left out."""
    return with_said(record, {**known(attributes), **_COMMON_FIELDS.known(record)})


def with_said(record: Record, attributes: Attributes) -> Attributes:
    """Add what the program says about a record, under what litespan knows itself."""
    labels = record.labels
    if labels is None:
        return attributes if record.baggage is None else {**said(record), **attributes}
    if not record.conversation_id and labels.session:
        attributes[semconv.CONVERSATION_ID] = labels.session
    return {**said(record), **attributes}


def said(record: Record) -> Attributes:
    """Return what the program says about a record; what it says in its own code goes before baggage."""
    attributes: Attributes = dict(record.baggage or {})
    labels = record.labels
    if labels is not None:
        attributes.update(labels.attributes)
        own = {
            semconv.USER_ID: labels.user,
            semconv.SESSION_ID: labels.session,
            semconv.TAGS: labels.tags or None,
        }
        attributes.update(known(own))
    return attributes


def start_plain(record: Record) -> Attributes:
    """Return what a span without attributes of its own has at its start."""
    return with_said(record, _PLAIN_FIELDS.known(record))


def end(record: Record, attributes: Attributes) -> Attributes:
    """Add what every span carries at its end."""
    attributes[semconv.OUTCOME] = record.outcome
    if record.failure is not None:
        attributes[semconv.ERROR_TYPE] = record.failure.type
    return attributes


def end_plain(record: Record) -> Attributes:
    """Return what a span without attributes of its own has at its end."""
    return end(record, {})


def totals_of(totals: Totals) -> Attributes:
    """Return sums; tokens and cost only where at least one call reported them, so that none is invented."""
    sums: Attributes = {
        semconv.TOTAL_MODEL_CALLS: totals.model_calls,
        semconv.TOTAL_TOOL_CALLS: totals.tool_calls,
    }
    if totals.reported_calls:
        sums[semconv.TOTAL_INPUT_TOKENS] = totals.input_tokens
        sums[semconv.TOTAL_OUTPUT_TOKENS] = totals.output_tokens
        sums[semconv.TOTAL_CACHE_READ_TOKENS] = totals.cache_read_tokens
        sums[semconv.TOTAL_REASONING_TOKENS] = totals.reasoning_tokens
    if totals.priced_calls:
        sums[semconv.TOTAL_COST] = totals.cost
    return sums
