"""Columns that fit their terminal: what has no room is left out whole, so that no figure loses its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.console import OverflowMethod
from rich.table import Table
from rich.text import Text

_GAP: Final = 2


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        title: the word above it.
        cells: a text for each row.
        least: down to this width its cells may be folded or cut; None: it is shown whole or not at all.
        folds: its cells are folded, not cut.
        right: its cells stand to the right, as figures do.
    """

    title: str
    cells: Sequence[Text]
    least: int | None = None
    folds: bool = False
    right: bool = False

    @property
    def whole(self) -> int:
        """The width at which nothing of it is folded or cut."""
        return max([len(self.title), *(cell.cell_len for cell in self.cells)])

    @property
    def needed(self) -> int:
        """The least width."""
        return self.whole if self.least is None else min(self.whole, self.least)


def plain_table() -> Table:
    """Return an empty table as all commands print them: without lines."""
    return Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))


def fitting_table(columns: Sequence[Column], spare: Sequence[str], width: int, *, ascii_only: bool) -> Table:
    """Return a table of those columns that fit; the titles in ``spare`` are given up, from the first on."""
    kept = list(columns)
    for title in spare:
        if sum(column.needed + _GAP for column in kept) - _GAP <= width:
            break
        kept = [column for column in kept if column.title != title]
    table = plain_table()
    for column, room in zip(kept, _widths(kept, width), strict=True):
        # Rich's ellipsis is no ASCII character.
        cut: OverflowMethod = "crop" if ascii_only else "ellipsis"
        table.add_column(
            column.title,
            width=room,
            justify="right" if column.right else "left",
            no_wrap=not column.folds,
            overflow="fold" if column.folds else cut,
        )
    for row in zip(*(column.cells for column in kept), strict=True):
        table.add_row(*row)
    return table


def _widths(columns: Sequence[Column], width: int) -> list[int]:
    """Return the widths. The last that may shrink takes what is left; one before it goes to its least."""
    widths = [column.whole for column in columns]
    flexible = [index for index, column in enumerate(columns) if column.needed < column.whole]
    if not flexible:
        return widths
    *others, last = flexible
    room = width - _GAP * (len(columns) - 1)
    for index in others:
        if sum(widths) - widths[last] + columns[last].needed > room:
            widths[index] = columns[index].needed
    left = room - sum(widths) + widths[last]
    widths[last] = max(columns[last].needed, min(columns[last].whole, left))
    return widths
