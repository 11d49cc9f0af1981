"""How large the servers must be, worked out from what one span was measured to need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HOUR: Final = 3600
DAY: Final = 24 * HOUR


@dataclass(frozen=True)
class SpanSizes:
    """Bytes of a span, on average. None: not measured.

    Attributes:
        plain: as OTLP protobuf in a program's request, with its share of the resource; so on disk in queues.
        gzip: the same from an agent to a gateway, in requests of a mebibyte.
        kafka: in Kafka, one message for each trace, compressed with zstd.
        held: in the memory of a gateway that has not decided yet.
        stored: in Jaeger's storage.
    """

    plain: float
    gzip: float
    kafka: float
    held: float | None = None
    stored: float | None = None


@dataclass(frozen=True)
class Prediction:
    """What a time of traffic makes, in bytes. None: what it rests on was not measured.

    Attributes:
        spans: spans that programs sent.
        wire: from programs to agents, not compressed.
        wire_gzip: from agents to gateways.
        kafka: written to Kafka, one copy.
        stored: added to Jaeger's storage.
        held: memory of all gateways together for traces that are not decided yet.
        agent_queue: on the disks of all agents together, if no gateway took anything in that time.
        gateway_queue: on the disks of all gateways together, if Kafka took nothing in that time.
    """

    spans: float
    wire: float
    wire_gzip: float
    kafka: float
    stored: float | None
    held: float | None
    agent_queue: float
    gateway_queue: float


def predict(
    spans_per_second: float, seconds: float, sizes: SpanSizes, *, kept: float = 1.0, seconds_held: float = 0.0
) -> Prediction:
    """Work out what traffic makes.

    Args:
        spans_per_second: what all programs send.
        seconds: for how long.
        sizes: the sizes of such spans.
        kept: the share of spans that the gateways keep, from 0 to 1.
        seconds_held: how long a gateway holds a span, on average, until it decides about its trace.

    Returns:
        the sums; of what stays for a while only (`held`), the amount at any moment.
    """
    spans = spans_per_second * seconds
    return Prediction(
        spans=spans,
        wire=spans * sizes.plain,
        wire_gzip=spans * sizes.gzip,
        kafka=spans * kept * sizes.kafka,
        stored=_times(spans * kept, sizes.stored),
        held=_times(spans_per_second * seconds_held, sizes.held),
        agent_queue=spans * sizes.plain,
        gateway_queue=spans * kept * sizes.plain,
    )


def _times(count: float, size: float | None) -> float | None:
    return None if size is None else count * size
