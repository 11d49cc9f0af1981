"""Counters of forked workers in a real Prometheus."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from litespan.testing import Provider
from tests.integration.servers.prometheus import Prometheus
from tests.integration.servers.server import wait_for
from tests.process.zero_code.commands import environment, finish, start

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
    pytest.mark.timeout(240),
]

PROGRAM = Path(__file__).parents[1] / "process" / "workers" / "pools.py"


def test_sums_over_forked_workers(tmp_path: Path) -> None:
    """A parent and three forked workers are four series, and their sum is what was served."""
    prometheus = Prometheus(tmp_path)
    with Provider() as provider, prometheus:
        variables = environment(provider.base_url, f"{prometheus.url}/api/v1/otlp")
        variables["OTEL_TRACES_EXPORTER"] = "none"
        command = [sys.executable, "-W", "ignore::DeprecationWarning", str(PROGRAM), "fork"]
        code, _, errors = finish(start(command, tmp_path, variables))
        served = provider.calls_served()
        by_worker = wait_for(
            lambda: prometheus.api.query("sum by (service_instance_id) (litespan_calls_total)"),
            "a series for each process",
            until=lambda found: len(found) == 4,
        )
        histogram = prometheus.api.value("sum(gen_ai_client_operation_duration_seconds_count)")

    assert (0, "") == (code, errors)
    assert [1, 1, 2, 2] == sorted(sample.value for sample in by_worker)
    assert 6 == served == sum(sample.value for sample in by_worker) == histogram
