"""Metrics through an agent and a gateway: the same series as on one machine, and none is lost."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from operator import eq, not_
from pathlib import Path
from typing import Final

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from tests.fakes.ports import free_port
from tests.integration.programs import run_demo
from tests.integration.servers.server import LOOPBACK, wait_for
from tests.integration.servers.stack import ARRIVAL
from tests.scale.prompts import HEADERS, request
from tests.scale.servers.collectors import Agent, Gateway
from tests.scale.servers.metrics_store import MetricsStore
from tools.sizing.receiver import Receiver

pytestmark = pytest.mark.timeout(300)

RESOURCE: Final = (
    "service.namespace=desk,deployment.environment.name=test,host.name=here,service.instance.id=1"
)
OURS: Final = '{service_name="litespan-demo"}'

Series = Mapping[frozenset[tuple[str, str]], float]


@dataclass(frozen=True)
class Way:
    """An agent, a gateway without Kafka, and the store behind it."""

    agent: Agent
    gateway: Gateway
    store: MetricsStore

    def send(self, body: bytes) -> None:
        """Send metrics as a program does; the agent accepts them."""
        post(self.agent.otlp, body)


@pytest.fixture(scope="module")
def exported() -> bytes:
    """Return the metrics that the demo's agents send at their end."""
    with pytest.MonkeyPatch.context() as environment, Receiver() as receiver:
        environment.setenv("OTEL_RESOURCE_ATTRIBUTES", RESOURCE)
        run_demo(receiver.url)
    return receiver.bodies["/v1/metrics"][-1]


@pytest.fixture
def way(tmp_path: Path) -> Iterator[Way]:
    """Run an agent, a gateway and a store."""
    store = MetricsStore(tmp_path)
    nobody = f"{LOOPBACK}:{free_port()}"
    gateway = Gateway(tmp_path / "gateway", "gateway-1", nobody, store.remote_write, {})
    agent = Agent(tmp_path / "agent", [gateway.grpc], gateway.otlp)
    with store, gateway, agent:
        yield Way(agent, gateway, store)


def post(base: str, body: bytes, path: str = "/v1/metrics") -> None:
    """Send metrics over HTTP.

    Raises:
        httpx.HTTPStatusError: if they are refused.
    """
    with httpx.Client(trust_env=False, timeout=30.0) as client:
        client.post(f"{base}{path}", content=body, headers=HEADERS).raise_for_status()


def series(store: MetricsStore) -> Series:
    """Return the program's series in a store with their values now."""
    return {frozenset(sample.labels.items()): sample.value for sample in store.api.query(OURS)}


def test_series_are_those_of_one_machine(way: Way, exported: bytes, tmp_path: Path) -> None:
    """By remote write the same metrics are the same series, labels and values as by OTLP into Prometheus."""
    other = MetricsStore(tmp_path / "one-machine")
    with other:
        post(other.url, exported, "/api/v1/otlp/v1/metrics")
        expected = series(other)
    way.send(exported)
    count = len(expected)
    wait_for(lambda: len(series(way.store)), f"{count} series", ARRIVAL, partial(eq, count))

    assert count > 500
    assert expected == series(way.store)


def test_an_outage_of_the_store_and_a_killed_gateway_lose_nothing(way: Way, exported: bytes) -> None:
    """A program's last figures arrive, although the store is away and the gateway that has them is killed."""
    way.store.kill()
    way.send(exported)
    wait_for(
        lambda: way.agent.metrics.total("otelcol_exporter_queue_size", exporter="otlp_http/metrics"), "queued"
    )
    way.gateway.end(signal.SIGKILL)
    way.gateway.restart()
    way.store.restart()
    calls = calls_of(exported)

    wait_for(
        partial(way.store.api.value, f"sum(litespan_calls_total{OURS})"), "calls", ARRIVAL, partial(eq, calls)
    )
    assert calls > 20


@pytest.fixture
def refused(tmp_path: Path, way: Way) -> Iterator[Agent]:
    """Run an agent whose spans and metrics are refused for good, by servers that know nothing of either."""
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port(f"{LOOPBACK}:0")
    server.start()
    agent = Agent(tmp_path / "refused", [f"{LOOPBACK}:{port}"], way.store.url)
    with agent:
        yield agent
    server.stop(None)


def test_figures_to_watch_are_there(way: Way, refused: Agent, exported: bytes) -> None:
    """What the page tells to watch is counted under these names, by an agent or by a gateway."""
    page = (Path(__file__).parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")
    watched = set(re.findall(r"otelcol_\w+", page))
    for agent in (way.agent, refused):
        post(agent.otlp, request().SerializeToString(), "/v1/traces")
    post(refused.otlp, exported)
    urls = (way.agent.metrics.url, way.gateway.metrics.url, refused.metrics.url)

    def missing() -> set[str]:
        texts = "\n".join(httpx.get(url, trust_env=False).text for url in urls)
        return watched - set(re.findall(r"^(otelcol_\w+)[{ ]", texts, re.MULTILINE))

    assert len(watched) > 3
    wait_for(missing, "all figures", until=not_)


def test_a_stop_is_quick_while_the_store_is_away(way: Way, exported: bytes) -> None:
    """With metrics on their way to a store that is away, gateway and agent end when they are asked to."""
    way.store.kill()
    way.send(exported)
    way.gateway.end(signal.SIGTERM)
    way.agent.end(signal.SIGTERM)

    assert not way.agent.running
    assert not way.gateway.running


def calls_of(body: bytes) -> float:
    """Return the sum of litespan.calls in a request."""
    request = ExportMetricsServiceRequest.FromString(body)
    metrics = request.resource_metrics[0].scope_metrics[0].metrics
    (points,) = [metric.sum.data_points for metric in metrics if "litespan.calls" == metric.name]
    return sum(point.as_int or point.as_double for point in points)
