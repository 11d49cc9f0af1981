"""The cap on attribute sets decides well and never lets an instrument grow past its limit."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.trace import INVALID_SPAN_CONTEXT

from litespan import semconv
from litespan.emit.cardinality import (
    LIMIT,
    ROOM_FOR_KNOWN_NAMES,
    ROOM_FOR_MODELS,
    ROOM_FOR_NEW_NAMES,
    SetLimit,
    Values,
    attributes_of,
)
from litespan.emit.histograms import CappedHistogram, Taken
from litespan.emit.tallies import COUNTED, Tally
from litespan.export.bound import bind
from litespan.records import Standing

OTHER = semconv.OTHER
CALLS = len(semconv.CALLS.attributes)


def call(model: str, agent: str, outcome: str = "ok", *extra: Any) -> Values:
    """Return values of `litespan.calls`."""
    return ("chat", "openai", model, agent, "flow", outcome, *extra)


def fill(tally: Tally, sets: int, standing: Standing = Standing.UNKNOWN) -> None:
    """Make that many sets, each with an agent of its own; the model is always the same."""
    for number in range(sets):
        tally.add(1, call("usual", f"agent {number}"), standing)


def full_tally() -> Tally:
    """Return a tally that takes no new names any more."""
    tally = Tally(semconv.CALLS)
    fill(tally, ROOM_FOR_NEW_NAMES)
    return tally


def test_sets_are_kept_as_they_are_while_there_is_room() -> None:
    """Up to the room for new names every combination is a set of its own."""
    tally = Tally(semconv.CALLS)

    for number in range(ROOM_FOR_NEW_NAMES):
        assert call("usual", f"agent {number}") == tally.add(1, call("usual", f"agent {number}"))
    assert call("usual", OTHER) == tally.add(1, call("usual", "one more"))


def test_names_that_were_seen_keep_their_name() -> None:
    """Beyond it an agent that is known still gets a set for an outcome that it never had."""
    tally = full_tally()

    assert call("usual", "agent 3", "error") == tally.add(1, call("usual", "agent 3", "error"))
    assert call("usual", OTHER, "error") == tally.add(1, call("usual", "agent new", "error"))


@pytest.mark.parametrize(
    ("standing", "model"),
    [(Standing.UNKNOWN, OTHER), (Standing.PRICED, "late"), (Standing.CONFIGURED, "late")],
)
def test_models_with_a_price_keep_their_name(standing: Standing, model: str) -> None:
    """A model that comes late is `other`, unless it has a price or was configured."""
    tally = full_tally()

    assert call(model, OTHER) == tally.add(1, call("late", "late"), standing)


def test_configured_models_keep_their_name_longest() -> None:
    """Where priced models have used their room, those that the program configured still have some."""
    tally = full_tally()
    for number in range(LIMIT):
        tally.add(1, call(f"priced {number}", "x"), Standing.PRICED)

    assert OTHER == tally.add(1, call("priced late", "x"), Standing.PRICED)[2]
    left = ROOM_FOR_MODELS[Standing.CONFIGURED] - ROOM_FOR_MODELS[Standing.PRICED]
    for number in range(left - 1):
        assert f"own {number}" == tally.add(1, call(f"own {number}", "x"), Standing.CONFIGURED)[2]


def test_extra_keys_become_other() -> None:
    """New values of extra keys become `other`, under their own names."""
    tally = full_tally()
    extra = (("team", "late"), ("plan", "free"))

    values = tally.add(1, call("usual", "agent 1", "ok", extra))

    assert {"team": OTHER, "plan": OTHER}.items() <= attributes_of(semconv.CALLS, values).items()


def test_errors_become_the_conventions_other() -> None:
    """A type of error that comes late is `_OTHER`, and what is not set stays so."""
    limit = SetLimit(semconv.TOOL_DURATION)
    sets: set[Values] = set()
    for number in range(ROOM_FOR_KNOWN_NAMES):
        sets.add(limit.admit((f"tool {number}", None, None), sets, Standing.UNKNOWN))

    assert (OTHER, None, "_OTHER") == limit.admit(("late", None, "Late"), sets, Standing.UNKNOWN)


def test_sums_stay_whole() -> None:
    """What is counted as `other` is not lost, and what went up comes down where it went up."""
    tally = Tally(semconv.CALLS)
    counted = [
        tally.add(1, call(f"model {number}", f"agent {number}"), Standing(number % 3))
        for number in range(3 * LIMIT)
    ]

    assert 3 * LIMIT == sum(tally._sums.values())
    for values in counted:
        assert values == tally.add(-1, values)
    assert {0} == set(tally._sums.values())


def test_first_overflow_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """One warning names the instrument, however much is counted as `other` after it."""
    with caplog.at_level(logging.WARNING, "litespan"):
        tally = full_tally()
        assert [] == caplog.messages
        fill(tally, 2 * LIMIT)

    [message] = caplog.messages
    assert "litespan.calls has too many attribute sets" in message


def test_fork_starts_anew() -> None:
    """A forked child has room for names again, as its sums start from zero."""
    tally = full_tally()
    tally.reset()

    assert call("late", "late") == tally.add(1, call("late", "late"))


def test_histogram_has_no_more_sets_than_the_limit() -> None:
    """OpenTelemetry gets no more sets than the limit, and every measurement."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    histogram = CappedHistogram(semconv.TOOL_DURATION, provider.get_meter("test"), bind)
    taken = Taken([0], [INVALID_SPAN_CONTEXT])
    for number in range(3 * LIMIT):
        histogram.record([1.0], taken, (f"tool {number}", f"agent {number}", f"error {number}"))

    data = reader.get_metrics_data()
    assert data is not None
    points: Sequence[Any] = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    assert len(points) <= LIMIT
    assert 3 * LIMIT == sum(point.count for point in points)


CLOSED: Final[Mapping[str, Sequence[object]]] = {
    semconv.OPERATION_NAME: ("chat", "text_completion", "embeddings"),
    semconv.OUTCOME: ("ok", "error", "cancelled", "abandoned", "incomplete", "blocked"),
    semconv.TOKEN_MODALITY: ("unknown",),
    semconv.TOKEN_TYPE: ("input", "output"),
    semconv.TOKEN_CLASS: ("input", "cache_read", "cache_write", "output", "reasoning", "unsplit"),
    semconv.USAGE_COST_CURRENCY: ("USD",),
    semconv.USAGE_COST_SOURCE: ("local", "provider"),
    semconv.REASON: (
        "not_reported",
        "error",
        "timeout",
        "connection",
        "cancelled",
        "abandoned",
        "incomplete",
    ),
    semconv.GUARDRAIL_TRIGGERED: (True, False),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("metric", COUNTED, ids=lambda metric: metric.name)
def test_no_instrument_grows_past_the_limit(metric: semconv.Metric, seed: int) -> None:
    """However models, agents, providers and standings come, no counter has more sets than the limit."""
    tally, random = Tally(metric), Random(seed)  # noqa: S311 - a test that can be run again
    for number in range(4 * LIMIT):
        values = (random.choice(CLOSED.get(name, (number, number % 50))) for name in metric.attributes)
        tally.add(1, tuple(values), Standing(random.randrange(3)))

    assert len(tally._sums) <= LIMIT
    assert 4 * LIMIT == sum(tally._sums.values())
