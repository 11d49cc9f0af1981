"""Spans as a readable tree: what a run did, how long it took, what it used and what it cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode, format_span_id
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from litespan.export import cells

# Widths in characters: from here on there is room for details in brackets ...
_WIDE: Final = 120
# ... and below this one, of the figures, only for the cost.
_VERY_NARROW: Final = 60


class Guides(NamedTuple):
    """The line drawing of a tree."""

    branch: str
    last: str
    line: str
    blank: str


_GUIDES: Final = Guides("├─ ", "└─ ", "│  ", "   ")
_ASCII_GUIDES: Final = Guides("|- ", "`- ", "|  ", "   ")


@dataclass(frozen=True)
class SpanRow:
    """One span, from wherever it was read.

    Attributes:
        span_id: any text that is unique in the list.
        parent_id: the id of the parent; None, or one that is not in the list, makes the span a root.
        name: the span's name.
        start_ns: start in nanoseconds since the epoch.
        end_ns: the same for its end; None if it has not ended.
        attributes: the span's attributes.
        error: whether its status is ERROR.
    """

    span_id: str
    parent_id: str | None
    name: str
    start_ns: int
    end_ns: int | None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    error: bool = False


def rows_from_spans(spans: Sequence[ReadableSpan]) -> list[SpanRow]:
    """Turn ended spans of the OpenTelemetry SDK into rows."""
    return [
        SpanRow(
            span_id=format_span_id(span.context.span_id),
            parent_id=format_span_id(span.parent.span_id) if span.parent else None,
            name=span.name,
            start_ns=span.start_time or 0,
            end_ns=span.end_time,
            attributes=dict(span.attributes or {}),
            error=span.status.status_code is StatusCode.ERROR,
        )
        for span in spans
        if span.context is not None
    ]


class TreeView:
    """A rich renderable: one line per span, children in the order of their start.

    Columns are name, duration, tokens in and out, cost and outcome. What is unknown is ``-``, never 0; a call
    that used tokens and has no price is ``unpriced``. Colour is the console's business.
    """

    def __init__(self, rows: Sequence[SpanRow]) -> None:
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render for the width and the encoding that there are."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        # Rich takes missing width from columns that may wrap: the name, whose text is cut, and the outcome.
        table.add_column("name", min_width=12)
        figures = _figures_for(options.max_width)
        for title, _ in figures:
            table.add_column(title, justify="right", no_wrap=True)
        table.add_column("outcome", min_width=9, overflow="fold")
        for guide, row in _walk(self._rows, _ASCII_GUIDES if options.ascii_only else _GUIDES):
            texts = [Text(figure(row)) for _, figure in figures]
            table.add_row(_name(guide, row, options), *texts, _outcome(row, options))
        yield table


def _name(guide: str, row: SpanRow, options: ConsoleOptions) -> Text:
    name = Text.assemble((guide, "dim"), cells.printable(row.name, options.encoding))
    name.no_wrap = True
    # Rich's ellipsis is no ASCII character.
    name.overflow = "crop" if options.ascii_only else "ellipsis"
    return name


def _outcome(row: SpanRow, options: ConsoleOptions) -> Text:
    text, style = cells.outcome(row.attributes, error=row.error, ended=row.end_ns is not None)
    return Text(cells.printable(text, options.encoding), style=style)


def _duration(row: SpanRow) -> str:
    return cells.duration(row.start_ns, row.end_ns)


def _tokens_in(row: SpanRow) -> str:
    return cells.tokens(row.attributes, cells.INPUT_TOKENS)


def _tokens_in_and_cached(row: SpanRow) -> str:
    return cells.tokens(row.attributes, cells.INPUT_TOKENS, cells.CACHED_TOKENS, "cached")


def _tokens_out(row: SpanRow) -> str:
    return cells.tokens(row.attributes, cells.OUTPUT_TOKENS)


def _tokens_out_and_reasoning(row: SpanRow) -> str:
    return cells.tokens(row.attributes, cells.OUTPUT_TOKENS, cells.REASONING_TOKENS, "reasoning")


def _cost(row: SpanRow) -> str:
    return cells.cost(row.attributes)


_Figures = Sequence[tuple[str, Callable[[SpanRow], str]]]
_WIDE_FIGURES: Final[_Figures] = (
    ("duration", _duration),
    ("in", _tokens_in_and_cached),
    ("out", _tokens_out_and_reasoning),
    ("cost", _cost),
)
_FIGURES: Final[_Figures] = (
    ("duration", _duration),
    ("in", _tokens_in),
    ("out", _tokens_out),
    ("cost", _cost),
)
_FEW_FIGURES: Final[_Figures] = (("cost", _cost),)


def _figures_for(width: int) -> _Figures:
    if width < _VERY_NARROW:
        return _FEW_FIGURES
    return _WIDE_FIGURES if width >= _WIDE else _FIGURES


def _walk(rows: Sequence[SpanRow], guides: Guides) -> Iterator[tuple[str, SpanRow]]:
    """Yield each row once, with the line drawing before its name: parents first, siblings by their start."""
    children = _children(rows)
    roots = [row for row in rows if row.parent_id not in children]
    seen: set[str] = set()
    # Rows that are no root and under no root come last: in a damaged file, parents can form a ring.
    for start in sorted(roots, key=_by_start) + list(rows):
        stack = [("", "", start)]
        while stack:
            guide, indent, row = stack.pop()
            if row.span_id in seen:
                continue
            seen.add(row.span_id)
            yield guide, row
            below = sorted(children[row.span_id], key=_by_start)
            for child in reversed(below):
                last = child is below[-1]
                stack.append(
                    (
                        indent + (guides.last if last else guides.branch),
                        indent + (guides.blank if last else guides.line),
                        child,
                    )
                )


def _children(rows: Sequence[SpanRow]) -> dict[str | None, list[SpanRow]]:
    children: dict[str | None, list[SpanRow]] = {row.span_id: [] for row in rows}
    for row in rows:
        if row.parent_id in children:
            children[row.parent_id].append(row)
    return children


def _by_start(row: SpanRow) -> tuple[int, str]:
    return row.start_ns, row.span_id
