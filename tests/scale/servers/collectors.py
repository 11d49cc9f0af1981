"""The two Collectors of the chain, each with its shipped configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.fakes.ports import free_port
from tests.integration.servers.server import DEPLOY, LOOPBACK
from tests.scale.servers.metrics import Metrics
from tests.scale.servers.process import Process

SHIPPED: Final = DEPLOY / "scale"


class ScaleCollector(Process):
    """A Collector with one of the files of deploy/scale, on ports of this machine."""

    name = "otelcol"
    configuration: Path

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.otlp = f"http://{LOOPBACK}:{free_port()}"
        self.grpc = f"{LOOPBACK}:{free_port()}"
        self.health = f"http://{LOOPBACK}:{free_port()}"
        self.metrics = Metrics(f"http://{LOOPBACK}:{free_port()}/metrics")

    def arguments(self) -> Sequence[str]:
        """Return the arguments of the command."""
        return ["--config", str(self.configuration)]

    def environment(self) -> Mapping[str, str]:
        """Return the variables that the configuration reads."""
        return {
            "COLLECTOR_LISTEN_HOST": LOOPBACK,
            "COLLECTOR_OTLP_HTTP_PORT": _port(self.otlp),
            "COLLECTOR_OTLP_GRPC_PORT": _port(self.grpc),
            "COLLECTOR_HEALTH_PORT": _port(self.health),
            "COLLECTOR_METRICS_PORT": _port(self.metrics.url.removesuffix("/metrics")),
            "COLLECTOR_QUEUE_DIRECTORY": str(self.folder / "queue"),
        }


class Agent(ScaleCollector):
    """The Collector beside programs. ``gateways`` are host:port, ``metrics`` is a base URL."""

    configuration = SHIPPED / "agent.yaml"

    def __init__(self, folder: Path, gateways: Sequence[str], metrics: str) -> None:
        super().__init__(folder)
        self._gateways = {"AGENT_GATEWAYS": ",".join(gateways), "AGENT_METRICS_GATEWAY": metrics}

    def environment(self) -> Mapping[str, str]:
        """Return the variables that the configuration reads."""
        return {**super().environment(), **self._gateways}


class Gateway(ScaleCollector):
    """One that decides about traces. ``sampling`` are the variables of gateway.yaml that say how."""

    configuration = SHIPPED / "gateway.yaml"

    def __init__(
        self, folder: Path, name: str, broker: str, remote_write: str, sampling: Mapping[str, str]
    ) -> None:
        super().__init__(folder)
        self.gateway = name
        self._variables = {
            "GATEWAY_NAME": name,
            "KAFKA_BROKERS": broker,
            "KAFKA_CREATES_TOPIC": "true",
            "METRICS_REMOTE_WRITE": remote_write,
            **sampling,
        }

    def traces_seen(self) -> float:
        """Return how many traces it has had spans of."""
        return self.metrics.total("otelcol_processor_tail_sampling_new_trace_id_received_total")

    def traces_decided(self) -> float:
        """Return how many traces it has decided about."""
        return self.metrics.total("otelcol_processor_tail_sampling_global_count_traces_sampled_total")

    def spans_held(self) -> float:
        """Return how many spans wait for its decision: those of the traces that do, of average size."""
        undecided = self.traces_seen() - self.traces_decided()
        return undecided * self.spans_received() / max(self.traces_seen(), 1)

    def spans_received(self) -> float:
        """Return how many spans agents sent to it."""
        return self.metrics.total("otelcol_receiver_accepted_spans_total")

    def spans_sent(self) -> float:
        """Return how many spans Kafka has from it."""
        return self.metrics.total("otelcol_exporter_sent_spans_total", exporter="kafka")

    def queued(self) -> float:
        """Return how much waits for Kafka; bytes."""
        return self.metrics.total("otelcol_exporter_queue_size", exporter="kafka")

    def arguments(self) -> Sequence[str]:
        """Return the arguments of the command; gateway.yaml tells of the gate."""
        return [*super().arguments(), "--feature-gates=exporter.prometheusremotewritexporter.RetryOn429"]

    def environment(self) -> Mapping[str, str]:
        """Return the variables that the configuration reads."""
        return {**super().environment(), **self._variables}


def _port(address: str) -> str:
    return address.rpartition(":")[2]
