"""The same outage of a real Collector: it is killed, and started again on what it has on its disk.

It has its shipped configuration. Spans go on to a receiver that counts them, metrics to a real Prometheus.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import yaml

from litespan.testing import Provider
from tests.fakes.otlp_server import Received, collector
from tests.integration.servers.collector import Collector
from tests.integration.servers.prometheus import Prometheus
from tests.integration.servers.server import DEPLOY
from tests.outage.outage import SERVICE, Played, collect, follow, program

_ARRIVAL: Final = 90.0  # seconds that the last spans and metrics may take through the Collector
_MESSAGE: Final = 1_000_000  # bytes; the receiver takes gRPC's four megabytes, less than Jaeger does
_SUMS: Final = tuple(
    f'sum({metric}{{service_name="{SERVICE}"}})'
    for metric in ("litespan_calls_total", "gen_ai_client_inference_usage_input_tokens_total")
)
_SHIPPED: Final = DEPLOY / "collector/collector.yaml"


def play_behind_collector(folder: Path, seconds: float, begin: float, end: float, rate: float) -> Played:
    """Run the program for some seconds, with a dead Collector between ``begin`` and ``end``."""
    played = Played(outage=(begin, end))
    received, prometheus = Received("ok"), Prometheus(folder, interval="1s")
    with ExitStack() as up, Provider(remember_payloads=False) as provider:
        up.enter_context(collector("grpc", received=received))
        up.enter_context(prometheus)
        real = _collector(folder, received, prometheus)
        up.enter_context(real)
        with program(provider.base_url, real.otlp, folder / "spool", seconds, rate) as process:
            follow(process, played, received, go=real.kill, come=real.restart)
        played.runs = played.final["runs"]
        played.provider_tokens = provider.delivered().input_tokens
        _wait(received, prometheus, played)
    return played


def _collector(folder: Path, received: Received, prometheus: Prometheus) -> Collector:
    smaller = {"sending_queue": {"batch": {"min_size": _MESSAGE // 10, "max_size": _MESSAGE}}}
    path = folder / "smaller.yaml"
    path.write_text(yaml.safe_dump({"exporters": {"otlp_grpc/jaeger": smaller}}), encoding="utf-8")
    return Collector(folder, received.endpoint.removeprefix("http://"), prometheus.url, (_SHIPPED, path))


def _wait(received: Received, prometheus: Prometheus, played: Played) -> None:
    """Take the figures when all has arrived, or after its time with what is missing."""
    due = time.monotonic() + _ARRIVAL
    handed_over = played.final["stats"]["export"]["traces"]["handed_over"]
    while time.monotonic() < due:
        collect(received, played)
        played.calls, played.tokens = map(prometheus.api.value, _SUMS)
        sums_are_whole = played.calls == played.runs and played.tokens == played.provider_tokens
        if sums_are_whole and len(played.spans) == handed_over:
            return
        time.sleep(0.5)  # between two looks: each asks Prometheus
