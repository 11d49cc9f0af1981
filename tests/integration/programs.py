"""Programs that litespan observes, as processes of their own that send to a Collector."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]

_SECONDS: Final = 240.0


class Program:
    """A Python program under way. As a context manager it does not outlive the block."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def output(self) -> str:
        """Wait for the end and return what it printed.

        Raises:
            AssertionError: if it failed; with the end of its errors.
        """
        output, errors = self._process.communicate(timeout=_SECONDS)
        assert not self._process.returncode, errors[-5_000:]
        return output

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()


def run_demo(otlp: str) -> Any:
    """Run `litespan demo --otlp` and return its figures."""
    command = "from litespan.cli import main; main(prog_name='litespan')"
    with Program("-c", command, "demo", "--json", "--otlp", otlp) as program:
        return json.loads(program.output())


def load_program(otlp: str, report: Path, calls: int) -> Program:
    """Start the program with the mixed load, :mod:`tests.integration.load_program`."""
    where = ("--otlp", otlp, "--report", str(report))
    return Program("-m", "tests.integration.load_program", *where, "--calls", str(calls))
