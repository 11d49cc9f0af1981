"""What the servers needed under load, and from that what they need at any other rate.

A process needs something at any rate, and something for each span. Two measurements tell both apart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).resolve().parents[2] / "docs" / "scale-measured.json"

GATEWAYS: Final = ("gateway-1", "gateway-2")
COLLECTORS: Final = ("agent", *GATEWAYS)
"""Those whose memory goes by the spans in it. Kafka and Jaeger take what their settings give them."""

USABLE: Final = 0.85
"""The share of a machine's cores to plan with: the rest is for the kernel, for bursts, and for waiting."""

DECIDED: Final = 230
"""Bytes of a gateway's memory for each trace that it remembers its decision about, up to 600,000 of them.

Measured: 400,000 traces of one span made a gateway (Collector 0.145.0) larger by 93 MB.
"""


@dataclass(frozen=True)
class Load:
    """What agent, gateways, Kafka, Jaeger and the sender needed while spans came in at a steady rate.

    Attributes:
        seconds: how long it was measured.
        spans_per_second: spans that came through: that were stored, or not chosen.
        kept_share: the part of the spans that the gateways kept, from 0 to 1.
        seconds_held: how long a gateway had a span in its memory, on average.
        decided: traces that the gateways had decided about in the end, since their start.
        cores: CPU seconds a second, by process.
        memory: the most resident memory of each server, in bytes.
        wire: bytes of a span, OTLP protobuf from programs, not compressed.
        kafka: bytes by which Kafka's log grew for each span that was kept.
        stored: the same of Jaeger's storage.
    """

    seconds: float
    spans_per_second: float
    kept_share: float
    seconds_held: float
    decided: float
    cores: Mapping[str, float]
    memory: Mapping[str, float]
    wire: float
    kafka: float
    stored: float


@dataclass(frozen=True)
class Line:
    """A need that grows with the rate: `fixed` at any rate, and `each` for every span a second."""

    fixed: float
    each: float

    def at(self, spans_per_second: float) -> float:
        """Return the need at a rate."""
        return self.fixed + self.each * spans_per_second


@dataclass(frozen=True)
class Needs:
    """What each process needs, by its name.

    Attributes:
        cores: CPU, in cores.
        memory: resident memory of the Collectors, in bytes, if they hold spans as long as they were measured;
            without what gateways remember of traces that they have decided about.
        held: bytes in the gateways' memory for each span that waits for their decision.
    """

    cores: Mapping[str, Line]
    memory: Mapping[str, Line]
    held: float

    def all_cores(self, spans_per_second: float) -> float:
        """Return the CPU of all processes together, in cores."""
        return sum(line.at(spans_per_second) for line in self.cores.values())

    def of_gateways(self, spans_per_second: float, decided: float) -> float:
        """Return the memory of all gateways together, in bytes, after so many decisions."""
        return sum(self.memory[name].at(spans_per_second) for name in GATEWAYS) + decided * DECIDED

    def highest_rate(self, cores: int) -> float:
        """Return the spans a second that a machine holds when all processes share its cores."""
        lines = self.cores.values()
        return (USABLE * cores - sum(line.fixed for line in lines)) / sum(line.each for line in lines)


@dataclass(frozen=True)
class Measured:
    """The loads at two low rates, and at the highest rate that the machine held.

    Attributes:
        machine_cores: the cores of the machine.
    """

    machine_cores: int
    low: Load
    middle: Load
    highest: Load

    def needs(self) -> Needs:
        """Work out what is needed at any rate from the two low ones; the highest one has no part in it."""
        return needs(self.low, self.middle)


def needs(low: Load, middle: Load) -> Needs:
    """Work out what is needed at any rate from what was at two of them."""
    rates = low.spans_per_second, middle.spans_per_second

    def line(first: float, second: float) -> Line:
        each = (second - first) / (rates[1] - rates[0])
        # Nothing is cheaper for more spans, or less than nothing: what looks so is the spread of two figures.
        if each < 0:
            return Line((first + second) / 2, 0.0)
        fixed = first - each * rates[0]
        return Line(fixed, each) if fixed >= 0 else Line(0.0, second / rates[1])

    memory = {name: line(_without_cache(low, name), _without_cache(middle, name)) for name in COLLECTORS}
    return Needs(
        cores={name: line(cores, middle.cores[name]) for name, cores in low.cores.items()},
        memory=memory,
        held=sum(memory[name].each for name in GATEWAYS) / middle.seconds_held,
    )


def _without_cache(load: Load, name: str) -> float:
    cache = load.decided / len(GATEWAYS) * DECIDED if name in GATEWAYS else 0.0
    return load.memory[name] - cache


def read() -> Measured:
    """Return what was measured last."""
    content = json.loads(FILE.read_text(encoding="utf-8"))
    low, middle, highest = (Load(**content[name]) for name in ("low", "middle", "highest"))
    return Measured(content["machine_cores"], low, middle, highest)


def write(measured: Measured) -> None:
    """Keep it, with four digits."""
    FILE.write_text(json.dumps(_rounded(asdict(measured)), indent=2) + "\n", encoding="utf-8")


def _rounded(figures: dict[str, Any]) -> Any:
    return json.loads(json.dumps(figures), parse_float=lambda text: float(f"{float(text):.4g}"))
