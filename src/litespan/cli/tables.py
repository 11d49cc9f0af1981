"""Tables of runs and models for a terminal: numbers to the right, `-` for what is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from litespan import semconv
from litespan.cli.figures import CallFigures, ModelFigures, RunFigures
from litespan.cli.fitting import Column, fitting_table, plain_table
from litespan.export import cells
from litespan.records import OK

# Below this width (characters), the runs have no columns of cached and reasoning tokens.
_NARROW: Final = 110
# What the runs give up where there is no room, from the first on; the empty title is that of their subjects.
_SPARE: Final = ("calls", "", "out", "in")
_LEAST_TITLE: Final = 8

_NS_PER_SECOND: Final = 1_000_000_000


def count(number: int | None) -> str:
    """Return a whole number with separators."""
    return cells.UNKNOWN if number is None else f"{number:,}"


def seconds(value: float | None) -> str:
    """Return a readable duration."""
    return cells.UNKNOWN if value is None else cells.duration(0, round(value * _NS_PER_SECOND))


def dollars(amount: float | None) -> str:
    """Return USD with the same number of decimals everywhere, so that a column is compared at a glance."""
    return cells.UNKNOWN if amount is None else f"${amount:,.6f}"


class _RunColumn(NamedTuple):
    title: str
    text: Callable[[RunFigures], str]
    wide: bool = False


_RUN_COLUMNS: Final = (
    _RunColumn("calls", lambda run: count(run.usage.calls)),
    _RunColumn("tools", lambda run: count(run.tool_calls), wide=True),
    _RunColumn("in", lambda run: count(run.usage.input_tokens)),
    _RunColumn("cached", lambda run: count(run.usage.cached_tokens), wide=True),
    _RunColumn("out", lambda run: count(run.usage.output_tokens)),
    _RunColumn("reasoning", lambda run: count(run.usage.reasoning_tokens), wide=True),
    _RunColumn("cost", lambda run: dollars(run.usage.cost)),
    _RunColumn("duration", lambda run: seconds(run.seconds)),
)


class RunsTable:
    """A rich renderable: one line per run; ``titles`` are by conversation."""

    def __init__(self, runs: Sequence[RunFigures], titles: Mapping[str, str]) -> None:
        self._runs = runs
        self._titles = titles

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render for the width that there is."""
        names = [run.conversation or run.trace for run in self._runs]
        figures = [column for column in _RUN_COLUMNS if options.max_width >= _NARROW or not column.wide]
        columns = [
            Column("run", _printable(names)),
            Column("", _printable(self._titles.get(name, "") for name in names), least=_LEAST_TITLE),
            *(Column(each.title, _printable(map(each.text, self._runs)), right=True) for each in figures),
            Column("outcome", [outcome(run.outcome) for run in self._runs]),
        ]
        yield fitting_table(columns, _SPARE, options.max_width, ascii_only=options.ascii_only)
        yield from _errors(self._runs)


class ModelsTable:
    """A rich renderable: one column per model, one line per figure.

    There are few models and many figures, so this way round it fits a terminal of 80 characters.
    """

    def __init__(self, models: Sequence[ModelFigures]) -> None:
        self._models = models

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the lines that say something."""
        table = plain_table()
        table.add_column("model", no_wrap=True)
        for model in self._models:
            table.add_column(Text(cells.printable(model.model)), justify="right", overflow="fold")
        for title, texts in _model_lines(self._models):
            table.add_row(title, *_printable(texts))
        yield table


def _model_lines(models: Sequence[ModelFigures]) -> Iterator[tuple[str, list[str]]]:
    def line(title: str, text: Callable[[CallFigures], str]) -> tuple[str, list[str]]:
        return title, [text(model.usage) for model in models]

    yield line("calls", lambda usage: count(usage.calls))
    for outcome in sorted({outcome for model in models for outcome in model.usage.outcomes}, key=_ok_first):
        yield line(f"  {outcome}", lambda usage, name=outcome: count(usage.outcomes.get(name, 0)))  # type: ignore[misc]
    yield line("HTTP requests", lambda usage: count(usage.requests))
    yield line("tokens in", lambda usage: count(usage.input_tokens))
    yield line("  cached", lambda usage: count(usage.cached_tokens))
    yield line("tokens out", lambda usage: count(usage.output_tokens))
    yield line("  reasoning", lambda usage: count(usage.reasoning_tokens))
    if any(model.usage.usage_missing for model in models):
        yield line("calls without usage", lambda usage: count(usage.usage_missing))
    yield line("cost", lambda usage: dollars(usage.cost))
    if any(model.usage.unpriced for model in models):
        yield line("calls without price", lambda usage: count(usage.unpriced))
    yield "latency p50", [seconds(model.p50_seconds) for model in models]
    yield "latency p95", [seconds(model.p95_seconds) for model in models]
    yield "time to first chunk p50", [seconds(model.first_chunk_p50_seconds) for model in models]


def _ok_first(outcome: str) -> tuple[bool, str]:
    return outcome != OK, outcome


def _printable(texts: Iterable[str]) -> list[Text]:
    return [Text(cells.printable(text)) for text in texts]


def _errors(runs: Sequence[RunFigures]) -> Iterator[Text]:
    """Yield a line per kind of error: its name is too long for a column."""
    names: dict[str, list[str]] = {}
    for run in runs:
        if run.error_type is not None:
            names.setdefault(run.error_type, []).append(run.conversation or run.trace)
    for error_type, failed in names.items():
        yield Text(cells.printable(f"{', '.join(failed)}: {error_type}"), style="red")


def outcome(name: str) -> Text:
    """Return an outcome in its colour."""
    text, style = cells.outcome({semconv.OUTCOME: name}, error=False, ended=True)
    return Text(text, style=style)
