"""The Collector's span metrics: one counter for a service, however many processes sent its spans."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx

from tests.integration.servers.collector import Collector
from tests.integration.servers.prometheus import Prometheus
from tests.integration.servers.server import wait_for


def spans(service: dict[str, str], number: int) -> dict[str, Any]:
    """Return a request with spans of a process, told by its resource attributes."""
    now = time.time_ns()
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in service.items()]
    times = {"startTimeUnixNano": str(now - 10**9), "endTimeUnixNano": str(now)}
    listed = [
        {"traceId": "1" * 32, "spanId": f"{count + 1:016x}", "name": "chat", "kind": 3, **times}
        for count in range(number)
    ]
    scopes = [{"scope": {"name": "test"}, "spans": listed}]
    return {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": scopes}]}


def test_processes_of_a_service_share_a_counter(tmp_path: Path) -> None:
    """Spans of two processes are added up by service and environment, and no label names one of them."""
    prometheus = Prometheus(tmp_path)
    collector = Collector(tmp_path, "127.0.0.1:1", prometheus.url)
    sent = [("one", "production", 3), ("two", "production", 4), ("three", "staging", 5)]
    with prometheus, collector:
        for instance, environment, number in sent:
            process = {
                "service.name": "desk",
                "service.instance.id": instance,
                "deployment.environment.name": environment,
            }
            body = spans(process, number)
            answer = httpx.post(f"{collector.otlp}/v1/traces", json=body, timeout=30.0, trust_env=False)
            assert answer.status_code == httpx.codes.OK

        query = "traces_span_metrics_calls_total"
        wait_for(lambda: sum(one.value for one in prometheus.api.query(query)) == 12.0, "all spans counted")
        found = prometheus.api.query(query)

    assert {"production": 7.0, "staging": 5.0} == {
        one.labels["deployment_environment_name"]: one.value for one in found
    }
    assert [] == [
        one.labels for one in found if "instance" in one.labels or "service_instance_id" in one.labels
    ]
