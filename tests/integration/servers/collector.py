"""A real Collector with the shipped configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.fakes.ports import free_port
from tests.integration.servers.server import DEPLOY, LOOPBACK, Server


class Collector(Server):
    """The Collector between programs and the two stores. ``jaeger`` is host:port, ``prometheus`` a URL."""

    name = "otelcol"

    def __init__(
        self,
        folder: Path,
        jaeger: str,
        prometheus: str,
        configurations: Sequence[Path] = (DEPLOY / "collector/collector.yaml",),
    ) -> None:
        super().__init__(folder)
        self._configurations = configurations
        self._stores = {"COLLECTOR_JAEGER": jaeger, "COLLECTOR_PROMETHEUS": prometheus}
        self.otlp = f"http://{LOOPBACK}:{free_port()}"
        self.otlp_grpc = f"http://{LOOPBACK}:{free_port()}"
        self.metrics = f"{LOOPBACK}:{free_port()}"
        self.health = f"http://{LOOPBACK}:{free_port()}"

    def arguments(self) -> Sequence[str]:
        """Return the arguments of the command; of several configurations, the later ones win."""
        return [part for path in self._configurations for part in ("--config", str(path))]

    def environment(self) -> Mapping[str, str]:
        """Return the variables that the configuration reads."""
        return {
            **self._stores,
            "COLLECTOR_LISTEN_HOST": LOOPBACK,
            "COLLECTOR_OTLP_HTTP_PORT": self.otlp.rpartition(":")[2],
            "COLLECTOR_OTLP_GRPC_PORT": self.otlp_grpc.rpartition(":")[2],
            "COLLECTOR_HEALTH_PORT": self.health.rpartition(":")[2],
            "COLLECTOR_METRICS_PORT": self.metrics.rpartition(":")[2],
            "COLLECTOR_QUEUE_DIRECTORY": str(self.folder / "queue"),
        }
