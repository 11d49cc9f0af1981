"""``make bench-layers``: where a run of the hot loop goes, in Python instructions by package and module.

A profiler that takes times makes small functions look dear. These counts are exact and the same every time;
they leave out what C code does inside one instruction.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from types import CodeType, FrameType
from typing import Any, Final

import click

from benchmarks import budgets, hot
from benchmarks.page import Rows, show

_WARM_UP: Final = budgets.WHOLE_BATCHES
_RUNS: Final = budgets.WHOLE_BATCHES
_OURS: Final = re.compile(r"/litespan/([^/]+?)(?:_\w+)?(?:\.py|/(?:(agents|litellm)_)?\w+\.py)$")
_THEIRS: Final = re.compile(r"/site-packages/([^/]+?)(?:\.py)?/")


class Counting:
    """Counts instructions and calls by code object while it traces."""

    def __init__(self) -> None:
        self.instructions: Counter[CodeType] = Counter()
        self.calls: Counter[CodeType] = Counter()

    def trace(self, frame: FrameType, event: str, _argument: Any) -> Any:
        """Take part in ``sys.settrace``."""
        if event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            self.calls[frame.f_code] += 1
        elif event == "opcode":
            self.instructions[frame.f_code] += 1
        return self.trace


def layer(code: CodeType) -> str:
    """Return the package or the part of litespan that a piece of code belongs to."""
    ours = _OURS.search(code.co_filename)
    if ours is not None:
        return f"litespan: {'/'.join(part for part in ours.groups() if part)}"
    theirs = _THEIRS.search(code.co_filename)
    return theirs[1] if theirs is not None else "the standard library and the loop itself"


async def counted(variant: str) -> Counting:
    """Count some runs of a variant, warm."""
    run, counting = hot.prepare(variant), Counting()
    for _ in range(_WARM_UP):
        await run()
    sys.settrace(counting.trace)
    for _ in range(_RUNS):
        await run()
    sys.settrace(None)
    return counting


def rows(counting: Counting) -> Rows:
    """Return a row for each layer, the dearest first."""
    instructions: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    for code, number in counting.instructions.items():
        instructions[layer(code)] += number
        calls[layer(code)] += counting.calls[code]
    whole = instructions.total()
    return [
        [name, f"{n / _RUNS:,.0f}", f"{n / whole:.0%}", f"{calls[name] / _RUNS:,.0f}"]
        for name, n in instructions.most_common()
        if n / whole >= 0.005  # noqa: PLR2004 - half a percent: what shows
    ]


@click.command()
@click.option("--write", is_flag=True, help="Put the table into docs/performance.md.")
def main(*, write: bool) -> None:
    """Count and print."""
    head = ("layer", "Python instructions", "share", "calls")
    show("layers", head, rows(asyncio.run(counted("litespan"))), write=write)


if __name__ == "__main__":
    main()
