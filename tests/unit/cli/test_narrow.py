"""Narrow terminals: what was seen is there, and no figure is cut."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from litespan.cli.checks import table
from litespan.cli.checks.finding import ok
from litespan.cli.figures import RunFigures, call_figures
from litespan.cli.tables import RunsTable


@pytest.mark.parametrize("width", [40, 60, 80])
def test_doctor_says_what_it_has_seen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    """The last column is there at any width, with every word of it."""
    monkeypatch.setenv("COLUMNS", str(width))
    words = [f"word{number}" for number in range(30)]
    table.show([ok("version of opentelemetry-sdk", " ".join(words))])
    shown = capsys.readouterr().out

    assert set(words) <= set(shown.split())
    assert max(map(cell_len, shown.splitlines())) <= width


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_runs_of_the_demo(width: int) -> None:
    """Each run has its number, its duration and its outcome, whole."""
    run = RunFigures("T-101", "a" * 32, "cancelled", None, 3.86, 3, call_figures([]))
    file = io.StringIO()
    Console(file=file, width=width).print(RunsTable([run], {"T-101": "a subject that is long " * 3}))
    shown = file.getvalue()

    assert {"T-101", "3.86", "cancelled"} <= set(shown.split())
    assert max(map(cell_len, shown.splitlines())) <= width
