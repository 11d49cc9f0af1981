"""``make bench-memory``: what 100,000 runs leave in memory, beside programs that do them without litespan.

The resident set is what the machine has to give. It grows until OpenTelemetry's queues were full once and the
allocator has what it needs, so growth is counted from a fifth of the runs on. ``tracemalloc`` counts the
bytes that Python has allocated and not freed. It makes a program several times slower, so it sees the last
tenth of the runs only. Tables of a bounded size replace what it has not seen, so growth is counted only after
it has seen them full.
"""

from __future__ import annotations

import asyncio
import gc
import json
import tracemalloc
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final

import click
import psutil

import litespan
from benchmarks import budgets, hot
from benchmarks.page import Rows, show
from benchmarks.workers import start

_WARM_UP: Final = 1_000
_VARIANTS: Final = ("none", "sdk", "litespan")

# Bytes: ``begin``, ``warm`` and ``end`` of the resident set, ``traced`` by tracemalloc.
Figures = Mapping[str, Mapping[str, int]]


def measure(runs: int) -> Figures:
    """Let all variants do so many runs, side by side."""
    with ExitStack() as stack:
        inside = ("benchmarks.memory", "--runs", str(runs), "--inside")
        workers = {variant: start(stack, *inside, variant) for variant in _VARIANTS}
        return {v: json.loads(w.stdout.readline()) for v, w in workers.items()}  # type: ignore[union-attr]


async def inside(variant: str, runs: int) -> dict[str, int]:
    """Do so many runs, and return what is in memory afterwards."""
    run, traced = hot.prepare(variant), runs // 10

    async def repeat(times: int) -> int:
        for _ in range(times):
            await run()
        litespan.flush(10)  # spans that wait for their export are no leak
        gc.collect()
        return int(psutil.Process().memory_info().rss)

    begin = await repeat(_WARM_UP)
    warm = await repeat(runs // 5)
    end = await repeat(runs - runs // 5 - traced)
    tracemalloc.start()  # after the look at the resident set: it takes memory itself
    await repeat(_WARM_UP)
    full = tracemalloc.get_traced_memory()[0]
    await repeat(traced)
    return {"begin": begin, "warm": warm, "end": end, "traced": tracemalloc.get_traced_memory()[0] - full}


def rows(figures: Figures) -> Rows:
    """Return a row for each variant, in megabytes."""
    return [[budgets.LABELS[variant], *_megabytes(**found)] for variant, found in figures.items()]


def _megabytes(begin: int, warm: int, end: int, traced: int) -> list[str]:
    return [f"{number / 1e6:,.1f}" for number in (begin, warm, end, end - warm, traced)]


@click.command()
@click.option("--inside", "within", hidden=True, help="Variant to run, in a process of its own.")
@click.option("--runs", default=100_000, show_default=True, help="Runs of each variant.")
@click.option("--write", is_flag=True, help="Put the table into docs/performance.md.")
def main(within: str | None, runs: int, *, write: bool) -> None:
    """Measure and print."""
    if within:
        click.echo(json.dumps(asyncio.run(inside(within, runs))))
        return
    head = (
        f"MB, {runs:,} runs",
        f"resident after {_WARM_UP:,}",
        f"after {runs // 5:,}",
        f"after {runs - runs // 10:,}",
        "grown since",
        "traced, last tenth",
    )
    show("memory", head, rows(measure(runs)), write=write)


if __name__ == "__main__":
    main()
