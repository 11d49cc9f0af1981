"""A real Jaeger with the shipped configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.fakes.ports import free_port
from tests.integration.servers.jaeger_api import JaegerApi
from tests.integration.servers.server import DEPLOY, LOOPBACK, Server


class Jaeger(Server):
    """Jaeger v2, with its spans on disk and its Monitor tab's figures from a Prometheus."""

    name = "jaeger"

    def __init__(
        self, folder: Path, prometheus: str, configuration: Path = DEPLOY / "jaeger/jaeger.yaml"
    ) -> None:
        super().__init__(folder)
        self._configuration = configuration
        self._prometheus = prometheus
        self.otlp = f"{LOOPBACK}:{free_port()}"
        self.url = f"http://{LOOPBACK}:{free_port()}"
        self._health_port = free_port()
        self._grpc_port = free_port()
        self.metrics = f"{LOOPBACK}:{free_port()}"
        self.health = f"http://{LOOPBACK}:{self._health_port}/status"
        self.api = JaegerApi(self.url)

    def arguments(self) -> Sequence[str]:
        """Return the arguments of the command."""
        return ["--config", str(self._configuration)]

    def environment(self) -> Mapping[str, str]:
        """Return the variables that the configuration reads."""
        return {
            "JAEGER_LISTEN_HOST": LOOPBACK,
            "JAEGER_OTLP_GRPC_PORT": self.otlp.rpartition(":")[2],
            "JAEGER_QUERY_PORT": self.url.rpartition(":")[2],
            "JAEGER_QUERY_GRPC_PORT": str(self._grpc_port),
            "JAEGER_HEALTH_PORT": str(self._health_port),
            "JAEGER_METRICS_PORT": self.metrics.rpartition(":")[2],
            "JAEGER_DATA_DIRECTORY": str(self.folder / "data"),
            "JAEGER_PROMETHEUS": self._prometheus,
            "JAEGER_UI_CONFIG": str(DEPLOY / "jaeger/ui.json"),
        }
