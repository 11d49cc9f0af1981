"""Traces with long prompts, which fill queues quickly."""

from __future__ import annotations

import secrets
import time
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

SERVICE: Final = "prompts"
TRACES: Final = 20
"""Traces of each request."""

PROMPT: Final = "x" * 10_000
HEADERS: Final = {"Content-Type": "application/x-protobuf"}


def pair(key: str, text: str) -> KeyValue:
    """Return an attribute."""
    return KeyValue(key=key, value=AnyValue(string_value=text))


def request() -> ExportTraceServiceRequest:
    """Return new traces of one span each, with a long prompt, that have just ended."""
    now = time.time_ns()
    spans = [
        Span(
            trace_id=secrets.token_bytes(16),
            span_id=secrets.token_bytes(8),
            name="chat",
            start_time_unix_nano=now - 1_000_000,
            end_time_unix_nano=now,
            attributes=[pair("gen_ai.input.messages", PROMPT)],
        )
        for _ in range(TRACES)
    ]
    resource = Resource(attributes=[pair("service.name", SERVICE)])
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=resource, scope_spans=[ScopeSpans(spans=spans)])]
    )
