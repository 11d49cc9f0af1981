"""What the chain does at the highest rate that the machine holds."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.scale.driver import Driver
from tests.scale.runs import Run
from tests.scale.servers.chain import Chain
from tests.scale.servers.process import stored_bytes

_PAUSE: Final = 0.5  # seconds between two looks
_WAITING: Final = 12_000  # spans that may wait; the queues hold back those of a second for larger batches
_WARM_UP: Final = 0.25  # of the time
_LONGEST_WARM_UP: Final = 60.0  # seconds


@dataclass(frozen=True)
class Measured:
    """Figures of one measurement. A span counts when it has come through: stored, or not chosen.

    Attributes:
        seconds: how long it was measured, after the warm-up.
        spans: how many came through in that time.
        rate_spans_per_second: the two divided.
        kept_share: which part of the spans was kept.
        cpu_seconds_per_1000_spans: by process; of all spans, not only those that this process had.
        driver_cpu_seconds_per_1000_spans: the same of the sender, which needs the machine, too.
        rss_bytes: the most memory of each process.
        gateways_grew_bytes: by how much that is more, for both gateways, than before there was a load.
        bytes_per_span_wire: from a program to the agent, as OTLP over HTTP, not compressed.
        bytes_per_span_kafka: by how much the log of the topic grew, for each span that was kept.
        bytes_per_span_stored: the same of Jaeger's storage.
    """

    seconds: float
    spans: float
    rate_spans_per_second: float
    kept_share: float
    cpu_seconds_per_1000_spans: Mapping[str, float]
    driver_cpu_seconds_per_1000_spans: float
    rss_bytes: Mapping[str, int]
    gateways_grew_bytes: int
    bytes_per_span_wire: float
    bytes_per_span_kafka: float
    bytes_per_span_stored: float


@dataclass(frozen=True)
class _Look:
    """What is read at one time."""

    at: float
    through: float
    kept: float
    in_kafka: int
    stored: float
    in_storage: int
    cpu: Mapping[str, float]
    driver_cpu: float


def measure(chain: Chain, templates: Sequence[Run], seconds: float) -> Measured:
    """Send for so long as fast as the chain takes it, and return what was seen after a warm-up."""
    before = {gateway.gateway: gateway.memory() for gateway in chain.gateways}
    with Driver(chain.otlp, templates, math.inf) as sending:
        _hold(chain, sending, min(seconds * _WARM_UP, _LONGEST_WARM_UP))
        first = _look(chain, sending)
        memory = _hold(chain, sending, seconds)
        last = _look(chain, sending)
    assert not sending.refused, f"{sending.refused} requests were refused"
    spans = last.through - first.through
    return Measured(
        seconds=last.at - first.at,
        spans=spans,
        rate_spans_per_second=spans / (last.at - first.at),
        kept_share=last.kept / sum(gateway.spans_received() for gateway in chain.gateways),
        cpu_seconds_per_1000_spans={
            name: (last.cpu[name] - first.cpu[name]) / spans * 1000 for name in chain.processes
        },
        driver_cpu_seconds_per_1000_spans=(last.driver_cpu - first.driver_cpu) / spans * 1000,
        rss_bytes=memory,
        gateways_grew_bytes=sum(memory[name] - idle for name, idle in before.items()),
        bytes_per_span_wire=sending.size / sending.spans,
        bytes_per_span_kafka=(last.in_kafka - first.in_kafka) / (last.kept - first.kept),
        bytes_per_span_stored=(last.in_storage - first.in_storage) / (last.stored - first.stored),
    )


def _hold(chain: Chain, sending: Driver, seconds: float) -> Mapping[str, int]:
    """Send while not too much waits; return the most memory of each process."""
    most = dict.fromkeys(chain.processes, 0)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(_PAUSE)
        if waiting(chain, sending) < _WAITING:
            sending.go.set()
        else:
            sending.go.clear()
        most = {name: max(most[name], process.memory()) for name, process in chain.processes.items()}
    return most


def waiting(chain: Chain, sending: Driver) -> float:
    """Return how many spans are in queues; those that the gateways hold on purpose do not count."""
    gateways = chain.gateways
    queued = sum(gateway.queued() for gateway in gateways) * sending.spans / max(sending.size, 1)
    in_kafka = sum(gateway.spans_sent() for gateway in gateways) - chain.jaeger.spans_stored()
    sent = sending.spans
    return sent - sum(gateway.spans_received() for gateway in gateways) + queued + in_kafka


def _look(chain: Chain, sending: Driver) -> _Look:
    return _Look(
        time.monotonic(),
        sending.spans - waiting(chain, sending),
        sum(gateway.spans_sent() for gateway in chain.gateways),
        chain.broker.topic_bytes(),
        chain.jaeger.spans_stored(),
        stored_bytes(chain.jaeger.data),
        {name: process.cpu_seconds() for name, process in chain.processes.items()},
        time.process_time(),
    )
