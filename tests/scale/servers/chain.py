"""The whole chain on this machine: an agent Collector, two gateways, Kafka, Jaeger, and a metrics' store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.scale.runs import Limits
from tests.scale.servers.collectors import Agent, Gateway
from tests.scale.servers.ingester import Ingester
from tests.scale.servers.kafka import Broker, broker
from tests.scale.servers.metrics_store import MetricsStore
from tests.scale.servers.process import Process

LIMITS: Final = Limits(usd=1.0, seconds=3.0, share=0.1)
AFTER_ROOT: Final = 1.0
"""Seconds that a gateway waits for the rest of a trace when its root span has come."""

ON_THE_WAY: Final = 5.0
"""Seconds after which a gateway has what the agent accepted, on a busy machine, too.

The agent's queue alone waits a second for more.
"""

WINDOW: Final = ON_THE_WAY + AFTER_ROOT + 2.0
"""Seconds after the end of a run when no gateway has it in its memory; they decide once a second."""

GATEWAYS: Final = 2

# The limits of gateway.yaml are made for days; these are made for minutes.
_SAMPLING: Final = {
    "SAMPLING_DECISION_WAIT": "60s",
    "SAMPLING_DEAR_USD": str(LIMITS.usd),
    "SAMPLING_SLOW_MS": f"{LIMITS.seconds * 1000:.0f}",
    "SAMPLING_PERCENT": f"{LIMITS.share * 100:g}",
}


@dataclass(frozen=True)
class Chain:
    """The servers. Programs send to ``otlp``, the agent Collector's base URL for OTLP over HTTP."""

    agent: Agent
    gateways: Sequence[Gateway]
    broker: Broker
    jaeger: Ingester
    metrics: MetricsStore

    @property
    def otlp(self) -> str:
        """Where programs send."""
        return self.agent.otlp

    @property
    def processes(self) -> dict[str, Process]:
        """Those that spans pass, by name and in that order."""
        gateways = {gateway.gateway: gateway for gateway in self.gateways}
        return {"agent": self.agent, **gateways, "kafka": self.broker, "jaeger": self.jaeger}

    def arrived(self, spans: int) -> bool:
        """Say whether the gateways got so many spans, have decided about all, and Jaeger has what they kept.

        Right only while nothing was killed: the servers count from their start.
        """
        gateways = self.gateways
        return (
            sum(gateway.spans_received() for gateway in gateways) == spans
            and all(gateway.traces_decided() == gateway.traces_seen() for gateway in gateways)
            and not any(gateway.queued() for gateway in gateways)
            and sum(gateway.spans_sent() for gateway in gateways) == self.jaeger.spans_stored()
        )


@contextmanager
def running_chain(folder: Path, after_root: float = AFTER_ROOT, *, sync: bool = True) -> Iterator[Chain]:
    """Run the chain with its data in the folder.

    Gateways decide ``after_root`` seconds after a run's end. Without ``sync``, a killed Jaeger loses spans.
    """
    sampling = {**_SAMPLING, "SAMPLING_AFTER_ROOT": f"{after_root:g}s"}
    metrics = MetricsStore(folder, interval="1s")
    kafka = broker(folder)
    jaeger = Ingester(folder, kafka.address, sync=sync)
    names = [f"gateway-{number}" for number in range(1, GATEWAYS + 1)]
    gateways = [Gateway(folder / name, name, kafka.address, metrics.remote_write, sampling) for name in names]
    agent = Agent(folder / "agent", [gateway.grpc for gateway in gateways], gateways[0].otlp)
    chain = Chain(agent, gateways, kafka, jaeger, metrics)
    with ExitStack() as servers:
        for process in (metrics, *reversed(chain.processes.values())):
            servers.enter_context(process)
        yield chain
