"""What the stack does not store, it refuses aloud: delta temporality, logs, more than its queue holds."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml

from tests.integration.servers.collector import Collector
from tests.integration.servers.prometheus import Prometheus
from tests.integration.servers.server import DEPLOY, wait_for

PAGE: Final = Path(__file__).parents[2] / "docs" / "stack.md"
DELTA: Final = 1
CUMULATIVE: Final = 2


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Prometheus]:
    """Return a running Prometheus."""
    server = Prometheus(tmp_path)
    with server:
        yield server


@pytest.fixture
def collector(tmp_path: Path, prometheus: Prometheus) -> Iterator[Collector]:
    """Return a running Collector that sends metrics there, and traces to nobody."""
    server = Collector(tmp_path, "127.0.0.1:1", prometheus.url)
    with server:
        yield server


def send(collector: Collector, service: str, temporality: int) -> int:
    """Send one export of a program; return the HTTP status."""
    now = time.time_ns()
    point = {"asDouble": 5.0, "startTimeUnixNano": str(now - 10**9), "timeUnixNano": str(now)}
    counter: dict[str, Any] = {
        "aggregationTemporality": temporality,
        "isMonotonic": True,
        "dataPoints": [point],
    }
    name = {"key": "service.name", "value": {"stringValue": service}}
    metrics = {"scope": {"name": "test"}, "metrics": [{"name": "test.calls", "sum": counter}]}
    body = {"resourceMetrics": [{"resource": {"attributes": [name]}, "scopeMetrics": [metrics]}]}
    return httpx.post(f"{collector.otlp}/v1/metrics", json=body, timeout=30.0, trust_env=False).status_code


def own_metrics(collector: Collector) -> dict[str, float]:
    """Return the Collector's counters of failed exports by name; those of one name are added up."""
    text = httpx.get(f"http://{collector.metrics}/metrics", timeout=30.0, trust_env=False).text
    found: dict[str, float] = {}
    for name, value in re.findall(r"^(otelcol_exporter_send_failed\w+)\{[^}]*\} (\S+)$", text, re.MULTILINE):
        found[name] = found.get(name, 0.0) + float(value)
    return found


def test_delta_is_refused_loudly(collector: Collector, prometheus: Prometheus) -> None:
    """Delta sums are not stored; both logs say so, and the counter that the page names."""
    (counter,) = set(re.findall(r"otelcol_exporter_send_failed\w+", PAGE.read_text(encoding="utf-8")))

    assert 200 == send(collector, "deltas", DELTA)

    wait_for(lambda: own_metrics(collector).get(counter), "the counter of refused points")
    assert "Dropping data" in collector.log.read_text(encoding="utf-8")
    assert "invalid temporality" in prometheus.log.read_text(encoding="utf-8")
    assert [] == prometheus.api.query("test_calls_total")


def test_others_are_not_touched(collector: Collector, prometheus: Prometheus) -> None:
    """A program that sends sums arrives whole, although another sends deltas at the same time."""
    for _ in range(3):
        send(collector, "deltas", DELTA)
        send(collector, "sums", CUMULATIVE)

    found = wait_for(lambda: prometheus.api.query("test_calls_total"), "the sums")

    assert [("sums", 5.0)] == [(sample.labels["service_name"], sample.value) for sample in found]
    wait_for(
        lambda: own_metrics(collector).get("otelcol_exporter_send_failed_metric_points_total") == 3.0, "3"
    )


def test_logs_are_refused(collector: Collector) -> None:
    """Nothing here stores logs, and who sends some is told: there is no such address."""
    answer = httpx.post(f"{collector.otlp}/v1/logs", json={}, timeout=30.0, trust_env=False)

    assert httpx.codes.NOT_FOUND == answer.status_code


def test_full_queue_is_refused(tmp_path: Path) -> None:
    """While Jaeger is away, the Collector accepts until its queue is full, and then asks to come again."""
    overlay = tmp_path / "small.yaml"
    queue = {"queue_size": 5_000, "batch": {"min_size": 1, "max_size": 5_000}}
    overlay.write_text(
        yaml.safe_dump({"exporters": {"otlp_grpc/jaeger": {"sending_queue": queue}}}), encoding="utf-8"
    )
    shipped = DEPLOY / "collector" / "collector.yaml"
    collector = Collector(tmp_path, "127.0.0.1:1", "http://127.0.0.1:1", (shipped, overlay))
    with collector:
        answers = [send_span(collector, number) for number in range(1, 60)]

    assert 200 == answers[0]
    assert 503 == answers[-1]
    assert {200, 503} == set(answers)


def send_span(collector: Collector, number: int) -> int:
    """Send a span of about 300 bytes; return the HTTP status."""
    span = {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": "chat " + "x" * 250,
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000001000000000",
    }
    body = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": [span]}]}]}
    return httpx.post(f"{collector.otlp}/v1/traces", json=body, timeout=30.0, trust_env=False).status_code
