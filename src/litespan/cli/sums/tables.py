"""A summary for a terminal: all calls, a table for each dimension, the dearest and the slowest runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from litespan import semconv
from litespan.cli.fitting import Column, fitting_table
from litespan.cli.sums.groups import Groups, rest
from litespan.cli.sums.money import decimals_for, dollars
from litespan.cli.sums.names import DIMENSIONS
from litespan.cli.sums.runs import Run
from litespan.cli.sums.summary import Summary, time_text
from litespan.cli.sums.sums import Sums
from litespan.cli.tables import count, outcome, seconds
from litespan.export import cells
from litespan.records import OK

# From this width on (characters), tables have columns for the parts of tokens too.
_WIDE: Final = 110

# What a table gives up where it has no room, from the first on; the overview above has these figures too.
_SPARE_OF_GROUPS: Final = ("no usage", "unpriced", "not ok", "out", "in", "calls")
_SPARE_OF_RUNS: Final = ("outcome", "run", "duration")
_LEAST_NAME: Final = 14

_CHRONOLOGICAL: Final = "day"
_AND_MORE: Final = "+"


class Label(NamedTuple):
    """What stands before a row: a name from a span, or a word of ours, which is ``dim``."""

    name: str | None
    dim: bool = False


class _Column(NamedTuple):
    """A column; ``part`` of another one, so for wide terminals; ``rare``: only if something is in it."""

    title: str
    figure: Callable[[Sums], int | None]
    part: bool = False
    rare: bool = False


_BEFORE_COST: Final = (
    _Column("calls", lambda sums: sums.calls),
    _Column("not ok", lambda sums: sums.calls - sums.outcomes[OK], rare=True),
    _Column("in", lambda sums: sums.token("input_tokens")),
    _Column("cache read", lambda sums: sums.token("cache_read_tokens"), part=True, rare=True),
    _Column("cache write", lambda sums: sums.token("cache_write_tokens"), part=True, rare=True),
    _Column("out", lambda sums: sums.token("output_tokens")),
    _Column("reasoning", lambda sums: sums.token("reasoning_tokens"), part=True, rare=True),
)
_AFTER_COST: Final = (
    _Column("unpriced", lambda sums: sums.unpriced, rare=True),
    _Column("no usage", lambda sums: sums.missing.total(), rare=True),
)


def show(console: Console, summary: Summary, top: int) -> None:
    """Print a summary; ``top``: how many rows a table has."""
    if summary.total.calls:
        console.print(Text(_period(summary), style="bold cyan"))
        console.print(Overview(summary))
    else:
        console.print(Text(_nothing(summary)))
    for by, groups in summary.groups.items():
        if groups.named:
            _section(console, f"By {by}", GroupsTable(by, groups, summary.total, top))
        elif summary.total.calls and tuple(summary.groups) != DIMENSIONS:
            # It was asked for; without being asked every dimension is shown that there is.
            console.print(f"\nBy {by}: no span names one.")
    for title, runs in (("Dearest runs", summary.runs.dearest()), ("Slowest runs", summary.runs.slowest())):
        if runs:
            _section(console, title, RunsTable(runs))
    if summary.others:
        console.print()
        console.print(Text(f"Spans of other tools, left out: {summary.others:,}", style="dim"))


def _section(console: Console, title: str, table: GroupsTable | RunsTable) -> None:
    console.print()
    console.print(Text(title, style="bold cyan"))
    console.print(table)


def _nothing(summary: Summary) -> str:
    """Say that there are no calls, and what there is in their place."""
    if summary.spans and summary.since_ns is not None:
        return f"No model calls that litespan has seen since {time_text(summary.since_ns)}."
    if summary.spans or summary.others:
        return "No model calls that litespan has seen."
    if summary.beside:
        return (
            "No model calls: these are metrics or logs. Name a file of spans, such as litespan-traces.jsonl."
        )
    return "No model calls: no spans were read."


def _period(summary: Summary) -> str:
    first, last = time_text(summary.first_ns), time_text(summary.last_ns)
    return "All calls" if first is None else f"Calls from {first} to {last}"


class Overview:
    """A rich renderable: the figures of all calls, each with its parts beside it."""

    def __init__(self, summary: Summary) -> None:
        self._sums = summary.total
        self._unsent = summary.unsent

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render one line a figure."""
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(style="dim")
        for title, figure, parts in self._lines():
            table.add_row(title, figure, Text(", ".join(parts)))
        yield table

    def _lines(self) -> Iterator[tuple[str, str, list[str]]]:
        sums = self._sums
        yield "calls", count(sums.calls), _counted(sums.outcomes)
        parts = _parts(sums, ("cache read", "cache_read_tokens"), ("cache write", "cache_write_tokens"))
        yield "tokens in", count(sums.token("input_tokens")), parts
        parts = _parts(sums, ("reasoning", "reasoning_tokens"))
        yield "tokens out", count(sums.token("output_tokens")), parts
        yield "cost", dollars(sums.cost, decimals_for([sums.cost])), []
        if sums.unpriced:
            yield "unpriced", count(sums.unpriced), ["calls with usage and without a known price"]
        if sums.missing:
            yield "no usage", count(sums.missing.total()), _counted(sums.missing)
        if self._unsent:
            yield "not sent", count(self._unsent), ["spans of calls that sent nothing themselves"]


class GroupsTable:
    """A rich renderable: one line a group, and one for all that are left out."""

    def __init__(self, by: str, groups: Groups, total: Sums, top: int) -> None:
        self._by = by
        self._total = total
        self._rows = list(_day_rows(groups, top) if by == _CHRONOLOGICAL else _rows(groups, top))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render for the width that there is."""
        title = "day (UTC)" if self._by == _CHRONOLOGICAL else self._by
        names = [_text(name, options) for name, _ in self._rows]
        decimals = decimals_for(sums.cost for _, sums in self._rows)
        costs = [Text(dollars(sums.cost, decimals)) for _, sums in self._rows]
        columns = [
            Column(title.ljust(_LEAST_NAME), names, least=_LEAST_NAME, folds=True),
            *(self._figures(column) for column in _BEFORE_COST if self._shows(column, options)),
            Column("cost", costs, right=True),
            *(self._figures(column) for column in _AFTER_COST if self._shows(column, options)),
        ]
        yield fitting_table(columns, _SPARE_OF_GROUPS, options.max_width, ascii_only=options.ascii_only)

    def _figures(self, column: _Column) -> Column:
        cells = [Text(count(column.figure(sums))) for _, sums in self._rows]
        return Column(column.title, cells, right=True)

    def _shows(self, column: _Column, options: ConsoleOptions) -> bool:
        fits = options.max_width >= _WIDE or not column.part
        return fits and (not column.rare or bool(column.figure(self._total)))


class RunsTable:
    """A rich renderable: one line a run."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = runs

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render for the width that there is."""
        runs = self._runs
        decimals = decimals_for(run.cost for run in runs)
        costs = [dollars(run.cost, decimals) + (_AND_MORE if _has_more(run) else "") for run in runs]
        columns = [
            Column("trace id", [_text(Label(run.trace), options) for run in runs], least=16, folds=True),
            Column("run", [_text(Label(run.name), options) for run in runs], least=8),
            Column("duration", [Text(seconds(run.seconds)) for run in runs], right=True),
            Column("cost", [Text(cost) for cost in costs], right=True),
        ]
        if options.max_width >= _WIDE:
            columns += [Column("calls", [Text(count(run.calls)) for run in runs], right=True)]
        columns += [Column("outcome", [_outcome(run) for run in runs])]
        yield fitting_table(columns, _SPARE_OF_RUNS, options.max_width, ascii_only=options.ascii_only)
        if any(map(_has_more, runs)):
            yield Text(f"{_AND_MORE} and what its calls without a known price cost", style="dim")


def _has_more(run: Run) -> bool:
    return bool(run.unpriced) and run.cost is not None


def _rows(groups: Groups, top: int) -> Iterator[tuple[Label, Sums]]:
    ordered = groups.dearest()
    yield from ((Label(name), sums) for name, sums in ordered[:top])
    if hidden := ordered[top:]:
        yield Label(f"{len(hidden):,} more", dim=True), rest(hidden)
    if groups.other is not None:
        yield Label(semconv.OTHER, dim=True), groups.other


def _day_rows(groups: Groups, top: int) -> Iterator[tuple[Label, Sums]]:
    ordered = groups.by_name()
    if earlier := ordered[:-top]:
        yield Label(f"{len(earlier):,} earlier", dim=True), rest(earlier)
    yield from ((Label(name), sums) for name, sums in ordered[-top:])
    if groups.other is not None:
        yield Label(semconv.OTHER, dim=True), groups.other


def _parts(sums: Sums, *parts: tuple[str, str]) -> list[str]:
    return [f"{title} {number:,}" for title, name in parts if (number := sums.token(name))]


def _counted(numbers: Counter[str]) -> list[str]:
    """Return the counts in words; that all is well comes first, then what is most frequent."""
    ordered = sorted(numbers.items(), key=lambda item: (item[0] != OK, -item[1], item[0]))
    return [f"{name} {number:,}" for name, number in ordered]


def _text(label: Label, options: ConsoleOptions) -> Text:
    if label.name is None:
        return Text(cells.UNKNOWN, style="dim")
    return Text(cells.printable(label.name, options.encoding), style="dim" if label.dim else "")


def _outcome(run: Run) -> Text:
    return Text(cells.UNKNOWN, style="dim") if run.outcome is None else outcome(run.outcome)
