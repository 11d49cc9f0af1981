"""``make bench-layers``: where a run of the hot loop goes, sampled or not, in Python instructions by layer.

A profiler that takes times makes small functions look dear. These counts are exact and the same every time;
they leave out what C code does inside one instruction.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Mapping
from types import CodeType, FrameType
from typing import Any, Final

import click

from benchmarks import budgets, hot
from benchmarks.page import Rows, show
from benchmarks.variants import take_down

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
    take_down(variant)
    return counting


def by_layer(counted: Mapping[CodeType, int]) -> Counter[str]:
    """Return what was counted in one run, by layer."""
    sums: Counter[str] = Counter()
    for code, number in counted.items():
        sums[layer(code)] += number
    return Counter({name: round(number / _RUNS) for name, number in sums.items()})


def rows(sampled: Counting, unsampled: Counting) -> Rows:
    """Return a row for each layer, the dearest first, and one for all of them."""
    instructions, calls = by_layer(sampled.instructions), by_layer(sampled.calls)
    without_spans = by_layer(unsampled.instructions)
    whole = instructions.total()
    layers = [
        [name, f"{n:,}", f"{n / whole:.0%}", f"{calls[name]:,}", f"{without_spans[name]:,}"]
        for name, n in instructions.most_common()
        if n / whole >= 0.005  # noqa: PLR2004 - half a percent: what shows
    ]
    return [*layers, ["a whole run", f"{whole:,}", "", f"{calls.total():,}", f"{without_spans.total():,}"]]


@click.command()
@click.option("--write", is_flag=True, help="Put the table into docs/performance.md.")
def main(*, write: bool) -> None:
    """Count and print."""
    head = ("layer", "Python instructions", "share", "calls", "with nothing sampled")
    sampled, unsampled = (asyncio.run(counted(variant)) for variant in ("litespan", "unsampled"))
    show("layers", head, rows(sampled, unsampled), write=write)


if __name__ == "__main__":
    main()
