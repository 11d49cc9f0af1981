"""The memory of a summary does not grow with what is read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from litespan import semconv
from tests.unit.cli.sums import otlp

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(sys.platform == "win32", reason="Windows tells no peak in this way"),
]

# Small bounds, so that a small file is far beyond them. The peak is in KiB on Linux, in bytes on macOS.
PROGRAM = """
import resource, sys
from litespan.cli.sums.reading import read
from litespan.cli.sums.summary import Summary

summary = Summary(max_groups=100, max_open_runs=100)
reading = read(sys.argv[1:], summary, lambda _: None)
unit = 1 if sys.platform == "darwin" else 1024
print(summary.total.calls, reading.broken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
"""


def peak(path: Path) -> tuple[int, int]:
    """Return the number of calls in a file and the most memory, in bytes, that a process took to read it."""
    command = [sys.executable, "-c", PROGRAM, str(path)]
    output = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ)).stdout
    calls, broken, memory = map(int, output.split())
    assert broken == 0
    return calls, memory


def write(path: Path, calls: int) -> None:
    """Write calls of as many users and runs, each run in a line of its own."""
    with path.open("wb") as file:
        for number in range(calls):
            said = {semconv.USER_ID: f"user-{number}-{'x' * 400}", semconv.AGENT_NAME: f"agent-{number}"}
            trace = f"{number:032x}"
            call = otlp.call((10, 5), number / 1000, attributes=said, traceId=trace)
            file.write(otlp.line(call, otlp.workflow(f"flow {number}", traceId=trace)))


def test_memory_is_bounded(tmp_path: Path) -> None:
    """Twenty times the users and runs take no more memory, but for a few megabytes of the allocator."""
    write(tmp_path / "small", 1_000)
    write(tmp_path / "large", 20_000)

    assert (tmp_path / "large").stat().st_size > 30e6
    few, small = peak(tmp_path / "small")
    many, large = peak(tmp_path / "large")
    assert (1_000, 20_000) == (few, many)
    assert large - small < 6e6
