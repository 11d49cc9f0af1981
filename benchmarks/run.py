"""``make bench``: CPU time per run of each variant, interleaved, as medians with their spread.

All variants run at the same time in processes of their own and take turns, so that a machine that becomes
slower becomes slower for all. The figure of a variant is what it costs above ``none`` in the same round.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.worker import VARIANTS

BUDGET: Final = 1.25
_LABELS: Final = {
    "none": "no telemetry",
    "sdk": "the SDK's tracing alone",
    "floor": "written by hand (benchmarks/floor.py)",
    "litespan": "litespan",
    "unsampled": "litespan, nothing sampled",
}


def _start(stack: ExitStack, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(  # noqa: S603 - our own modules
        [sys.executable, "-m", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONHASHSEED": "0"},
    )
    stack.callback(process.wait, 10)
    stack.callback(process.stdin.close)  # type: ignore[union-attr]
    return process


def _ask(process: subprocess.Popen[str], runs: int) -> float:
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
    process.stdin.write(f"{runs}\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise click.ClickException("A variant of the benchmark has ended; its error is above.")
    return float(answer) / runs * 1e6


def measure(rounds: int, runs: int, show: Callable[[range], object]) -> dict[str, list[float]]:
    """Return CPU microseconds per run by variant, one figure per round."""
    with ExitStack() as stack:
        provider = _start(stack, "benchmarks.provider")
        base_url = provider.stdout.readline().strip()  # type: ignore[union-attr]
        workers = {v: _start(stack, "benchmarks.worker", v, base_url) for v in VARIANTS}
        for worker in workers.values():
            _ask(worker, runs)
        figures: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
        for turn in show(range(rounds)):  # type: ignore[attr-defined]
            # Every round begins with another variant, so that none is always the first.
            order = VARIANTS[turn % len(VARIANTS) :] + VARIANTS[: turn % len(VARIANTS)]
            for variant in order:
                figures[variant].append(_ask(workers[variant], runs))
        return figures


def _spread(values: list[float]) -> str:
    low, _, high = statistics.quantiles(values, n=4)
    return f"{low:,.0f} - {high:,.0f}"


def report(figures: dict[str, list[float]], console: Console) -> float:
    """Print the table and return litespan's cost as a share of floor plus SDK tracing."""
    above = {
        variant: [value - base for value, base in zip(values, figures["none"], strict=True)]
        for variant, values in figures.items()
    }
    table = Table(title="CPU per run (2 model calls, 1 tool call), microseconds")
    for column in ("", "median", "middle half", "above no telemetry", "middle half"):
        table.add_column(column, justify="left" if not column else "right")
    for variant, values in figures.items():
        extra = (f"{statistics.median(above[variant]):,.0f}", _spread(above[variant]))
        shown = ("", "") if variant == "none" else extra
        table.add_row(_LABELS[variant], f"{statistics.median(values):,.0f}", _spread(values), *shown)
    console.print(table)
    allowed = statistics.median(above["floor"]) + statistics.median(above["sdk"])
    ratio = statistics.median(above["litespan"]) / allowed
    console.print(f"litespan / (floor + SDK tracing) = {ratio:.2f} (budget {BUDGET})")
    base = statistics.median(figures["none"])
    console.print(f"litespan / no telemetry = {1 + statistics.median(above['litespan']) / base:.3f}")
    unsampled = statistics.median(above["unsampled"]) / statistics.median(above["litespan"])
    console.print(f"unsampled / sampled = {unsampled:.2f}")
    return ratio


@click.command()
@click.option("--rounds", default=40, show_default=True, help="Rounds in which every variant takes its turn.")
@click.option("--runs", default=25, show_default=True, help="Runs of a variant in one round.")
def main(rounds: int, runs: int) -> None:
    """Measure and print."""
    console = Console()
    figures = measure(rounds, runs, lambda turns: track(turns, "rounds", console=Console(stderr=True)))
    report(figures, console)


if __name__ == "__main__":
    main()
