"""``make bench``: CPU time of litespan and of what it is compared with, interleaved, as medians with spread.

All variants run at the same time in processes of their own and take turns, so that a machine that becomes
slower becomes slower for all. The figure of a variant is what it costs above ``none`` in the same round.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Final

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

BUDGET: Final = 1.25  # of the floor and the SDK's tracing together
UNSAMPLED_BUDGET: Final = 0.5  # of litespan with everything sampled
CHUNK_BUDGET: Final = 2.0  # microseconds
PRICE_BUDGET: Final = 10.0  # microseconds
PROCESSES: Final = 5

_LABELS: Final = {
    "none": "no telemetry",
    "sdk": "the SDK's tracing alone",
    "floor": "written by hand (benchmarks/floor.py)",
    "litespan": "litespan",
    "unsampled": "litespan, nothing sampled",
}
_ENVIRONMENT: Final = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONHASHSEED": "0"}

# CPU microseconds by variant, one figure per round.
Figures = dict[str, list[float]]


class Workers:
    """One process per variant of a benchmark."""

    def __init__(self, stack: ExitStack, benchmark: str, variants: Iterable[str], base_url: str) -> None:
        self._workers = {v: start(stack, "benchmarks.worker", benchmark, v, base_url) for v in variants}

    def measure(self, name: str, rounds: int, runs: int) -> Figures:
        """Let every variant take its turn in every round; the first round only warms up."""
        figures: Figures = {variant: [] for variant in self._workers}
        variants = tuple(self._workers)
        for turn in track(range(rounds + 1), name, console=Console(stderr=True)):
            # Every round begins with another variant, so that none is always the first.
            first = turn % len(variants)
            for variant in variants[first:] + variants[:first]:
                seconds = ask(self._workers[variant], runs)
                if turn:
                    figures[variant].append(seconds / runs * 1e6)
        return figures


def start(stack: ExitStack, *arguments: str) -> subprocess.Popen[str]:
    """Start a module of ours; it ends with the stack."""
    process = subprocess.Popen(  # noqa: S603 - our own modules
        [sys.executable, "-m", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=_ENVIRONMENT,
    )
    stack.callback(process.wait, 60)
    stack.callback(process.stdin.close)  # type: ignore[union-attr]
    return process


def ask(process: subprocess.Popen[str], runs: int) -> float:
    """Return the CPU seconds that a worker takes for some runs."""
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
    process.stdin.write(f"{runs}\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise click.ClickException("A variant of the benchmark has ended; its error is above.")
    return float(answer)


def above(figures: Mapping[str, Sequence[float]], variant: str) -> list[float]:
    """Return what a variant costs above no telemetry, round by round."""
    return [value - base for value, base in zip(figures[variant], figures["none"], strict=True)]


def report_runs(title: str, figures: Figures, console: Console) -> None:
    """Print the variants of one run, and litespan's cost as a share of its budgets."""
    table = Table(title=title)
    for column in ("", "median", "middle half", "least", "above none", "middle half"):
        table.add_column(column, justify="right" if column else "left")
    for variant, values in figures.items():
        extra = above(figures, variant)
        shown = ("", "") if variant == "none" else (f"{statistics.median(extra):,.0f}", _spread(extra))
        least = f"{min(values):,.0f}"
        table.add_row(_LABELS[variant], f"{statistics.median(values):,.0f}", _spread(values), least, *shown)
    console.print(table)
    litespan = above(figures, "litespan")
    allowed = [f + s for f, s in zip(above(figures, "floor"), above(figures, "sdk"), strict=True)]
    _say(console, "litespan / (floor + SDK tracing)", _ratio(litespan, allowed), BUDGET)
    _say(console, "unsampled / sampled", _ratio(above(figures, "unsampled"), litespan), UNSAMPLED_BUDGET)
    base = statistics.median(figures["none"])
    console.print(f"litespan / no telemetry = {1 + statistics.median(litespan) / base:.3f}\n")


def report_chunks(figures: Figures, console: Console) -> None:
    """Print what a chunk of a stream costs above the bare stream."""
    from benchmarks.streams import CHUNKS

    chunks = [value / CHUNKS for value in above(figures, "litespan")]
    cost, spread = statistics.median(chunks), _spread(chunks, digits=2)
    console.print(f"A chunk of a stream: {cost:.2f} microseconds ({spread}; budget {CHUNK_BUDGET})")


def report_imports(console: Console) -> None:
    """Print what importing and setting up litespan costs over agents and LiteLLM."""
    milliseconds = [seconds * 1e3 for seconds in _repeated("importing")]
    cost, spread = statistics.median(milliseconds), _spread(milliseconds)
    console.print(f"Import and set-up over agents and LiteLLM: {cost:.0f} milliseconds ({spread})")


def report_prices(console: Console) -> None:
    """Print what pricing a call costs."""
    microseconds = [seconds * 1e6 for seconds in _repeated("pricing")]
    cost, spread = statistics.median(microseconds), _spread(microseconds, digits=1)
    console.print(f"Pricing a call: {cost:.1f} microseconds ({spread}; budget {PRICE_BUDGET})")


def _repeated(module: str) -> list[float]:
    """Return what a benchmark prints, in a fresh process each time."""
    command = [sys.executable, "-m", f"benchmarks.{module}"]
    printed = []
    for _ in track(range(PROCESSES), module, console=Console(stderr=True)):
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=_ENVIRONMENT)  # noqa: S603
        printed.append(float(done.stdout))
    return printed


def _spread(values: Sequence[float], digits: int = 0) -> str:
    low, _, high = statistics.quantiles(values, n=4)
    return f"{low:,.{digits}f} - {high:,.{digits}f}"


def _ratio(cost: Sequence[float], of: Sequence[float]) -> list[float]:
    """Return the ratio of the medians, and those of the halves of the rounds, which tell how steady it is."""
    half = len(cost) // 2
    parts = (slice(None), slice(half), slice(half, None))
    return [statistics.median(cost[part]) / statistics.median(of[part]) for part in parts]


def _say(console: Console, what: str, ratios: Sequence[float], budget: float) -> None:
    whole, first, second = ratios
    console.print(f"{what} = {whole:.2f} (halves of the rounds: {first:.2f}, {second:.2f}; budget {budget})")


@click.command()
@click.option("--rounds", default=30, show_default=True, help="Rounds in which every variant takes its turn.")
@click.option("--runs", default=25, show_default=True, help="Runs of a variant in one round.")
def main(rounds: int, runs: int) -> None:
    """Measure and print."""
    console = Console()
    with ExitStack() as stack:
        provider = start(stack, "benchmarks.provider")
        base_url = provider.stdout.readline().strip()  # type: ignore[union-attr]
        real = Workers(stack, "real", _LABELS, base_url).measure("real runs", rounds, runs)
    report_runs("A real run (2 model calls, 1 tool call): CPU microseconds", real, console)
    with ExitStack() as stack:
        hot = Workers(stack, "hot", _LABELS, "").measure("hot loop", rounds, runs * 8)
    report_runs("The telemetry of such a run alone, in a loop: CPU microseconds", hot, console)
    with ExitStack() as stack:
        streamed = Workers(stack, "streams", ("none", "litespan"), "").measure("streams", rounds, 1)
    report_chunks(streamed, console)
    report_imports(console)
    report_prices(console)


if __name__ == "__main__":
    main()
