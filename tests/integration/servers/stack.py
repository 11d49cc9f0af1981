"""The whole stack on this machine: Collector, Jaeger and Prometheus, each with its shipped configuration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.integration.servers.collector import Collector
from tests.integration.servers.jaeger import Jaeger
from tests.integration.servers.prometheus import Prometheus
from tests.integration.servers.server import wait_for

ARRIVAL: Final = 120.0
"""Seconds that telemetry may take. The Collector alone waits up to 10 before it tries again."""


@dataclass(frozen=True)
class Stack:
    """The three servers. Programs send to ``otlp``, the Collector's base URL for OTLP over HTTP."""

    collector: Collector
    jaeger: Jaeger
    prometheus: Prometheus

    @property
    def otlp(self) -> str:
        """Where programs send."""
        return self.collector.otlp

    def wait_for_total(self, query: str, total: float) -> None:
        """Wait until a query to Prometheus gives this value."""
        wait_for(
            lambda: self.prometheus.api.value(query),
            f"{query} is {total}",
            ARRIVAL,
            lambda found: found == total,
        )


@contextmanager
def running_stack(folder: Path, interval: str = "1s") -> Iterator[Stack]:
    """Run the stack with its data in the folder; ``interval`` is that of Prometheus' scrapes and rules."""
    prometheus = Prometheus(folder, interval=interval)
    jaeger = Jaeger(folder, prometheus.url)
    collector = Collector(folder, jaeger.otlp, prometheus.url)
    prometheus.scrape({"otel-collector": collector.metrics, "jaeger": jaeger.metrics})
    with ExitStack() as servers:
        for server in (prometheus, jaeger, collector):
            servers.enter_context(server)
        yield Stack(collector, jaeger, prometheus)
