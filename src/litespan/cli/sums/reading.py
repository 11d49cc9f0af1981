"""Read files into a summary: time it, and say what could not be read."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from litespan.cli.sums.lines import Line, Lines, hint_for
from litespan.cli.sums.spans import BrokenLineError, read_line
from litespan.cli.sums.summary import Summary

MAX_TOLD: Final = 20  # of what could not be read; the rest is counted


@dataclass(slots=True)
class Reading:
    """How files were read.

    Attributes:
        files: their names, each once.
        bytes: after decompression.
        broken: the number of lines that could not be read and were left out.
        problems: the first of them: file, line number, and what is wrong.
        seconds: the time that it took.
    """

    files: Sequence[str]
    bytes: int
    lines: int
    broken: int
    problems: Sequence[str]
    seconds: float

    @property
    def megabytes_per_second(self) -> float:
        """How fast it was, in 10**6 bytes."""
        return self.bytes / 1e6 / self.seconds if self.seconds else 0.0


class _Problems:
    def __init__(self) -> None:
        self.count = 0
        self.told: list[str] = []

    def report(self, file: str, line: int, problem: str) -> None:
        self.count += 1
        if len(self.told) < MAX_TOLD:
            self.told.append(f"{file}:{line}: {problem}")


def read(paths: Sequence[str], summary: Summary, advance: Callable[[int], None]) -> Reading:
    """Read all lines of all files into the summary; ``advance`` gets bytes, for a progress bar."""
    problems = _Problems()
    lines = Lines(paths, problems.report, advance)
    began = time.perf_counter()
    with _without_collector():
        for line in lines:
            _add(line, summary, problems)
    seconds = time.perf_counter() - began
    return Reading(lines.paths, lines.read_bytes, lines.read_lines, problems.count, problems.told, seconds)


def _add(line: Line, summary: Summary, problems: _Problems) -> None:
    try:
        summary.add(read_line(line.data))
    except BrokenLineError as error:
        problems.report(line.file, line.number, f"{error}{hint_for(line.data)}")


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep the garbage collector off: a parsed line is many objects and no cycle."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
