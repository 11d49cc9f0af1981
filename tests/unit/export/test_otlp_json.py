"""OTLP/JSON lines against the official protobuf messages."""

from __future__ import annotations

import base64
import json
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from litespan.export.otlp_json import metrics_to_json, spans_to_json
from tests.unit.export.sdk import metrics_of, spans_of, tracer_provider
from tests.versions import needs


def make_spans(tracer: Any) -> None:
    """Make a parent, a child with a link, an event, an error, and attributes that look like ids."""
    with tracer.start_as_current_span("läuft 🚀") as parent:
        link = trace.Link(parent.get_span_context(), {"why": "retry"})
        attributes = {
            "traceId": "not an id",
            "spanId": "0123",
            "big": 2**60,
            "ratio": 0.25,
            "list": ["a", "b"],
        }
        with tracer.start_as_current_span(
            "child", kind=trace.SpanKind.CLIENT, links=[link], attributes=attributes
        ) as child:
            child.add_event("spanId", {"traceId": "still not an id"})
            child.set_status(trace.StatusCode.ERROR, "HTTP 500")


def make_metrics(meter: Any) -> None:
    """Record one instrument of each kind, inside a sampled span, so that there are exemplars."""
    with tracer_provider().get_tracer("test").start_as_current_span("traced"):
        meter.create_counter("tokens", unit="{token}").add(2**60, {"traceId": "x"})
        meter.create_up_down_counter("active").add(-1)
        meter.create_histogram("duration", unit="s").record(0.25)
        meter.create_gauge("queue").set(3)


def to_base64(node: Any, inside_attributes: bool = False) -> None:
    """Turn hex ids back into what protobuf's JSON mapping wants, everywhere but in attributes."""
    if isinstance(node, list):
        for item in node:
            to_base64(item, inside_attributes)
    elif isinstance(node, dict):
        for key, value in node.items():
            if not inside_attributes and key in ("traceId", "spanId", "parentSpanId"):
                assert value == value.lower()
                assert len(value) in (16, 32)
                node[key] = base64.b64encode(bytes.fromhex(value)).decode()
            else:
                to_base64(value, inside_attributes or key in ("attributes", "filteredAttributes"))


def test_spans_equal_the_official_encoding() -> None:
    """The line, with its hex ids turned back, parses to the message that the official encoder makes."""
    spans = spans_of(make_spans)
    line = json.loads(spans_to_json(spans))
    to_base64(line)
    assert ParseDict(line, ExportTraceServiceRequest()) == encode_spans(spans)


def test_metrics_equal_the_official_encoding() -> None:
    """The same for counters, gauges and histograms with exemplars."""
    data = metrics_of(make_metrics)
    line = json.loads(metrics_to_json(data))
    assert b'"exemplars"' in metrics_to_json(data)
    to_base64(line)
    assert ParseDict(line, ExportMetricsServiceRequest()) == encode_metrics(data)


def test_the_mapping_is_the_one_of_otlp() -> None:
    """Ids are hex, enums integers, 64-bit integers text, names camel case; attributes stay as they are."""
    spans = spans_of(make_spans)
    child = json.loads(spans_to_json(spans))["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert child["traceId"] == f"{spans[0].context.trace_id:032x}"
    assert child["parentSpanId"] == child["links"][0]["spanId"] == f"{spans[1].context.span_id:016x}"
    assert child["kind"] == 3
    assert child["status"] == {"message": "HTTP 500", "code": 2}
    assert child["startTimeUnixNano"] == str(spans[0].start_time)
    values = {attribute["key"]: attribute["value"] for attribute in child["attributes"]}
    assert values["traceId"] == {"stringValue": "not an id"}
    assert values["big"] == {"intValue": str(2**60)}


@needs("opentelemetry-api", "1.43")
def test_bytes_are_base64() -> None:
    """Bytes are base64, as in OTLP. Older versions of OpenTelemetry make text of them, or drop them."""
    spans = spans_of(lambda tracer: tracer.start_span("one", attributes={"raw": b"\x00\xff"}).end())
    (attribute,) = json.loads(spans_to_json(spans))["resourceSpans"][0]["scopeSpans"][0]["spans"][0][
        "attributes"
    ]
    assert attribute == {"key": "raw", "value": {"bytesValue": "AP8="}}


def test_one_request_is_one_line() -> None:
    """Line breaks in names and values do not break the line, and text outside ASCII stays readable."""
    line = spans_to_json(spans_of(lambda tracer: tracer.start_span("a\nb \u2028 ü").end()))
    assert b"\n" not in line
    assert "ü".encode() in line
