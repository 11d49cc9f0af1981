"""``make bench``: CPU time of litespan and of what it is compared with, interleaved, as medians with spread.

The figure of a variant is what it costs above ``none`` in the same round. ``--quick`` takes a minute or two,
and tells the order of size; ``--write`` puts the tables into ``docs/performance.md``.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from functools import partial
from typing import Final

import click

from benchmarks import budgets
from benchmarks.page import show
from benchmarks.workers import ROUNDS, Figures, in_fresh_processes, in_one_program, side_by_side, take_turns

_REAL_RUNS: Final = 2  # in a turn, for each that is asked for: the turns follow each other at once
_HOT_RUNS: Final = 10  # the same of the hot loop: it takes so much less
_STREAM_RUNS: Final = 5


def above(figures: Figures, variant: str) -> list[float]:
    """Return what a variant costs above no telemetry, round by round."""
    return [value - base for value, base in zip(figures[variant], figures["none"], strict=True)]


def of_variants(figures: Figures) -> list[list[str]]:
    """Return a row for each variant: what a run takes, and what of it is telemetry."""
    rows = []
    for variant, values in figures.items():
        extra = above(figures, variant)
        shown = ["", ""] if variant == "none" else [f"{statistics.median(extra):,.0f}", _spread(extra)]
        row = [budgets.LABELS[variant], f"{statistics.median(values):,.0f}", _spread(values), *shown]
        rows.append(row)
    return rows


def of_budgets(figures: Figures, *, real: bool) -> list[list[str]]:
    """Return a row for each budget of a run; that of the program only where the run is a ``real`` one."""
    litespan = above(figures, "litespan")
    apart = [f + s for f, s in zip(above(figures, "floor"), above(figures, "sdk"), strict=True)]
    where = "real run" if real else "hot loop"
    what = f"{where}: litespan / (floor + SDK tracing)"
    by_hand = above(figures, "both_unsampled"), above(figures, "both")
    rows = [
        _ratio(f"{what}, both in one program", litespan, above(figures, "both"), budgets.FULL),
        _ratio(f"{what}, each in its own", litespan, apart, budgets.FULL),
        _ratio(f"{where}: unsampled / sampled", above(figures, "unsampled"), litespan, budgets.UNSAMPLED),
        _ratio(f"{where}: unsampled / sampled, by hand", *by_hand),
    ]
    if real:
        rows += [
            _ratio("real run: with / without", figures["litespan"], figures["none"], budgets.PROGRAM),
            _ratio("real run: with / the SDK's tracing alone", figures["litespan"], figures["sdk"]),
        ]
    return rows


def _ratio(what: str, cost: Sequence[float], of: Sequence[float], budget: float | None = None) -> list[str]:
    """Return the median of the ratios of the rounds, and their spread: in each, the speed hardly changes."""
    return _figure(what, [one / other for one, other in zip(cost, of, strict=True)], budget, 2)


def _figure(what: str, values: Sequence[float], budget: float | None, digits: int) -> list[str]:
    return [
        what,
        f"{statistics.median(values):,.{digits}f}",
        _spread(values, digits),
        _limit(budget, digits),
    ]


def _limit(budget: float | None, digits: int) -> str:
    return "" if budget is None else f"{budget:,.{digits}f}"


def _spread(values: Sequence[float], digits: int = 0) -> str:
    low, _, high = statistics.quantiles(values, n=4)
    return f"{low:,.{digits}f} to {high:,.{digits}f}"


def _measured(
    benchmark: str, sets: int, runs: int, variants: Sequence[str] = tuple(budgets.LABELS)
) -> Figures:
    begin = partial(side_by_side, benchmark, variants)
    return take_turns(benchmark, begin, variants, sets=sets, runs=runs)


@click.command()
@click.option(
    "--sets", default=4, show_default=True, help=f"Sets of new processes, for {ROUNDS} rounds each."
)
@click.option("--runs", default=5, show_default=True, help="Runs of a variant in one round, at the least.")
@click.option(
    "--quick", is_flag=True, help="Take one set of processes: the order of size in a minute or two."
)
@click.option("--write", is_flag=True, help="Put the tables into docs/performance.md.")
def main(sets: int, runs: int, *, quick: bool, write: bool) -> None:
    """Measure and print."""
    sets, processes = (1, 2) if quick else (sets, 5)
    head = ("CPU microseconds", "median", "middle half", "above none", "middle half")
    variants = tuple(budgets.LABELS)
    real = take_turns("real", in_one_program, variants, sets=sets, runs=runs * _REAL_RUNS)
    show("real", head, of_variants(real), write=write)
    hot = _measured("hot", sets, runs * _HOT_RUNS)
    show("hot", head, of_variants(hot), write=write)
    streams = _measured("streams", sets, _STREAM_RUNS, ("none", "litespan"))
    chunks = [value / budgets.CHUNKS for value in above(streams, "litespan")]
    calls = _measured("calls", sets, runs * _HOT_RUNS, ("none", "litespan"))
    imports = [seconds * 1e3 for seconds in in_fresh_processes("importing", processes)]
    prices = [seconds * 1e6 for seconds in in_fresh_processes("pricing", processes)]
    rows = [
        *of_budgets(hot, real=False),
        *of_budgets(real, real=True),
        _figure("a call of LiteLLM alone, microseconds", above(calls, "litespan"), None, 0),
        _figure("a chunk of a stream, microseconds", chunks, budgets.CHUNK, 2),
        _figure("import and set-up over both hosts, milliseconds", imports, budgets.IMPORT, 0),
        _figure("pricing a call, microseconds", prices, budgets.PRICE, 1),
    ]
    show("budgets", ("", "measured", "steadiness", "budget"), rows, write=write)


if __name__ == "__main__":
    main()
