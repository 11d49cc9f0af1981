"""Tables of the benchmarks: on the terminal, and in the page of the documents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "performance.md"

Rows = Sequence[Sequence[str]]


def show(name: str, head: Sequence[str], rows: Rows, *, write: bool) -> None:
    """Print a table; with ``write`` also put it between its markers in the page.

    Raises:
        ValueError: if the page does not have the markers exactly once.
    """
    table = Table()
    for place, column in enumerate(head):
        table.add_column(column, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    if write:
        PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), name, head, rows), encoding="utf-8")


def with_table(text: str, name: str, head: Sequence[str], rows: Rows) -> str:
    """Return the text with the table of a name made anew, as Markdown."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise ValueError(f"The page must hold {begin} … {end} once.")
    lines = [_line(head), _line(["---", *["---:"] * (len(head) - 1)]), *map(_line, rows)]
    before, after = pattern.split(text)
    return "\n".join([before + begin, *lines, end + after])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
