"""``make bench-instructions``: machine instructions of a run, counted by valgrind's callgrind.

Time differs from one moment to the next, and so do ratios of times on a busy machine; these counts come out
the same within a percent. What they leave out is how long an instruction waits for memory.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import click

from benchmarks import budgets
from benchmarks.page import Rows, show
from benchmarks.worker import Run, choose
from benchmarks.workers import ENVIRONMENT

_WARM_UP: Final = {"hot": budgets.WHOLE_BATCHES, "streams": 30}
_RUNS: Final = {"hot": budgets.WHOLE_BATCHES, "streams": 1}
_VARIANTS: Final = {"hot": tuple(budgets.LABELS), "streams": ("none", "litespan")}
_FULL: Final = "litespan / (floor + SDK tracing)"
_COLLECTED: Final = re.compile(r"Collected\s*:\s*(\d+)")


def count(benchmark: str, variant: str) -> float:
    """Return the instructions of one run, as callgrind counts them in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}"]
        command += [sys.executable, "-m", "benchmarks.instructions", "--inside", benchmark, variant]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)  # noqa: S603
    found = _COLLECTED.search(done.stderr)
    if found is None:
        raise click.ClickException(f"{benchmark} {variant} was not counted: {done.stderr[-2000:]}")
    return int(found[1]) / _RUNS[benchmark]


async def inside(benchmark: str, run: Run) -> None:
    """Run warm, then have some runs counted. Garbage is not collected meanwhile: when it is, is chance."""
    for _ in range(_WARM_UP[benchmark]):
        await run()
    gc.collect()
    gc.freeze()
    gc.disable()
    _control("on")
    for _ in range(_RUNS[benchmark]):
        await run()
    _control("off")


def _control(switch: str) -> None:
    subprocess.run(["callgrind_control", "-i", switch, str(os.getpid())], check=True, capture_output=True)  # noqa: S603, S607


def of_runs(counts: Mapping[str, float]) -> Rows:
    """Return a row for each variant: instructions of a run, in thousands, and those above no telemetry."""
    base = counts["none"]
    return [[budgets.LABELS[v], f"{n / 1e3:,.0f}", f"{(n - base) / 1e3:,.0f}"] for v, n in counts.items()]


def of_ratios(counts: Mapping[str, float]) -> Rows:
    """Return the ratios that have a budget."""
    above = {variant: n - counts["none"] for variant, n in counts.items()}
    together = above["litespan"] / above["both"]
    apart = above["litespan"] / (above["floor"] + above["sdk"])
    unsampled = above["unsampled"] / above["litespan"]
    by_hand = above["both_unsampled"] / above["both"]
    return [
        [f"{_FULL}, both in one program", f"{together:.2f}", f"budget {budgets.FULL}"],
        [f"{_FULL}, each in its own", f"{apart:.2f}", f"budget {budgets.FULL}"],
        ["unsampled / sampled", f"{unsampled:.2f}", f"budget {budgets.UNSAMPLED}"],
        ["unsampled / sampled, by hand", f"{by_hand:.2f}", ""],
    ]


def of_chunks(counts: Mapping[str, float]) -> Rows:
    """Return what a chunk of a stream costs above the bare stream."""
    thousands = (counts["litespan"] - counts["none"]) / budgets.CHUNKS / 1e3
    return [["a chunk of a stream, above the bare one", f"{thousands:,.1f}", ""]]


def _counted(pool: ThreadPoolExecutor, benchmark: str) -> dict[str, float]:
    variants = _VARIANTS[benchmark]
    return dict(zip(variants, pool.map(lambda v: count(benchmark, v), variants), strict=True))


@click.command()
@click.option(
    "--inside", "within", nargs=2, hidden=True, help="Benchmark and variant to run, under valgrind."
)
@click.option("--write", is_flag=True, help="Put the table into docs/performance.md.")
def main(within: tuple[str, str] | None, *, write: bool) -> None:
    """Count and print."""
    if within:
        asyncio.run(inside(within[0], choose(*within)))
        return
    if shutil.which("valgrind") is None:
        raise click.ClickException("valgrind is not installed; without it no instruction can be counted.")
    with ThreadPoolExecutor(max_workers=2) as pool:
        hot, streams = _counted(pool, "hot"), _counted(pool, "streams")
    head = ("thousands of instructions", "a run", "above none")
    show("instructions", head, [*of_runs(hot), *of_ratios(hot), *of_chunks(streams)], write=write)


if __name__ == "__main__":
    main()
