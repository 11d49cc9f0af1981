"""The tables of docs/scale.md, from what was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Final

from tools.sizing.load import GATEWAYS, Measured, Needs
from tools.sizing.model import DAY, HOUR, Prediction, SpanSizes, predict
from tools.sizing.traffic import Traffic

RATES: Final = (100, 1_000, 10_000)
"""Spans a second."""

KEPT: Final = 0.2
"""The share of spans that the gateways keep: of ten runs one for a reason, and a tenth of the rest."""

RUN_SECONDS: Final = 60
AFTER_ROOT: Final = 15
"""Seconds that a run takes, and that a gateway waits after its end (SAMPLING_AFTER_ROOT)."""

UNKNOWN: Final = "not measured"

Table = tuple[Sequence[str], Sequence[Sequence[str]]]


def tables(traffic: Traffic, measured: Measured) -> Mapping[str, Table]:
    """Return titles and rows of each table, by its name in the page."""
    needs = measured.needs()
    # What a span takes in the storage is the same part of its size as of the measured ones.
    stored = traffic.sizes.plain * measured.highest.stored / measured.highest.wire
    sizes = replace(traffic.sizes, held=needs.held, stored=stored)
    return {
        "span": _of_spans(sizes),
        "sizing": _of_rates(traffic, sizes, needs),
        "metrics": _of_processes(traffic),
        "load": _of_needs(needs),
        "rate": _of_the_highest_rate(traffic, measured, needs),
    }


def _of_spans(sizes: SpanSizes) -> Table:
    words = {
        "plain": "from a program, and in the queues on disk (OTLP protobuf)",
        "gzip": "from an agent to a gateway (gzip)",
        "kafka": "in Kafka, one copy (zstd)",
        "held": "in a gateway's memory, until it decides",
        "stored": "in Jaeger's storage (Badger)",
    }
    known = asdict(sizes)
    rows = [(title, f"{known[name]:,.0f}") for name, title in words.items()]
    return ("where", "bytes a span"), rows


def _of_rates(traffic: Traffic, sizes: SpanSizes, needs: Needs) -> Table:
    def hour(rate: int) -> Prediction:
        return predict(rate, HOUR, sizes, kept=KEPT, seconds_held=RUN_SECONDS + AFTER_ROOT)

    def day(rate: int) -> Prediction:
        return predict(rate, DAY, sizes, kept=KEPT)

    def traces(rate: int) -> float:
        return rate / traffic.spans_per_run * (RUN_SECONDS + AFTER_ROOT)

    def cores(*names: str) -> Callable[[int], str]:
        return lambda rate: f"{sum(needs.cores[name].at(rate) for name in names):.2f}"

    figures: Mapping[str, Callable[[int], str]] = {
        "runs a minute": lambda rate: f"{60 * rate / traffic.spans_per_run:,.0f}",
        "programs to agents": lambda rate: f"{size(hour(rate).wire / HOUR)}/s",
        "agents to gateways": lambda rate: f"{size(hour(rate).wire_gzip / HOUR)}/s",
        "agents' queues after an hour without gateways": lambda rate: size(hour(rate).agent_queue),
        "gateways' queues after an hour without Kafka": lambda rate: size(hour(rate).gateway_queue),
        "traces in the gateways' memory": lambda rate: f"{traces(rate):,.0f}",
        "the gateways' memory for them": lambda rate: size(hour(rate).held),
        "CPU of the agents, cores": cores("agent"),
        "CPU of the gateways": cores(*GATEWAYS),
        "CPU of Kafka": cores("kafka"),
        "CPU of Jaeger on Badger": cores("jaeger"),
        "Kafka, a day, one copy": lambda rate: size(day(rate).kafka),
        "Jaeger's storage, a day": lambda rate: size(day(rate).stored),
    }
    rows = [(title, *map(figure, RATES)) for title, figure in figures.items()]
    return ("spans a second", *(f"{rate:,}" for rate in RATES)), rows


def _of_processes(traffic: Traffic) -> Table:
    metrics = traffic.metrics
    rows = [
        (title, f"{one:,}", f"{1000 * one:,}")
        for title, one in (
            ("attribute sets", metrics.attribute_sets),
            ("series", metrics.series),
        )
    ]
    export = (
        "bytes an export (OTLP protobuf)",
        size(metrics.request_bytes),
        size(1000 * metrics.request_bytes),
    )
    return ("metrics of", "a process", "1,000 processes"), [*rows, export]


def _of_needs(needs: Needs) -> Table:
    titles = ("process", "cores at any rate", "CPU seconds per 1,000 spans", "memory", "per 1,000 spans/s")
    rows = []
    for name, line in needs.cores.items():
        memory = needs.memory.get(name)
        shown = (size(memory.fixed), size(1000 * memory.each)) if memory is not None else ("", "")
        rows.append((name, f"{line.fixed:.2f}", f"{1000 * line.each:.3f}", *shown))
    return titles, rows


def _of_the_highest_rate(traffic: Traffic, measured: Measured, needs: Needs) -> Table:
    seen = measured.highest
    rate = seen.spans_per_second
    rows = [
        _compared("spans a second", needs.highest_rate(measured.machine_cores), rate, "{:,.0f}".format),
        _compared("cores, all processes", needs.all_cores(rate), sum(seen.cores.values()), "{:.2f}".format),
        *(
            _compared(f"cores, {name}", line.at(rate), seen.cores[name], "{:.2f}".format)
            for name, line in needs.cores.items()
        ),
        _compared("memory, agent", needs.memory["agent"].at(rate), seen.memory["agent"], size),
        _compared(
            "memory, both gateways",
            needs.of_gateways(rate, seen.decided),
            sum(seen.memory[name] for name in GATEWAYS),
            size,
        ),
        _compared("bytes a span, from programs", traffic.sizes.plain, seen.wire, "{:,.0f}".format),
        _compared("bytes a kept span, in Kafka", traffic.sizes.kafka, seen.kafka, "{:,.0f}".format),
    ]
    return (f"highest rate, held for {seen.seconds:,.0f} s", "worked out", "measured", "difference"), rows


def _compared(what: str, predicted: float, seen: float, shown: Callable[[float], str]) -> Sequence[str]:
    return what, shown(predicted), shown(seen), f"{predicted / seen - 1:+.0%}"


def size(count: float | None) -> str:
    """Return a number of bytes in three digits, with a decimal unit."""
    if count is None:
        return UNKNOWN
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:  # noqa: PLR2004 - where three digits end
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB"
