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
from tools.sizing import load, traffic
from tools.sizing.load import COLLECTORS, DECIDED, Load, needs
from tools.sizing.model import SpanSizes, predict
from tools.sizing.points import metrics_of
from tools.sizing.spans import sizes_of
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


def a_load(rate: float, cores: float, memory: float, decided: float = 0) -> Load:
    """Return what was seen at a rate, the same for each process."""
    names = (*COLLECTORS, "kafka", "jaeger", "sender")
    return Load(
        seconds=60,
        spans_per_second=rate,
        kept_share=0.2,
        seconds_held=20,
        decided=decided,
        cores=dict.fromkeys(names, cores),
        memory=dict.fromkeys(names, memory),
        wire=700,
        kafka=80,
        stored=1000,
    )


def test_needs_are_lines() -> None:
    """Two rates tell what is needed at any rate and what for each span, and so when a machine is full."""
    seen = needs(a_load(500, 0.2, 100e6), a_load(2500, 0.4, 180e6))

    for process in seen.cores.values():
        assert pytest.approx((0.15, 0.0001, 1.15)) == (process.fixed, process.each, process.at(10_000))
    assert {"agent", "gateway-1", "gateway-2"} == set(seen.memory)
    for process in seen.memory.values():
        assert pytest.approx((80e6, 40e3)) == (process.fixed, process.each)
    assert 4000 == pytest.approx(seen.held)  # two gateways, 40,000 bytes each for a span a second, 20 seconds
    assert (0.85 * 4 - 0.9) / 0.0006 == pytest.approx(seen.highest_rate(cores=4))


@pytest.mark.parametrize(("low", "middle", "line"), [(0.3, 0.2, (0.25, 0.0)), (0.1, 0.6, (0.0, 0.6 / 2500))])
def test_no_need_is_below_zero(low: float, middle: float, line: tuple[float, float]) -> None:
    """A process that looks cheaper with more spans, or as if it gave CPU at rest, needs at least nothing."""
    seen = needs(a_load(500, low, 100e6), a_load(2500, middle, 100e6)).cores["kafka"]

    assert pytest.approx(line) == (seen.fixed, seen.each)


def test_what_gateways_remember_counts_apart() -> None:
    """Memory for traces that were decided about grows with their number, and is no part of the lines."""
    seen = needs(a_load(500, 0.2, 100e6), a_load(2500, 0.4, 180e6 + 1000 * DECIDED, decided=2000))

    assert pytest.approx(2 * (80e6 + 40e3 * 1000) + 600_000 * DECIDED) == seen.of_gateways(1000, 600_000)


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
        "print(json.dumps(asdict(traffic.measure())))"
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
    for name, (titles, rows) in tables(traffic.read(), load.read()).items():
        text = with_table(text, name, titles, rows)

    assert text == page


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1234567, "1.23 MB"), (5e12, "5 TB")]
)
def test_size_in_words(count: float, words: str) -> None:
    """Sizes have three digits and a decimal unit."""
    assert words == size(count)
