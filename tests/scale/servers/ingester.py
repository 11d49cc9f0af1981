"""A real Jaeger that stores what comes from Kafka, with the shipped configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.fakes.ports import free_port
from tests.integration.servers.jaeger_api import JaegerApi
from tests.integration.servers.server import DEPLOY, LOOPBACK
from tests.scale.servers.collectors import SHIPPED
from tests.scale.servers.metrics import Metrics
from tests.scale.servers.process import Process

# The storage on disk lets one process in, so ingester and query are one here.
_CONFIGURATIONS: Final = (
    SHIPPED / "jaeger-ingester.yaml",
    SHIPPED / "jaeger-query.yaml",
    Path(__file__).with_name("jaeger-storage-badger.yaml"),
)


class Ingester(Process):
    """Jaeger v2: reads from Kafka, keeps its spans on disk, answers questions.

    ``broker`` is host:port. ``sync`` has each span written through to the disk before it counts as stored.
    """

    name = "jaeger"

    def __init__(self, folder: Path, broker: str, *, sync: bool = True) -> None:
        super().__init__(folder)
        self.data = self.folder / "data"
        self._broker = broker
        self._sync = sync
        self._ports = {"query": free_port(), "grpc": free_port(), "health": free_port()}
        self.url = f"http://{LOOPBACK}:{self._ports['query']}"
        self.health = f"http://{LOOPBACK}:{self._ports['health']}/status"
        self.metrics = Metrics(f"http://{LOOPBACK}:{free_port()}/metrics")
        self.api = JaegerApi(self.url)

    def spans_stored(self) -> float:
        """Return how many spans it has stored since its start."""
        return self.metrics.total("otelcol_exporter_sent_spans_total")

    def arguments(self) -> Sequence[str]:
        """Return the arguments of the command; of several configurations, the later ones win."""
        return [part for path in _CONFIGURATIONS for part in ("--config", str(path))]

    def environment(self) -> Mapping[str, str]:
        """Return the variables that the configurations read."""
        return {
            "JAEGER_LISTEN_HOST": LOOPBACK,
            "JAEGER_QUERY_PORT": str(self._ports["query"]),
            "JAEGER_QUERY_GRPC_PORT": str(self._ports["grpc"]),
            "JAEGER_HEALTH_PORT": str(self._ports["health"]),
            "JAEGER_METRICS_PORT": self.metrics.url.removesuffix("/metrics").rpartition(":")[2],
            "JAEGER_DATA_DIRECTORY": str(self.data),
            "JAEGER_SYNC": str(self._sync).lower(),
            "JAEGER_UI_CONFIG": str(DEPLOY / "jaeger/ui.json"),
            "KAFKA_BROKERS": self._broker,
        }
