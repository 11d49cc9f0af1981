"""Spans, metrics and log records as OTLP/JSON: what the Collector's ``otlpjsonfile`` receiver reads.

The official encoder makes the protobuf message, and protobuf's own JSON mapping makes the JSON. OTLP differs
from that mapping in one thing: trace and span ids are hex, not base64
(https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.metrics.export import MetricsData
from opentelemetry.sdk.trace import ReadableSpan

_Json = dict[str, Any]
_ID_FIELDS = ("traceId", "spanId", "parentSpanId")
_KINDS_OF_DATA = ("sum", "gauge", "histogram", "exponentialHistogram")


def spans_to_json(spans: Sequence[ReadableSpan]) -> bytes:
    """Return one ``ExportTraceServiceRequest`` as one line of OTLP/JSON, without a newline."""
    request = _to_dict(encode_spans(spans))
    for span in _span_dicts(request):
        _ids_to_hex(span)
        for link in span.get("links", ()):
            _ids_to_hex(link)
    return _dump(request)


def metrics_to_json(metrics_data: MetricsData) -> bytes:
    """Return one ``ExportMetricsServiceRequest`` as one line of OTLP/JSON, without a newline."""
    request = _to_dict(encode_metrics(metrics_data))
    for point in _point_dicts(request):
        for exemplar in point.get("exemplars", ()):
            _ids_to_hex(exemplar)
    return _dump(request)


def logs_to_json(records: Sequence[ReadableLogRecord]) -> bytes:
    """Return one ``ExportLogsServiceRequest`` as one line of OTLP/JSON, without a newline."""
    request = _to_dict(encode_logs(records))
    for record in _log_dicts(request):
        _ids_to_hex(record)
    return _dump(request)


def _to_dict(message: Message) -> _Json:
    as_dict: _Json = MessageToDict(message, use_integers_for_enums=True)
    return as_dict


def _dump(request: _Json) -> bytes:
    return json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode()


def _span_dicts(request: _Json) -> Iterator[_Json]:
    for resource in request.get("resourceSpans", ()):
        for scope in resource.get("scopeSpans", ()):
            yield from scope.get("spans", ())


def _log_dicts(request: _Json) -> Iterator[_Json]:
    for resource in request.get("resourceLogs", ()):
        for scope in resource.get("scopeLogs", ()):
            yield from scope.get("logRecords", ())


def _point_dicts(request: _Json) -> Iterator[_Json]:
    for resource in request.get("resourceMetrics", ()):
        for scope in resource.get("scopeMetrics", ()):
            for metric in scope.get("metrics", ()):
                for kind in _KINDS_OF_DATA:
                    yield from metric.get(kind, {}).get("dataPoints", ())


def _ids_to_hex(holder: _Json) -> None:
    for name in _ID_FIELDS:
        if name in holder:
            holder[name] = base64.b64decode(holder[name]).hex()
