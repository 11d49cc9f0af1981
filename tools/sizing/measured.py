"""What the chain of servers was measured to need under load: docs/scale-measured.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).resolve().parents[2] / "docs" / "scale-measured.json"


@dataclass(frozen=True)
class Measured:
    """A run of agent, gateways, Kafka and Jaeger at the highest rate that the machine held.

    Attributes:
        rate_spans_per_second: the rate.
        seconds: how long it was held.
        cpu_seconds_per_1000_spans: by process; of spans that were sent, whether or not they were kept.
        kept_share: the part of the spans that the gateways kept, from 0 to 1.
        rss_bytes: the most memory, by process.
        bytes_per_span_wire: OTLP protobuf from programs, not compressed.
        bytes_per_span_kafka: what Kafka's log grew by, for each span that was kept.
        bytes_per_span_stored: what Jaeger's storage grew by, for each span that was kept.
    """

    rate_spans_per_second: float
    seconds: float
    kept_share: float
    cpu_seconds_per_1000_spans: Mapping[str, float]
    rss_bytes: Mapping[str, float]
    bytes_per_span_wire: float
    bytes_per_span_kafka: float
    bytes_per_span_stored: float


def read() -> Measured | None:
    """Return what was measured last; None if nothing was."""
    if not FILE.exists():
        return None
    content = json.loads(FILE.read_text(encoding="utf-8"))
    return Measured(**{name: content[name] for name in Measured.__dataclass_fields__})
