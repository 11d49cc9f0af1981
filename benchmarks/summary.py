"""``make bench-summary``: how fast ``litespan summary`` reads what litespan's file exporter wrote.

The file holds runs of the hot loop. Seconds are those of the command with its start, which an empty file
shows; megabytes a second are without it.
"""

from __future__ import annotations

import asyncio
import gzip
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

import litespan
from benchmarks import hot
from benchmarks.page import Rows, show
from benchmarks.workers import ENVIRONMENT

_COMMAND: Final = Path(sys.executable).with_name("litespan")
_AT_ONCE: Final = 200  # runs whose spans fit the exporter's queue


def write_runs(path: Path, runs: int) -> None:
    """Write the spans of so many runs."""
    hot.replace_calls()
    litespan.configure(
        traces_exporter="litespan_file",
        traces_file=str(path),
        file_max_bytes=2**40,  # it is never rotated
        metrics_exporter="none",
    )
    for _ in range(runs // _AT_ONCE):
        asyncio.run(_repeat(_AT_ONCE))
        litespan.flush(60)
    litespan.shutdown(60)


async def _repeat(runs: int) -> None:
    for _ in range(runs):
        await hot.run()


def seconds_of(path: Path) -> float:
    """Return the seconds of CPU, user and system, that the command takes for a file."""
    command = [str(_COMMAND), "summary", str(path), "--json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)  # noqa: S603
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def rows(files: Mapping[str, Path], size: int, rounds: int) -> Rows:
    """Return the seconds for each file; the first is empty, the others have ``size`` bytes, unpacked."""
    start, made = 0.0, list[list[str]]()
    for name, path in files.items():
        low, middle, high = statistics.quantiles((seconds_of(path) for _ in range(rounds)), n=4)
        seconds = [f"{middle:,.2f}", f"{low:,.2f} to {high:,.2f}"]
        made.append([name, *seconds, f"{size / 1e6 / (middle - start):,.0f}" if made else ""])
        start = start or middle
    return made


@click.command()
@click.option("--runs", default=10_000, show_default=True, help="Runs in the file.")
@click.option("--rounds", default=5, show_default=True, help="Readings of each file.")
@click.option("--write", is_flag=True, help="Put the table into docs/performance.md.")
def main(runs: int, rounds: int, *, write: bool) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        plain, packed, empty = (Path(folder) / name for name in ("runs.jsonl", "runs.jsonl.gz", "empty"))
        empty.touch()
        write_runs(plain, runs)
        with plain.open("rb") as source, gzip.open(packed, "wb") as target:
            shutil.copyfileobj(source, target)
        size = plain.stat().st_size
        of_runs = f"{runs:,} runs, {size / 1e6:,.0f} MB"
        files = {"an empty file": empty, of_runs: plain, "the same, with gzip": packed}
        found = rows(files, size, rounds)
    head = ("litespan summary", "CPU seconds", "middle half", "MB a second")
    show("summary", head, found, write=write)


if __name__ == "__main__":
    main()
