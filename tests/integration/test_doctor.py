"""`litespan doctor` in front of the real servers, each with its shipped configuration."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from litespan.cli.checks.diagnosis import diagnose
from litespan.cli.checks.endpoints import try_endpoint
from litespan.cli.checks.finding import Finding, Status
from litespan.cli.checks.wires import read_wire
from litespan.settings import load_settings
from tests.integration.servers.collector import Collector
from tests.integration.servers.prometheus import Prometheus

BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
GRPC = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Return a running Prometheus."""
    server = Prometheus(tmp_path_factory.mktemp("prometheus"))
    with server:
        yield server


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory, prometheus: Prometheus) -> Iterator[Collector]:
    """Return a running Collector that sends metrics there, and traces to nobody."""
    server = Collector(tmp_path_factory.mktemp("collector"), "127.0.0.1:1", prometheus.url)
    with server:
        yield server


def find(signal: str, **environ: str) -> Finding:
    """Try the endpoint of this environment."""
    return diagnose(try_endpoint(read_wire(signal, load_settings(environ), environ), 5))


@pytest.mark.parametrize("signal", ["traces", "metrics"])
def test_collector(collector: Collector, signal: str) -> None:
    """The Collector takes an export of nothing, over HTTP and gRPC."""
    assert Status.OK is find(signal, **{BASE: collector.otlp}).status
    assert Status.OK is find(signal, **{BASE: collector.otlp_grpc}, **GRPC).status


def test_ports_of_the_collector_exchanged(collector: Collector) -> None:
    """Either port with the other protocol is told for what it is; so is TLS, which it does not speak."""
    assert "it speaks gRPC without TLS" in find("traces", **{BASE: collector.otlp_grpc}).says
    assert "it speaks http" in find("traces", **{BASE: collector.otlp}, **GRPC).says
    tls = collector.otlp.replace("http:", "https:")
    assert (f"export {BASE}={collector.otlp}",) == find("traces", **{BASE: tls}).mends


def test_prometheus(prometheus: Prometheus) -> None:
    """Prometheus takes metrics at a path of its own, which is found, and no traces."""
    metrics, traces = (find(signal, **{BASE: prometheus.url}) for signal in ("metrics", "traces"))
    own = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
    path = f"{prometheus.url}/api/v1/otlp/v1/metrics"

    assert (f"export {own}={path}",) == metrics.mends
    assert Status.OK is find("metrics", **{own: path}).status
    assert traces.mends[0].startswith("export OTEL_TRACES_EXPORTER=none ")
