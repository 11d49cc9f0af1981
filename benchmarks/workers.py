"""Variants of a benchmark that take turns.

A machine that becomes slower becomes slower for all of them. Every round begins with another variant, so that
none is always the first, and all of them stay on the same processor.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Final

import click
from rich.console import Console
from rich.progress import track

ROUNDS: Final = 20  # of a set of processes; short ones, as a machine's speed may change within a second
ENVIRONMENT: Final = {**os.environ, "PYTHONHASHSEED": "0"}

# CPU microseconds of a run by variant, one figure per round.
Figures = Mapping[str, Sequence[float]]
# Lets a variant do so many runs, and returns the CPU seconds that they took.
Turn = Callable[[str, int], float]


def take_turns(
    name: str, begin: Callable[[ExitStack], Turn], variants: Sequence[str], *, sets: int, runs: int
) -> Figures:
    """Let every variant take its turn in every round of every set; a set's first round only warms up.

    Each set begins with new processes: where a process has its code and data in memory, and with that how
    well they go into the caches, is chance, and stays as it is until the process ends.
    """
    figures: dict[str, list[float]] = {variant: [] for variant in variants}
    for _ in track(range(sets), name, console=Console(stderr=True)):
        with ExitStack() as stack:
            take_turn = begin(stack)
            for turn in range(ROUNDS + 1):
                first = turn % len(variants)
                for variant in (*variants[first:], *variants[:first]):
                    seconds = take_turn(variant, runs)
                    if turn:
                        figures[variant].append(seconds / runs * 1e6)
    return figures


def side_by_side(benchmark: str, variants: Sequence[str], stack: ExitStack) -> Turn:
    """Start a process for each variant of a benchmark, all at the same time."""
    workers = {variant: start(stack, "benchmarks.worker", benchmark, variant) for variant in variants}
    return lambda variant, runs: ask(workers[variant], runs)


def in_one_program(stack: ExitStack) -> Turn:
    """Start a provider and one program that calls it, for real runs of all variants."""
    provider = start(stack, "benchmarks.provider")
    base_url = provider.stdout.readline().strip()  # type: ignore[union-attr]
    program = start(stack, "benchmarks.switched", base_url)
    return lambda variant, runs: ask(program, variant, runs)


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


def ask(process: subprocess.Popen[str], *question: object) -> float:
    """Return the CPU seconds that a worker takes for some runs, or whatever else it answers."""
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
    print(*question, file=process.stdin)
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
