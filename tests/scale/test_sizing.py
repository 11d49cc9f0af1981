"""tools.sizing: what it weighs is real, what it works out is right, and the page has its tables."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from benchmarks.page import with_table
from tools.sizing import measured, traffic
from tools.sizing.model import SpanSizes, predict
from tools.sizing.points import metrics_of
from tools.sizing.spans import children_of, sizes_of, spans_of
from tools.sizing.tables import size, tables

ROOT = Path(__file__).parents[2]
SIZES = SpanSizes(plain=1000, gzip=100, kafka=150, held=2000, stored=500)


def request(spans: int) -> ExportTraceServiceRequest:
    """Return a request with a trace of a root and its children."""
    draw = Random(7)  # noqa: S311 - ids, not secrets
    trace_id = draw.randbytes(16)
    root = draw.randbytes(8)
    made = [
        Span(
            trace_id=trace_id,
            span_id=root if number == 0 else draw.randbytes(8),
            parent_span_id=b"" if number == 0 else root,
            name="chat",
            start_time_unix_nano=1,
            end_time_unix_nano=2,
            attributes=[KeyValue(key="gen_ai.request.model", value=AnyValue(string_value="gpt-4.1" * 20))],
        )
        for number in range(spans)
    ]
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=made)])])


def test_prediction() -> None:
    """Sums grow with rate, time and the share that is kept; memory with the rate and the time of holding."""
    seen = predict(10, 100, SIZES, kept=0.5, seconds_held=3)

    assert (1000, 1_000_000, 100_000) == (seen.spans, seen.wire, seen.wire_gzip)
    assert (75_000, 250_000, 60_000) == (seen.kafka, seen.stored, seen.held)
    assert (1_000_000, 500_000) == (seen.agent_queue, seen.gateway_queue)


def test_what_was_not_measured_is_not_predicted() -> None:
    """Without a measured size there is no figure, and the tables say so."""
    seen = predict(10, 100, replace(SIZES, held=None, stored=None))

    assert (None, None) == (seen.held, seen.stored)
    assert "not measured" == size(seen.stored)


def test_sizes_of_requests() -> None:
    """A plain span is weighed with its share of the request; packed ones are smaller, and none is lost."""
    one = request(10)
    sizes = sizes_of([one, one])

    assert one.ByteSize() / 10 == sizes.plain
    for packed in (sizes.gzip, sizes.kafka):
        assert 16 < packed < sizes.plain  # a span's id, and what is random of its times
    assert len(gzip.compress(one.SerializeToString() * 10)) / 100 < sizes.gzip


def test_nothing_cannot_be_weighed() -> None:
    """Requests without a span are an error, not a size of zero."""
    with pytest.raises(ValueError, match="no span"):
        sizes_of([])


def test_children_have_no_root() -> None:
    """The spans that a gateway is to hold are of many traces, and none of them is a root."""
    made = list(children_of([request(5)], 100))
    spans = list(spans_of(ExportTraceServiceRequest.FromString(body) for body, _ in made))

    assert 100 == sum(count for _, count in made) == len(spans)
    assert all(span.parent_span_id for span in spans)
    assert 25 == len({span.trace_id for span in spans})


def test_metrics_of_a_process() -> None:
    """A histogram's point is a series for each bucket and two more, any other point is one."""
    histogram = HistogramDataPoint(explicit_bounds=[1, 2, 3], bucket_counts=[0, 0, 0, 1])
    metrics = [
        Metric(name="a", histogram=Histogram(data_points=[histogram, histogram])),
        Metric(name="b", gauge=Gauge(data_points=[NumberDataPoint(as_int=1)])),
    ]
    of_resource = ResourceMetrics(scope_metrics=[ScopeMetrics(metrics=metrics)])
    seen = metrics_of(ExportMetricsServiceRequest(resource_metrics=[of_resource]))

    assert (3, 13) == (seen.attribute_sets, seen.series)


def test_agents_send_what_was_written_down(tmp_path: Path) -> None:
    """The demo's agents, run again, send spans and metrics as large as docs/scale-traffic.json says."""
    program = (
        "from dataclasses import asdict; import json; from tools.sizing import traffic; "
        "print(json.dumps(asdict(traffic.measure(held=False))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    seen, known = traffic.from_json(done.stdout), traffic.read()

    assert (known.runs, known.spans, known.metrics.series) == (seen.runs, seen.spans, seen.metrics.series)
    for name in ("plain", "gzip", "kafka"):
        assert getattr(known.sizes, name) == pytest.approx(getattr(seen.sizes, name), rel=0.05)


def test_page_has_the_tables() -> None:
    """The tables of docs/scale.md are those that the tool makes of what was measured: `make sizing`."""
    text = page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    for name, (titles, rows) in tables(traffic.read(), measured.read()).items():
        text = with_table(text, name, titles, rows)

    assert text == page


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1234567, "1.23 MB"), (5e12, "5 TB")]
)
def test_size_in_words(count: float, words: str) -> None:
    """Sizes have three digits and a decimal unit."""
    assert words == size(count)
