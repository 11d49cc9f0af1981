"""What a reader sees: tables that fit the terminal, and nothing that a name could do to it."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from litespan import semconv
from litespan.cli.sums.money import decimals_for, dollars
from litespan.cli.sums.spans import read_line
from litespan.cli.sums.summary import Summary
from litespan.cli.sums.tables import show
from tests.unit.cli.sums import otlp


def text(*lines: bytes, width: int = 80, top: int = 10, encoding: str = "utf-8", **options: Any) -> str:
    """Return the summary of these lines as it is printed."""
    summary = Summary(top=top, **options)
    for line in lines:
        summary.add(read_line(line))
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    show(Console(file=file, width=width, highlight=False), summary, top)
    file.flush()
    return raw.getvalue().decode(encoding)


def everything() -> list[bytes]:
    """Return lines that have something for every column."""
    large: dict[str, Any] = {semconv.USAGE_CACHE_READ_TOKENS: 10**9, semconv.USAGE_REASONING_TOKENS: 10**6}
    large |= {semconv.USAGE_CACHE_WRITE_TOKENS: 10**8, semconv.REQUEST_MODEL: "claude-sonnet-4-5-20250929"}
    return [
        otlp.line(otlp.call((2 * 10**9, 10**7), 4_321.5, attributes=large), otlp.workflow("Support desk")),
        otlp.line(otlp.call((10, 5)), otlp.call(None, attributes={semconv.OUTCOME: "error"})),
        otlp.line(otlp.call(attributes={semconv.SENT: False})),
        otlp.line(otlp.call(attributes={semconv.OUTCOME: None}), scope="another"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [60, 80, 140])
def test_tables_fit(width: int, encoding: str) -> None:
    """No line is wider than the terminal, in any encoding; a trace id is never cut."""
    shown = text(*everything(), width=width, encoding=encoding)

    assert max(map(cell_len, shown.splitlines())) <= width
    assert 2 == shown.count("a" * (32 if width >= 80 else 16)) // (1 if width >= 80 else 2)
    assert "$4,321.50+" in shown


@pytest.mark.parametrize("width", [60, 80])
def test_a_long_name_of_a_run_costs_no_figure(width: int) -> None:
    """Beside the name of a run that is longer than its line stand its whole trace id, cost and outcome."""
    model = "us.anthropic.claude-sonnet-4-20250514-v1:0"
    call = otlp.call((1, 1), 0.25, attributes={semconv.REQUEST_MODEL: model}, name=f"chat {model}")
    lines = text(otlp.line({**call, "parentSpanId": ""}), width=width).splitlines()

    run, rest = lines[lines.index("Dearest runs") + 2 :][:2]
    assert "a" * 32 == run.split()[0] + rest.strip()[: 32 - len(run.split()[0])]
    assert ["$0.250000", "ok"] == run.split()[-2:]
    assert max(map(cell_len, lines)) <= width


def test_a_narrow_terminal_shows_whole_figures() -> None:
    """In 40 columns tables have fewer columns; each row has its name and its cost, whole."""
    lines = text(*everything(), width=40, by=["model"]).splitlines()

    table = lines[lines.index("By model") + 1 :]
    assert ["model", "calls", "cost"] == table[0].split()
    assert ["claude-sonnet-4-5-2025", "1", "$4,321.50"] == table[1].split()
    runs = lines[lines.index("Dearest runs") + 1 :]
    assert "$4,321.50+" == runs[1].split()[-1]
    assert max(map(cell_len, lines)) <= 40


def test_figures_in_80_columns() -> None:
    """In an ordinary terminal, figures are whole and all that is unknown or missing is said."""
    shown = text(*everything(), by=["model"])

    for figure in (
        "2,000,000,010",
        "10,000,005",
        "$4,321.50",
        "cache read 1,000,000,000",
        "reasoning 1,000,000",
    ):
        assert figure in shown
    for word in ("unpriced", "no usage", "not sent", "error 1", "Spans of other tools, left out: 1"):
        assert word in shown
    assert "cache write  " not in shown


def test_wide_terminals_show_the_parts_of_tokens() -> None:
    """Where there is room, each group has its cache reads, cache writes and reasoning."""
    header = next(line for line in text(*everything(), width=140).splitlines() if line.startswith("model"))

    assert ["cache read", "cache write", "reasoning"] == [
        word for word in ("cache read", "cache write", "reasoning") if word in header
    ]


def test_what_no_span_names_has_no_table() -> None:
    """There is no table of users where no call names one."""
    shown = text(otlp.line(otlp.call((10, 5), 0.5)))

    assert ("By model" in shown, "By user" in shown, "unpriced" in shown) == (True, False, False)


def test_rows_behind_the_top_are_one_row() -> None:
    """More groups than asked for end in one row with their sum; of days, the last ones are shown."""
    day = 86_400 * otlp.SECOND
    spans = [
        otlp.call(
            (1, 1),
            float(number),
            attributes={semconv.REQUEST_MODEL: f"model-{number}"},
            startTimeUnixNano=str(otlp.NOON + number * day),
        )
        for number in range(5)
    ]
    lines = text(otlp.line(*spans), top=2, by=["model", "day"]).splitlines()

    rows = [line.split() for line in lines]
    assert ["model-4", "1", "1", "1", "$4.0000"] in rows
    assert ["3", "more", "3", "3", "3", "$3.0000"] in rows
    assert ["3", "earlier", "3", "3", "3", "$3.0000"] in rows
    assert ["2026-06-05", "1", "1", "1", "$4.0000"] in rows


def test_nothing_to_show() -> None:
    """Files without calls say so, in one line, and what is in them."""
    metrics, others = (
        b'{"resourceMetrics":[]}',
        otlp.line(otlp.call(attributes={semconv.OUTCOME: None}), scope="x"),
    )
    since = otlp.NOON + 86_400 * otlp.SECOND

    assert "No model calls: no spans were read.\n" == text(b"{}")
    assert "these are metrics or logs. Name a file of spans, such as litespan-traces.jsonl.\n" in text(
        metrics, width=110
    )
    assert "these are metrics or logs." in text(metrics.replace(b":", b" : "))
    assert (
        "No model calls that litespan has seen.\n"
        == text(otlp.line(otlp.workflow()), by=[]).splitlines(True)[0]
    )
    assert "Spans of other tools, left out: 1" in text(metrics, others)
    assert "No model calls that litespan has seen since 2026-06-02T12:00:00Z.\n" == text(
        otlp.line(otlp.call()), since_ns=since
    )


def test_a_group_that_was_asked_for_is_told_to_be_empty() -> None:
    """A dimension that no span has is named only to those who asked for it."""
    line = otlp.line(otlp.call((1, 1), 1.0))

    assert "By user: no span names one." in text(line, by=["user"])
    assert "By user" not in text(line)


def test_names_cannot_drive_the_terminal() -> None:
    """Control codes and half characters in names are replaced; square brackets are no markup."""
    hostile = "\x1b[31mred\n[bold]x[/bold] \ud800"
    shown = text(otlp.line(otlp.call((1, 1), 1.0, attributes={semconv.REQUEST_MODEL: hostile})), width=140)

    assert "\x1b" not in shown
    assert "[bold]x[/bold]" in shown


@pytest.mark.parametrize(
    ("amount", "others", "shown"),
    [
        (None, [], "-"),
        ("0", [], "$0.000000"),
        ("0.0000001", [], "<$0.000001"),
        ("0.012345", [], "$0.012345"),
        ("1234.5678", [], "$1,234.57"),
        ("0.001", ["250"], "<$0.01"),
        ("0.5", ["7"], "$0.5000"),
    ],
)
def test_money(amount: str | None, others: list[str], shown: str) -> None:
    """Amounts of a column have the same decimals; unknown is not 0, and little is not nothing."""
    own = None if amount is None else Decimal(amount)

    assert shown == dollars(own, decimals_for([own, *map(Decimal, others)]))
