"""Lines of OTLP/JSON become the requests that they were; anything else is one kind of error."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from litespan.export.otlp.from_json import NoRequestError, request_from_json
from litespan.export.otlp_json import metrics_to_json, spans_to_json
from tests.unit.export import sdk

NAMES = ["resourceSpans", "scopeSpans", "spans", "traceId", "links", "events", "attributes", "name", "kind"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=20,
)
LINES = st.one_of(
    st.binary(max_size=200),
    JSON.map(lambda value: json.dumps(value).encode()),
    JSON.map(lambda value: json.dumps({"resourceSpans": value}).encode()),
    JSON.map(lambda value: json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [value]}]}]}).encode()),
)


def test_spans_come_back() -> None:
    """Spans that were written as JSON are the same request again, and are counted."""
    spans = sdk.spans_of(
        lambda tracer: [tracer.start_span(f"s{n}", attributes={"n": n}).end() for n in range(3)]
    )
    signal, part = request_from_json(spans_to_json(spans))

    assert ("traces", 3, encode_spans(spans).SerializeToString()) == (signal, part.items, part.payload)


def test_metrics_come_back() -> None:
    """So do metrics, of which the data points are counted."""

    def work(meter: object) -> None:
        counter = meter.create_counter("calls")  # type: ignore[attr-defined]
        counter.add(1, {"model": "a"})
        counter.add(2, {"model": "b"})
        meter.create_histogram("seconds").record(0.5)  # type: ignore[attr-defined]

    data = sdk.metrics_of(work)
    signal, part = request_from_json(metrics_to_json(data))

    assert ("metrics", 3, encode_metrics(data).SerializeToString()) == (signal, part.items, part.payload)


@settings(max_examples=500)
@given(LINES)
def test_anything_is_a_request_or_an_error(line: bytes) -> None:
    """Whatever a line holds, it is read or refused."""
    with contextlib.suppress(NoRequestError):
        request_from_json(line)


@pytest.mark.parametrize("depth", [500, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    """Nesting that no request has is refused and does not end the program."""
    value = b'{"resourceSpans":' + b"[" * depth + b"]" * depth + b"}"
    with pytest.raises(NoRequestError):
        request_from_json(value)
