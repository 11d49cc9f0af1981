"""Sums, groups and runs: exact money, bounded memory, spans in any order."""

from __future__ import annotations

import random
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litespan import semconv
from litespan.cli.sums.runs import Run
from litespan.cli.sums.spans import read_line
from litespan.cli.sums.summary import Summary
from litespan.cli.sums.sums import Sums
from tests.unit.cli.sums import otlp


def summary_of(*spans: dict[str, Any], **options: Any) -> Summary:
    """Sum up these spans, each in a line of its own."""
    summary = Summary(**options)
    for span in spans:
        summary.add(read_line(otlp.line(span)))
    return summary


def in_run(number: int, **fields: Any) -> dict[str, Any]:
    """Return the fields of a span in that run."""
    return {"traceId": f"{number:032x}", **fields}


def by_user(user: str | None, cost: float = 1.0) -> dict[str, Any]:
    """Return a call for a user."""
    return otlp.call((1, 1), cost, attributes={semconv.USER_ID: user})


def names(runs: Iterable[Run]) -> list[str | None]:
    """Return the names of runs."""
    return [run.name for run in runs]


# -- sums --------------------------------------------------------------------------------------------------
@given(st.lists(st.floats(min_value=0, max_value=1e15), max_size=20))
def test_money_is_exact(amounts: list[float]) -> None:
    """The sum of costs is the sum of the decimals in the file, without any rounding."""
    sums = summary_of(*(otlp.call((1, 1), amount) for amount in amounts), by=["model"]).total
    exact = sum((Fraction(repr(amount)) for amount in amounts), Fraction(0))

    assert exact == Fraction(sums.cost or 0)
    assert (sums.cost is None) is (not amounts)


def test_small_change_is_not_lost() -> None:
    """A tenth of a cent ten thousand times is ten dollars, beside a large amount too."""
    spans = [otlp.call((1, 1), 0.001)] * 10_000 + [otlp.call((1, 1), 1e17)]

    assert Decimal(100000000000000010) == summary_of(*spans).total.cost


def test_totals_of_agents_and_runs_are_not_added() -> None:
    """Only calls count: the root holds the same tokens and the same money again."""
    total = summary_of(otlp.call((10, 5), 0.5), otlp.workflow(cost=0.5)).total

    assert (1, 10, Decimal("0.5")) == (total.calls, total.token("input_tokens"), total.cost)


def test_unknown_stays_unknown() -> None:
    """Sums over nothing known are not 0, and what is known is not thinned by what is not."""
    nothing = summary_of(otlp.call(None)).total
    mixed = summary_of(otlp.call(None), otlp.call((10, 5), 0.5), otlp.call((2, 1))).total

    assert (None, None, 0) == (nothing.token("input_tokens"), nothing.cost, nothing.unpriced)
    assert (12, Decimal("0.5"), 1) == (mixed.token("input_tokens"), mixed.cost, mixed.unpriced)
    assert {"not_reported": 1} == nothing.missing == mixed.missing


def test_calls_that_sent_nothing_are_no_calls() -> None:
    """A span that only stands for other calls is counted apart."""
    summary = summary_of(otlp.call(attributes={semconv.SENT: False}), otlp.call())

    assert (1, 1) == (summary.total.calls, summary.unsent)


@given(st.lists(st.tuples(st.sampled_from([None, "a", "b", "c", "d"]), st.integers(0, 99)), max_size=30))
def test_groups_add_up_to_the_total(calls: list[tuple[str | None, int]]) -> None:
    """Whatever the bound on groups, they and the rest are the total, in every figure."""
    spans = (by_user(user, cost / 8) for user, cost in calls)
    summary = summary_of(*spans, by=["user"], max_groups=2)

    sums = Sums()
    for _, group in summary.groups["user"].dearest():
        sums.merge(group)
    if summary.groups["user"].other is not None:
        sums.merge(summary.groups["user"].other)
    assert summary.total.as_dict() == sums.as_dict()


def test_groups_are_bounded() -> None:
    """The first names keep sums of their own, all later ones share one; no name is no name."""
    spans = [by_user(user) for user in ("a", "b", "c", "d", None, "a", "c")]
    groups = summary_of(*spans, by=["user"], max_groups=2).groups["user"]

    assert {"a": 2, "b": 1, None: 1} == {name: sums.calls for name, sums in groups.dearest()}
    assert groups.other is not None
    assert 3 == groups.other.calls


def test_dearest_group_comes_first() -> None:
    """Groups are in the order of their cost; days can be had in their own order."""
    spans = [by_user("cheap", 0.1), by_user("dear", 5.0), by_user("free", 0.0)]
    groups = summary_of(*spans).groups["user"]

    assert ["dear", "cheap", "free"] == [name for name, _ in groups.dearest()]
    assert ["cheap", "dear", "free"] == [name for name, _ in groups.by_name()]


# -- runs --------------------------------------------------------------------------------------------------
def test_run_is_put_together_from_lines_in_any_order() -> None:
    """A run's root and its calls may stand anywhere; other runs in between do not matter."""
    spans = [
        otlp.call((1, 1), 2.0, **in_run(1)),
        otlp.workflow("first", **in_run(1)),
        otlp.workflow("second", endTimeUnixNano=str(otlp.NOON + 5 * otlp.SECOND), **in_run(2)),
        otlp.call((1, 1), **in_run(1)),
        otlp.call((1, 1), 1.0, **in_run(1)),
        otlp.call((1, 1), 2.5, **in_run(2)),
    ]
    for seed in range(6):
        random.Random(seed).shuffle(spans)  # noqa: S311 - an order, no secret
        runs = summary_of(*spans).runs
        [dearest, cheaper] = runs.dearest()
        assert ("first", 3, Decimal(3), 1) == (dearest.name, dearest.calls, dearest.cost, dearest.unpriced)
        assert ("second", Decimal("2.5")) == (cheaper.name, cheaper.cost)
        assert ["second", "first"] == names(runs.slowest())


def test_runs_of_one_trace_are_told_apart() -> None:
    """Two runs in one OpenTelemetry trace, such as those of one request, are two."""

    def of(sdk_trace: str) -> dict[str, str]:
        return {semconv.OPENAI_AGENTS_TRACE_ID: sdk_trace}

    spans = [otlp.call((1, 1), cost, attributes=of(name)) for name, cost in (("x", 1.0), ("y", 2.0))]

    assert [Decimal(2), Decimal(1)] == [run.cost for run in summary_of(*spans).runs.dearest()]


def test_run_without_a_known_cost_is_not_dear_and_not_free() -> None:
    """A run whose calls have no price is missing among the dearest, and has no cost among the slowest."""
    runs = summary_of(otlp.call((1, 1), **in_run(1)), otlp.workflow("a", **in_run(1))).runs

    assert [] == runs.dearest()
    assert [None] == [run.cost for run in runs.slowest()]


def test_run_without_its_root_has_no_name_and_no_time() -> None:
    """What a missing root would have said is unknown; the cost of its calls is not."""
    runs = summary_of(otlp.call((1, 1), 1.0)).runs

    [run] = runs.dearest()
    assert (None, None, Decimal(1)) == (run.name, run.seconds, run.cost)
    assert [] == runs.slowest()


def test_top_runs() -> None:
    """As many runs as asked for, the largest first; of equal ones, those that came first."""
    spans = [
        otlp.call((1, 1), cost, name=f"call {number}", parentSpanId=None, **in_run(number))
        for number, cost in enumerate([1.0, 3.0, 2.0, 3.0, 0.5, 3.0])
    ]

    assert ["call 1", "call 3", "call 5", "call 2"] == names(summary_of(*spans, top=4).runs.dearest())


def test_open_runs_are_bounded() -> None:
    """Beyond the bound the run that was met longest ago is closed, and found again among the dearest."""
    spans = [otlp.call((1, 1), float(number), **in_run(number)) for number in range(50)]
    runs = summary_of(*spans, top=2, max_open_runs=3).runs

    assert [Decimal(49), Decimal(48)] == [run.cost for run in runs.dearest()]
    assert [Decimal(49), Decimal(48)] == [run.cost for run in runs.dearest()]


def test_run_that_is_still_met_stays_open() -> None:
    """A long run is kept together while short ones come and go: of two, the one met longest ago is closed."""
    spans = [otlp.call((1, 1), 1.0, **in_run(number)) for number in (0, 1, 0, 2, 0, 3, 0)]

    assert 4 == summary_of(*spans, top=1, max_open_runs=2).runs.dearest()[0].calls


# -- since -------------------------------------------------------------------------------------------------
def test_since_leaves_out_what_began_before() -> None:
    """Calls and runs that began earlier, or that have no start, do not count."""
    earlier = str(otlp.NOON - otlp.SECOND)
    spans = [
        otlp.call((1, 1), 1.0),
        otlp.call((1, 1), 1.0, startTimeUnixNano=earlier),
        otlp.call((1, 1), 1.0, startTimeUnixNano=None),
        otlp.workflow("old", startTimeUnixNano=earlier, **in_run(7)),
    ]
    summary = summary_of(*spans, since_ns=otlp.NOON)

    assert 1 == summary.total.calls
    assert "old" not in names(summary.runs.slowest())
    assert (otlp.NOON, otlp.NOON) == (summary.first_ns, summary.last_ns)


@pytest.mark.parametrize("root_first", [False, True])
def test_run_that_spans_the_limit_keeps_its_name(*, root_first: bool) -> None:
    """A run that began before the limit shows with what it spent after it, under its name."""
    earlier = str(otlp.NOON - otlp.SECOND)
    spans = [otlp.call((1, 1), 1.0), otlp.workflow("long", startTimeUnixNano=earlier)]
    if root_first:
        spans.reverse()

    assert ["long"] == names(summary_of(*spans, since_ns=otlp.NOON).runs.dearest())
