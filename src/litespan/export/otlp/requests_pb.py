"""Export requests as messages: counted, and split where a receiver finds one too large."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from litespan.export.ledger import LOGS, METRICS, TRACES


class Names(NamedTuple):
    """The messages of a signal, and the names of their fields from the outside in."""

    request: Callable[[], Any]
    response: Callable[[], Any]
    resources: str
    scopes: str
    items: str
    rejected: str


NAMES: Final = {
    TRACES: Names(
        ExportTraceServiceRequest,
        ExportTraceServiceResponse,
        "resource_spans",
        "scope_spans",
        "spans",
        "rejected_spans",
    ),
    METRICS: Names(
        ExportMetricsServiceRequest,
        ExportMetricsServiceResponse,
        "resource_metrics",
        "scope_metrics",
        "metrics",
        "rejected_data_points",
    ),
    LOGS: Names(
        ExportLogsServiceRequest,
        ExportLogsServiceResponse,
        "resource_logs",
        "scope_logs",
        "log_records",
        "rejected_log_records",
    ),
}


class Part(NamedTuple):
    """An export request as protobuf, and the number of spans, data points or log records in it."""

    payload: bytes
    items: int


def part_of(signal: str, request: Any) -> Part:
    """Return a message as bytes, and count what is in it."""
    return Part(request.SerializeToString(), _count(signal, request))


def halves(signal: str, payload: bytes) -> list[Part]:
    """Split a request into two with the same resources; empty if there is only one span, metric or record."""
    names = NAMES[signal]
    request = names.request()
    request.ParseFromString(payload)
    number = sum(len(getattr(scope, names.items)) for scope in _scopes(names, request))
    if number < 2:  # noqa: PLR2004 - one cannot be halved
        return []
    middle = number // 2
    return [_cut(signal, payload, 0, middle), _cut(signal, payload, middle, number)]


def rejected_items(signal: str, body: bytes) -> int:
    """Return the number of items that a receiver says it has refused; 0 if its answer cannot be read."""
    response = NAMES[signal].response()
    try:
        response.ParseFromString(body)
    except DecodeError:
        return 0
    return int(getattr(response.partial_success, NAMES[signal].rejected))


def _cut(signal: str, payload: bytes, begin: int, end: int) -> Part:
    """Return a request with the items from ``begin`` to ``end`` only."""
    names = NAMES[signal]
    request = names.request()
    request.ParseFromString(payload)
    position = 0
    for scope in _scopes(names, request):
        items = getattr(scope, names.items)
        number = len(items)
        del items[max(end - position, 0) :]
        del items[: min(max(begin - position, 0), number)]
        position += number
    _drop_empty(names, request)
    return part_of(signal, request)


def _drop_empty(names: Names, request: Any) -> None:
    resources = getattr(request, names.resources)
    for resource in resources:
        scopes = getattr(resource, names.scopes)
        for number in reversed(range(len(scopes))):
            if not getattr(scopes[number], names.items):
                del scopes[number]
    for number in reversed(range(len(resources))):
        if not getattr(resources[number], names.scopes):
            del resources[number]


def _scopes(names: Names, request: Any) -> Iterator[Any]:
    for resource in getattr(request, names.resources):
        yield from getattr(resource, names.scopes)


def _count(signal: str, request: Any) -> int:
    names = NAMES[signal]
    if signal != METRICS:
        return sum(len(getattr(scope, names.items)) for scope in _scopes(names, request))
    return sum(
        len(getattr(metric, kind).data_points)
        for scope in _scopes(names, request)
        for metric in scope.metrics
        if (kind := metric.WhichOneof("data"))
    )
