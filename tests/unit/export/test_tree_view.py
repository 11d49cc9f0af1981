"""The tree that a person reads."""
# ruff: noqa: E501 - the pictures are as wide as the terminal

from __future__ import annotations

import io
from typing import Any, Literal

import pytest
from inline_snapshot import snapshot
from opentelemetry import trace
from rich.console import Console

from litespan import semconv
from litespan.export import cells
from litespan.export.console import ConsoleSpanExporter
from litespan.export.metric_table import ConsoleMetricExporter
from litespan.export.tree_view import SpanRow, TreeView, rows_from_spans
from tests.unit.export.sdk import metrics_of, spans_of, tracer_provider
from tests.versions import needs

S = 1_000_000_000

ROWS = [
    SpanRow(
        "1", None, "invoke_workflow billing", 0, 8 * S + 240_000_000,
        {semconv.TOTAL_INPUT_TOKENS: 2400, semconv.TOTAL_OUTPUT_TOKENS: 300, semconv.TOTAL_COST: 0.01234},
    ),
    SpanRow("2", "1", "invoke_agent Übersetzer 翻訳", S, 7 * S, {semconv.OUTCOME: "ok"}),
    SpanRow(
        "3", "2", "chat gpt-4o", S, 3 * S,
        {
            semconv.OPERATION_NAME: "chat", semconv.USAGE_INPUT_TOKENS: 1200,
            semconv.USAGE_OUTPUT_TOKENS: 150,
            semconv.USAGE_CACHE_READ_TOKENS: 1000, semconv.USAGE_REASONING_TOKENS: 64,
            semconv.USAGE_COST_AMOUNT: 0.000123, semconv.OUTCOME: "ok",
        },
    ),
    SpanRow(
        "4", "2", "chat my-model", 4 * S, 4 * S + 120_000_000,
        {semconv.OPERATION_NAME: "chat", semconv.USAGE_INPUT_TOKENS: 0, semconv.OUTCOME: "abandoned"},
    ),
    SpanRow(
        "5", "1", "chat gpt-4o", 7 * S, 8 * S,
        {semconv.OPERATION_NAME: "chat", semconv.OUTCOME: "error", semconv.ERROR_TYPE: "rate_limit_exceeded"},
        error=True,
    ),
]  # fmt: skip


def printed(renderable: object, width: int, *, encoding: str = "utf-8", terminal: bool = False) -> str:
    """Return what a console of this width prints, without blanks at the ends of lines."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    colours: Literal["standard", "auto"] = "standard" if terminal else "auto"
    Console(file=file, width=width, force_terminal=terminal, color_system=colours).print(renderable)
    file.flush()
    return "\n".join(line.rstrip() for line in raw.getvalue().decode(encoding).splitlines())


def test_wide() -> None:
    """A wide terminal shows everything: parts of tokens in brackets, unknown as -, unpriced calls, errors."""
    assert printed(TreeView(ROWS), 130) == snapshot("""\
name                             duration                    in                 out        cost  outcome
invoke_workflow billing            8.24 s                 2,400                 300    $0.01234  ok
├─ invoke_agent Übersetzer 翻訳    6.00 s                     -                   -           -  ok
│  ├─ chat gpt-4o                  2.00 s  1,200 (1,000 cached)  150 (64 reasoning)  $0.0001230  ok
│  └─ chat my-model                120 ms                     0                   -    unpriced  abandoned
└─ chat gpt-4o                     1.00 s                     -                   -           -  error: rate_limit_exceeded\
""")


def test_narrow() -> None:
    """A narrow terminal leaves out the brackets, cuts names and folds outcomes."""
    assert printed(TreeView(ROWS), 70) == snapshot("""\
name               duration     in  out        cost  outcome
invoke_workflow …    8.24 s  2,400  300    $0.01234  ok
├─ invoke_agent …    6.00 s      -    -           -  ok
│  ├─ chat gpt-4o    2.00 s  1,200  150  $0.0001230  ok
│  └─ chat my-mo…    120 ms      0    -    unpriced  abandoned
└─ chat gpt-4o       1.00 s      -    -           -  error:
                                                     rate_limit_exceed
                                                     ed\
""")


def test_very_narrow() -> None:
    """Of the figures, a very narrow terminal shows the cost."""
    assert printed(TreeView(ROWS), 44) == snapshot("""\
name                   cost  outcome
invoke_workflo…    $0.01234  ok
├─ invoke_agen…           -  ok
│  ├─ chat gpt…  $0.0001230  ok
│  └─ chat my-…    unpriced  abandoned
└─ chat gpt-4o            -  error:
                             rate_limit_exce
                             eded\
""")


def test_ascii() -> None:
    """Where the encoding has no line drawing, the tree is plain, and names do not break it."""
    text = printed(TreeView(ROWS), 100, encoding="ascii")
    assert "`- chat gpt-4o" in text
    assert "bersetzer ??" in text


def test_colour_only_on_a_terminal() -> None:
    """Colour codes go to a terminal only; an outcome other than ok has a colour of its own."""
    assert "\x1b[" not in printed(TreeView(ROWS), 100)
    assert "\x1b[31merror: rate_limit" in printed(TreeView(ROWS), 100, terminal=True)
    assert "\x1b[33mabandoned" in printed(TreeView(ROWS), 100, terminal=True)


def test_names_cannot_steer_the_terminal() -> None:
    """Terminal codes, line breaks and rich's markup in a name are shown, not obeyed."""
    row = SpanRow("1", None, "tool\x1b[2J [red]x[/red]\nfake", 0, 1)
    text = printed(TreeView([row]), 100)
    assert "tool�[2J [red]x[/red]�fake" in text


def test_every_row_is_shown_once_whatever_the_parents() -> None:
    """Orphans are roots, and rows whose parents form a ring are not lost and not repeated for ever."""
    rows = [
        SpanRow("a", "gone", "orphan", 2, 3),
        SpanRow("b", "c", "ring one", 0, 1),
        SpanRow("c", "b", "ring two", 1, 2),
        SpanRow("d", "d", "own parent", 3, None),
    ]
    lines = printed(TreeView(rows), 100).splitlines()[1:]
    assert [line.split("  ")[0] for line in lines] == ["orphan", "ring one", "└─ ring two", "own parent"]


@needs("rich", "14")  # older ones take minutes for a tree this deep
def test_a_deep_tree_needs_no_recursion() -> None:
    """A chain of spans that is longer than the recursion limit is rendered."""
    rows = [SpanRow(str(n), str(n - 1), f"s{n}", n, n + 1) for n in range(1200)]
    assert len(printed(TreeView(rows), 100).splitlines()) == 1201


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({}, "-"),
        ({semconv.USAGE_COST_AMOUNT: 0.0}, "$0.00"),
        ({semconv.USAGE_COST_AMOUNT: 0.00001234}, "$0.00001234"),
        ({semconv.USAGE_COST_AMOUNT: 1234.5}, "$1,234.50"),
        ({semconv.USAGE_COST_AMOUNT: 2, semconv.USAGE_COST_CURRENCY: "EUR"}, "2.000 EUR"),
        ({semconv.USAGE_COST_AMOUNT: "text"}, "-"),
        ({semconv.OPERATION_NAME: "chat", semconv.USAGE_INPUT_TOKENS: 5}, "unpriced"),
        ({semconv.OPERATION_NAME: "execute_tool", semconv.USAGE_INPUT_TOKENS: 5}, "-"),
    ],
)
def test_cost(attributes: dict[str, Any], text: str) -> None:
    """A cost shows its meaningful digits; what is unknown is never 0."""
    assert cells.cost(attributes) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0004, "0 ms"),
        (0.25, "250 ms"),
        (0.9996, "1.00 s"),
        (1.5, "1.50 s"),
        (59.996, "1m 00s"),
        (125.4, "2m 05s"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    """Durations are readable at every size."""
    assert cells.duration(0, int(seconds * S)) == text


def test_rows_from_spans() -> None:
    """Spans of the SDK become rows with their ids, times, attributes and error."""

    def work(tracer: Any) -> None:
        with tracer.start_as_current_span("parent"), tracer.start_as_current_span("child") as child:
            child.set_attribute("a", 1)
            child.set_status(trace.StatusCode.ERROR)

    child, parent = rows_from_spans(spans_of(work))
    assert (child.name, child.parent_id, dict(child.attributes), child.error) == (
        "child",
        parent.span_id,
        {"a": 1},
        True,
    )
    assert (parent.parent_id, parent.error) == (None, False)
    assert parent.end_ns is not None
    assert parent.start_ns < parent.end_ns


def test_the_console_prints_a_tree_when_the_root_ends() -> None:
    """Nothing is printed before the local root has ended; then its tree, and not that of another root."""
    out, drops = io.StringIO(), []
    exporter = ConsoleSpanExporter(
        Console(file=out, width=100), on_drop=lambda reason, n: drops.append((reason, n))
    )
    tracer = tracer_provider(exporter).get_tracer("test")
    remote = trace.set_span_in_context(
        trace.NonRecordingSpan(trace.SpanContext(5, 6, is_remote=True, trace_flags=trace.TraceFlags(1)))
    )
    first, second = (tracer.start_span(name, context=remote) for name in ("first", "second"))
    for root in (first, second):
        tracer.start_span("child", context=trace.set_span_in_context(root)).end()
    assert out.getvalue() == ""
    first.end()
    assert [line.split("  ")[0] for line in out.getvalue().splitlines()] == ["name", "first", "└─ child"]
    second.end()
    assert out.getvalue().count("child") == 2
    assert drops == []


def test_spans_without_a_root_are_given_up() -> None:
    """Of traces whose root never ends, the oldest are given up and counted; shutdown prints the rest."""
    out, drops = io.StringIO(), []
    exporter = ConsoleSpanExporter(
        Console(file=out, width=100), max_spans=2, on_drop=lambda reason, n: drops.append((reason, n))
    )
    tracer = tracer_provider(exporter).get_tracer("test")
    for number in range(5):
        root = tracer.start_span("never ends")
        tracer.start_span(f"child {number}", context=trace.set_span_in_context(root)).end()
    assert (sum(n for _, n in drops), drops[0][0]) == (3, "no_root")
    exporter.shutdown()
    assert [word for word in ("child 2", "child 3", "child 4") if word in out.getvalue()] == [
        "child 3",
        "child 4",
    ]


def test_old_spans_without_a_root_are_given_up() -> None:
    """Age alone is enough: what waits longer than the limit is given up at the next export."""
    drops: list[tuple[str, int]] = []
    exporter = ConsoleSpanExporter(
        Console(file=io.StringIO()), max_age=0, on_drop=lambda reason, n: drops.append((reason, n))
    )
    tracer = tracer_provider(exporter).get_tracer("test")
    root = tracer.start_span("never ends")
    tracer.start_span("child", context=trace.set_span_in_context(root)).end()
    assert drops == [("no_root", 1)]


def test_metrics_are_a_table() -> None:
    """A counter shows its value, a histogram its count and sum, with the unit where it is a real one."""

    def work(meter: Any) -> None:
        meter.create_counter("tokens", unit="{token}").add(1200, {"model": "gpt-4o", "agent": "a"})
        histogram = meter.create_histogram("duration", unit="s")
        histogram.record(0.25)
        histogram.record(1.5)

    out = io.StringIO()
    ConsoleMetricExporter(Console(file=out, width=80)).export(metrics_of(work))
    assert "\n".join(line.rstrip() for line in out.getvalue().splitlines()) == snapshot("""\
metric    attributes                           value
duration                         count 2, sum 1.75 s
tokens    agent=a, model=gpt-4o                1,200\
""")
