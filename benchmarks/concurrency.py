"""``make bench-concurrency``: whether a run costs more when thousands of others are open.

So many runs of the hot loop begin, and each waits in its first model call until all of them are there. The
figure is CPU time above the same runs without telemetry, at the same number of open ones: tasks that wait
cost the loop something, too.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Final

import click
from rich.console import Console
from rich.progress import track

from benchmarks import hot
from benchmarks.page import Rows, show
from benchmarks.worker import stay_on_one_processor
from benchmarks.workers import ask, start

OPEN: Final = (1, 10, 100, 1_000, 10_000)
_LEAST: Final = 1_000  # runs of a variant in one round, however few are open at once
_VARIANTS: Final = ("none", "sdk", "both", "litespan")

# CPU microseconds of a run by variant and number of open ones, one figure per round.
Figures = Mapping[tuple[str, int], Sequence[float]]


class Gate:
    """Lets nobody through until so many have come; from then on everybody."""

    def __init__(self) -> None:
        self._missing = 0
        self._open = asyncio.Event()

    def shut(self, until: int) -> None:
        """Wait for so many."""
        self._missing = until
        self._open.clear()

    async def wait(self) -> None:
        """Wait for the others."""
        self._missing -= 1
        if self._missing == 0:
            self._open.set()
        await self._open.wait()


def measure(rounds: int) -> Figures:
    """Let every variant take its turn at every number of open runs; the first round only warms up."""
    figures: dict[tuple[str, int], list[float]] = {(v, n): [] for n in OPEN for v in _VARIANTS}
    with ExitStack() as stack:
        workers = {v: start(stack, "benchmarks.concurrency", "--inside", v) for v in _VARIANTS}
        for turn in track(range(rounds + 1), "concurrency", console=Console(stderr=True)):
            for (variant, number), found in figures.items():
                seconds = ask(workers[variant], number)
                if turn:
                    found.append(seconds / max(number, _LEAST) * 1e6)
    return figures


async def inside(variant: str) -> None:
    """Answer numbers of open runs with the CPU seconds of as many runs, or of 1,000, until stdin ends."""
    gate = Gate()
    run, loop = hot.prepare(variant, gate.wait), asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        gc.collect()
        number = int(line)
        began = time.process_time()
        for _ in range(max(1, _LEAST // number)):
            gate.shut(until=number)
            await asyncio.gather(*(run() for _ in range(number)))
        print(time.process_time() - began, flush=True)  # noqa: T201 - the answer to the parent


def rows(figures: Figures) -> Rows:
    """Return a row for each number of open runs; each is compared with a single one in its round."""
    return [_row(figures, number) for number in OPEN]


def _row(figures: Figures, number: int) -> list[str]:
    costs = [figures["none", number], *(_above(figures, variant, number) for variant in _VARIANTS[1:])]
    shown = [f"{statistics.median(cost):,.0f}" for cost in costs]
    for variant in _VARIANTS[2:]:
        pairs = zip(_above(figures, variant, number), _above(figures, variant, 1), strict=True)
        low, middle, high = statistics.quantiles((many / one for many, one in pairs), n=4)
        shown.append(f"{middle:.2f} ({low:.2f} to {high:.2f})")
    return [f"{number:,}", *shown]


def _above(figures: Figures, variant: str, number: int) -> list[float]:
    pairs = zip(figures[variant, number], figures["none", number], strict=True)
    return [value - base for value, base in pairs]


@click.command()
@click.option("--inside", "within", hidden=True, help="Variant to run, in a process of its own.")
@click.option("--rounds", default=9, show_default=True, help="Rounds in which everything takes its turn.")
@click.option("--write", is_flag=True, help="Put the table into docs/performance.md.")
def main(within: str | None, rounds: int, *, write: bool) -> None:
    """Measure and print."""
    if within:
        stay_on_one_processor()
        asyncio.run(inside(within))
        return
    head = (
        "runs open at once",
        "no telemetry",
        "SDK tracing",
        "by hand, with it",
        "litespan",
        "by hand, ratio to 1 open",
        "litespan, ratio to 1 open",
    )
    show("concurrency", head, rows(measure(rounds)), write=write)


if __name__ == "__main__":
    main()
