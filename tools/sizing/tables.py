"""The tables of docs/scale.md, from what was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Final

from tools.sizing.measured import Measured
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


def tables(traffic: Traffic, measured: Measured | None) -> Mapping[str, Table]:
    """Return titles and rows of each table, by its name in the page."""
    sizes = replace(traffic.sizes, stored=_stored(traffic.sizes, measured))
    return {
        "span": _of_spans(sizes),
        "sizing": _of_rates(traffic, sizes),
        "metrics": _of_processes(traffic),
        "rate": _of_the_measurement(measured),
        "load": _of_load(measured),
    }


def _stored(sizes: SpanSizes, measured: Measured | None) -> float | None:
    """Return what a span takes in the storage: the same part of its size as of the measured ones."""
    if measured is None:
        return None
    return sizes.plain * measured.bytes_per_span_stored / measured.bytes_per_span_wire


def _of_spans(sizes: SpanSizes) -> Table:
    words = {
        "plain": "from a program, and in the queues on disk (OTLP protobuf)",
        "gzip": "from an agent to a gateway (gzip)",
        "kafka": "in Kafka, one copy (zstd)",
        "held": "in a gateway's memory, until it decides",
        "stored": "in Jaeger's storage (Badger)",
    }
    known = asdict(sizes)
    rows = [
        (title, UNKNOWN if known[name] is None else f"{known[name]:,.0f}") for name, title in words.items()
    ]
    return ("where", "bytes a span"), rows


def _of_rates(traffic: Traffic, sizes: SpanSizes) -> Table:
    def hour(rate: int) -> Prediction:
        return predict(rate, HOUR, sizes, kept=KEPT, seconds_held=RUN_SECONDS + AFTER_ROOT)

    def day(rate: int) -> Prediction:
        return predict(rate, DAY, sizes, kept=KEPT)

    def traces(rate: int) -> float:
        return rate / traffic.spans_per_run * (RUN_SECONDS + AFTER_ROOT)

    figures: Mapping[str, Callable[[int], str]] = {
        "runs a minute": lambda rate: f"{60 * rate / traffic.spans_per_run:,.0f}",
        "programs to agents": lambda rate: f"{size(hour(rate).wire / HOUR)}/s",
        "agents to gateways": lambda rate: f"{size(hour(rate).wire_gzip / HOUR)}/s",
        "agents' queues after an hour without gateways": lambda rate: size(hour(rate).agent_queue),
        "gateways' queues after an hour without Kafka": lambda rate: size(hour(rate).gateway_queue),
        "traces in the gateways' memory": lambda rate: f"{traces(rate):,.0f}",
        "the gateways' memory for them": lambda rate: size(hour(rate).held),
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


def _of_the_measurement(measured: Measured | None) -> Table:
    titles = ("measured", "")
    if measured is None:
        return titles, [("all", UNKNOWN)]
    return titles, [
        ("spans a second", f"{measured.rate_spans_per_second:,.0f}"),
        ("held for", f"{measured.seconds:,.0f} s"),
        ("share of spans that was kept", f"{measured.kept_share:.0%}"),
        ("bytes a span, from programs", f"{measured.bytes_per_span_wire:,.0f}"),
        ("bytes a kept span, in Kafka", f"{measured.bytes_per_span_kafka:,.0f}"),
        ("bytes a kept span, in Jaeger's storage", f"{measured.bytes_per_span_stored:,.0f}"),
    ]


def _of_load(measured: Measured | None) -> Table:
    titles = ("process", "CPU seconds per 1,000 spans", "memory")
    if measured is None:
        return titles, [("all", UNKNOWN, UNKNOWN)]
    rows = [
        (name, f"{cpu:.3f}", size(measured.rss_bytes.get(name)))
        for name, cpu in measured.cpu_seconds_per_1000_spans.items()
    ]
    return titles, rows


def size(count: float | None) -> str:
    """Return a number of bytes in three digits, with a decimal unit."""
    if count is None:
        return UNKNOWN
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:  # noqa: PLR2004 - where three digits end
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB"
