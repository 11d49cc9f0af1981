"""The sizes of spans on their way: as programs send them, as agents pack them, as Kafka keeps them."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import Final

import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from litespan import semconv
from tools.sizing.model import SpanSizes

_BATCH: Final = 1024 * 1024
"""Bytes that an agent's and a gateway's queue send at a time: `min_size` in deploy/scale."""

PARTITIONS: Final = 12
"""Partitions of Kafka's topic, as docs/scale.md makes it. Each has compressed batches of its own."""

UNIQUE: Final = frozenset(
    {
        semconv.RESPONSE_ID,
        semconv.TOOL_CALL_ID,
        semconv.CONVERSATION_ID,
        semconv.OPENAI_AGENTS_TRACE_ID,
        semconv.OPENAI_AGENTS_SPAN_ID,
    }
)
"""Attributes with ids that no two calls or runs share. Repeated, they would compress better than they do."""
_LETTERS: Final = "0123456789abcdef"


def sizes_of(requests: Sequence[ExportTraceServiceRequest]) -> SpanSizes:
    """Return the sizes of the spans that a program sent. Memory and storage are not among them.

    Raises:
        ValueError: if there is no span.
    """
    spans = list(spans_of(requests))
    if not spans:
        raise ValueError("There is no span in these requests.")
    batch = list(_grown(spans, _BATCH))
    return SpanSizes(
        plain=sum(request.ByteSize() for request in requests) / len(spans),
        gzip=len(gzip.compress(_like(requests[0], batch).SerializeToString(), 6)) / len(batch),
        kafka=sum(map(len, _record_batches(requests[0], batch))) / len(batch),
    )


def spans_of(requests: Iterable[ExportTraceServiceRequest]) -> Iterator[Span]:
    """Yield the spans of requests."""
    for request in requests:
        for of_resource in request.resource_spans:
            for of_scope in of_resource.scope_spans:
                yield from of_scope.spans


def _like(request: ExportTraceServiceRequest, spans: Iterable[Span]) -> ExportTraceServiceRequest:
    """Return a request with these spans, of the same resource and scope."""
    first = request.resource_spans[0]
    of_scope = ScopeSpans(scope=first.scope_spans[0].scope, spans=spans)
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=first.resource, scope_spans=[of_scope])]
    )


def _grown(spans: Sequence[Span], size: int) -> Iterator[Span]:
    """Yield copies of all spans, again and again, until there are this many bytes."""
    draw = Random(1)  # noqa: S311 - ids, not secrets
    while size > 0:
        for span in _copies(spans, draw):
            size -= span.ByteSize()
            yield span


def _copies(spans: Iterable[Span], draw: Random) -> Iterator[Span]:
    """Yield the spans once more, at other times and with ids that are as random as the real ones."""
    ids: dict[bytes, bytes] = {b"": b""}
    texts: dict[str, str] = {}
    for span in spans:
        copy = Span()
        copy.CopyFrom(span)
        for field in ("trace_id", "span_id", "parent_span_id"):
            old = getattr(span, field)
            setattr(copy, field, ids.setdefault(old, draw.randbytes(len(old))))
        copy.start_time_unix_nano += draw.randrange(1 << 40)
        copy.end_time_unix_nano += draw.randrange(1 << 40)
        for pair in copy.attributes:
            if pair.key in UNIQUE:
                # The spans of a run share some of them.
                text = pair.value.string_value
                pair.value.string_value = texts.setdefault(text, "".join(draw.choices(_LETTERS, k=len(text))))
        yield copy


def _record_batches(request: ExportTraceServiceRequest, spans: Iterable[Span]) -> Iterator[bytes]:
    """Yield what a gateway writes to each partition: one message for each trace, compressed together."""
    traces: dict[bytes, list[Span]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    messages = [
        trace_id.hex().encode() + _like(request, of_trace).SerializeToString()
        for trace_id, of_trace in traces.items()
    ]
    for partition in range(PARTITIONS):
        yield zstandard.compress(b"".join(messages[partition::PARTITIONS]))
