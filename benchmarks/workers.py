"""Processes that take turns: one for each variant of a benchmark, all at the same time.

A machine that becomes slower becomes slower for all of them. Every round begins with another variant, so that
none is always the first, and all of them stay on the same processor.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Final

import click
from rich.console import Console
from rich.progress import track

ENVIRONMENT: Final = {**os.environ, "PYTHONHASHSEED": "0"}

# CPU microseconds of a run by variant, one figure per round.
Figures = Mapping[str, Sequence[float]]


def measure(  # noqa: PLR0913 - what is measured, and how often
    benchmark: str, variants: Sequence[str], base_url: str, *, sets: int, rounds: int, runs: int
) -> Figures:
    """Let every variant take its turn in every round of every set; a set's first round only warms up.

    Each set has new processes: where a process has its code and data in memory, and with that how well they
    go into the caches, is chance, and stays as it is until the process ends.
    """
    figures: dict[str, list[float]] = {variant: [] for variant in variants}
    for _ in track(range(sets), benchmark, console=Console(stderr=True)):
        with ExitStack() as stack:
            workers = {v: start(stack, "benchmarks.worker", benchmark, v, base_url) for v in variants}
            for turn in range(rounds + 1):
                first = turn % len(variants)
                for variant in (*variants[first:], *variants[:first]):
                    seconds = ask(workers[variant], runs)
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
        env=ENVIRONMENT,
    )
    stack.callback(process.wait, 60)
    stack.callback(process.stdin.close)  # type: ignore[union-attr]
    return process


def ask(process: subprocess.Popen[str], runs: int) -> float:
    """Return the CPU seconds that a worker takes for some runs, or whatever else it answers."""
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
    process.stdin.write(f"{runs}\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise click.ClickException("A variant of the benchmark has ended; its error is above.")
    return float(answer)


def in_fresh_processes(module: str, count: int) -> list[float]:
    """Return the CPU seconds that a benchmark prints, in a process of its own each time.

    One more goes first and writes the bytecode that the others read, as of an installed program.
    """
    command = [sys.executable, "-m", f"benchmarks.{module}"]
    printed = []
    with tempfile.TemporaryDirectory() as folder:
        environment = {**ENVIRONMENT, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder}
        for _ in track(range(count + 1), module, console=Console(stderr=True)):
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)  # noqa: S603
            printed.append(float(done.stdout))
    return printed[1:]
