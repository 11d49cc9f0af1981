"""What the chain of servers needs at a rate, and at the highest one that the machine holds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.scale.driver import Driver
from tests.scale.servers.chain import Chain
from tests.scale.servers.process import stored_bytes
from tools.sizing.load import Load

_PAUSE: Final = 0.5  # seconds between two looks
_WAITING: Final = 2.0  # seconds of spans that may wait; the queues hold back those of one for larger batches
_FASTER: Final = 1.006  # times the rate, at each look
_SLOWER: Final = 0.98
_SENDER: Final = "sender"


@dataclass(frozen=True)
class _Look:
    """What is read at one time. A span is `through` when it is stored, or was not chosen."""

    at: float
    through: float
    kept: float
    received: float
    in_kafka: int
    stored: float
    in_storage: int
    cpu: Mapping[str, float]


def measure(chain: Chain, sending: Driver, warm_up: float, seconds: float, *, highest: bool = False) -> Load:
    """Send spans at the sender's rate, and return what was seen after a warm-up.

    Args:
        chain: the servers; nobody else sends to them.
        sending: has begun.
        warm_up: seconds; at least as long as gateways hold a run.
        seconds: how long to measure afterwards.
        highest: go on from that rate to the highest one that the chain takes. That must be done slowly: what
            is sent now, Jaeger stores when the gateways have decided.
    """
    _hold(chain, sending, warm_up, highest=highest)
    first = _look(chain, sending)
    memory, held = _hold(chain, sending, seconds, highest=highest)
    last = _look(chain, sending)
    assert not sending.refused, f"{sending.refused} requests were refused"
    spent, spans, kept = last.at - first.at, last.through - first.through, last.kept - first.kept
    return Load(
        seconds=spent,
        spans_per_second=spans / spent,
        kept_share=kept / (last.received - first.received),
        seconds_held=held / spans * spent,
        decided=sum(gateway.traces_decided() for gateway in chain.gateways),
        cores={name: (last.cpu[name] - first.cpu[name]) / spent for name in last.cpu},
        memory=memory,
        wire=sending.size / sending.spans,
        kafka=(last.in_kafka - first.in_kafka) / kept,
        stored=(last.in_storage - first.in_storage) / (last.stored - first.stored),
    )


def _hold(chain: Chain, sending: Driver, seconds: float, *, highest: bool) -> tuple[Mapping[str, int], float]:
    """Go on sending; return the most memory of each process, and how many spans gateways hold on average."""
    most = dict.fromkeys(chain.processes, 0)
    held = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(_PAUSE)  # the pace of the measurement, while the chain works
        if highest:
            behind = waiting(chain, sending) > _WAITING * sending.rate
            sending.rate *= _SLOWER if behind else _FASTER
        most = {name: max(most[name], process.memory()) for name, process in chain.processes.items()}
        held.append(sum(gateway.spans_held() for gateway in chain.gateways))
    return most, sum(held) / len(held)


def waiting(chain: Chain, sending: Driver) -> float:
    """Return how many spans are in queues; those that the gateways hold on purpose do not count."""
    gateways = chain.gateways
    queued = sum(gateway.queued() for gateway in gateways) * sending.spans / max(sending.size, 1)
    in_kafka = sum(gateway.spans_sent() for gateway in gateways) - chain.jaeger.spans_stored()
    sent = sending.spans
    return sent - sum(gateway.spans_received() for gateway in gateways) + queued + in_kafka


def _look(chain: Chain, sending: Driver) -> _Look:
    cpu = {name: process.cpu_seconds() for name, process in chain.processes.items()}
    return _Look(
        time.monotonic(),
        sending.spans - waiting(chain, sending),
        sum(gateway.spans_sent() for gateway in chain.gateways),
        sum(gateway.spans_received() for gateway in chain.gateways),
        chain.broker.topic_bytes(),
        chain.jaeger.spans_stored(),
        stored_bytes(chain.jaeger.data),
        {**cpu, _SENDER: time.process_time()},
    )
