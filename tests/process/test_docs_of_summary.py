"""The commands and figures of the page about summaries are right."""

from __future__ import annotations

from pathlib import Path

import pytest

from litespan.cli.sums import groups, runs
from litespan.cli.sums.names import DIMENSIONS
from tests.pages import blocks, page
from tests.process.shell import bash
from tests.unit.cli.sums import otlp

PAGE = page("summary")
COMMANDS = "".join(blocks(PAGE, "sh")).splitlines()


@pytest.mark.parametrize("command", COMMANDS)
def test_command_works(command: str, tmp_path: Path) -> None:
    """Every command of the page does something with a file as litespan leaves it."""
    (tmp_path / "litespan-traces.jsonl").write_bytes(otlp.line(otlp.call((10, 5), 0.5), otlp.workflow()))
    done = bash(command, tmp_path)

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout or (tmp_path / "costs.csv").read_text(encoding="utf-8").count("\n") > 1


def test_bounds_are_those_of_the_code() -> None:
    """The bounds and the dimensions on the page are the ones that hold."""
    assert f"up to {groups.MAX_GROUPS:,} groups" in PAGE
    assert f"Up to {runs.MAX_OPEN:,}\nruns" in PAGE
    assert f"{', '.join(DIMENSIONS[:-1])} and {DIMENSIONS[-1]}" in PAGE
