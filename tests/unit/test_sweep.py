"""What the recorder gives up, and when it looks for it; and how it tells its emitters."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from litespan import guard, table
from litespan.pricing import PriceBook
from litespan.recorder import SWEEP_INTERVAL, Recorder
from litespan.records import ModelCall, Record, Workflow
from litespan.settings import Settings


class Clock:
    """A monotonic clock that the test moves."""

    now = 1000.0

    def monotonic(self) -> float:
        """Return the time in seconds."""
        return self.now


class Emitter:
    """Keeps the trace ids of what ended; fails where it is told to."""

    def __init__(self, *, fails: bool = False) -> None:
        self.ended_ids: list[str | None] = []
        self._fails = fails

    def began(self, record: Record) -> None:
        """Fail, or do nothing."""
        if self._fails:
            raise RuntimeError

    def ended(self, record: Record) -> None:
        """Keep the record's trace id."""
        self.ended_ids.append(record.trace_id)
        self.began(record)

    def hears_began(self, kind: type[Record]) -> bool:
        """All records."""
        return True

    def hears_ended(self, kind: type[Record]) -> bool:
        """All records."""
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let recorder and table, and nothing else in the process, read a clock that the test moves."""
    moved = Clock()
    for module in ("recorder", "table"):
        monkeypatch.setattr(f"litespan.{module}.time", moved)
    return moved


@pytest.fixture
def ids() -> Iterator[str]:
    """Return ids that were not used before."""
    return (f"trace_{number}" for number in count())


def make_recorder(*emitters: Emitter, max_age: float = 100.0) -> Recorder:
    """Return a recorder without prices."""
    settings = Settings(record_max_age=max_age)
    return Recorder(settings, emitters, PriceBook(settings, lambda _: None, "none"))


def test_a_new_trace_closes_what_is_overdue(clock: Clock, ids: Iterator[str]) -> None:
    """A trace that is too old is closed when another one begins, but not before its age."""
    emitter = Emitter()
    watched = make_recorder(emitter)
    watched.begin_trace(Workflow(trace_id="old"))

    clock.now += 99
    watched.begin_trace(Workflow(trace_id=next(ids)))
    assert emitter.ended_ids == []

    clock.now += 2
    watched.begin_trace(Workflow(trace_id=next(ids)))
    assert emitter.ended_ids == ["old"]


def test_traces_in_quick_succession_do_not_look_again(
    clock: Clock, ids: Iterator[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many traces begin, the open ones are looked through once in an interval."""
    looks: list[float] = []
    watched = make_recorder(Emitter())
    look = watched.table.older_than

    def count_looks(began_before: float) -> list[Record]:
        looks.append(began_before)
        return look(began_before)

    monkeypatch.setattr(watched.table, "older_than", count_looks)

    for _ in range(50):
        watched.begin_trace(Workflow(trace_id=next(ids)))
    clock.now += SWEEP_INTERVAL
    watched.begin_trace(Workflow(trace_id=next(ids)))

    assert len(looks) == 2


def test_too_many_traces_close_the_oldest_at_once(
    clock: Clock, ids: Iterator[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of open traces keeps its limit between two looks as well."""
    monkeypatch.setattr(table, "MAX_TRACES", 3)
    emitter = Emitter()
    watched = make_recorder(emitter)

    for _ in range(5):
        watched.begin_trace(Workflow(trace_id=next(ids)))

    assert emitter.ended_ids == ["trace_0", "trace_1"]


def test_too_many_calls_outside_any_run_give_up_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that never end fill no memory: the oldest are abandoned and counted, the newest stay open."""
    monkeypatch.setattr(table, "MAX_RECORDS", 3)
    emitter = Emitter()
    watched = make_recorder(emitter)
    calls = [ModelCall(operation="chat", trace_id=f"call {number}") for number in range(5)]

    for call in calls:
        watched.begin(call, None)

    assert [3, {"too_many_open": 2}] == [len(watched.table), watched.table.losses()]
    assert emitter.ended_ids == ["call 0", "call 1"]
    assert ["abandoned"] * 2 + ["ok"] * 3 == [call.outcome for call in calls]
    assert "abandoned" == calls[0].usage_missing_reason


def test_what_ends_after_it_was_given_up_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The late end of a call that was given up is not told a second time."""
    monkeypatch.setattr(table, "MAX_RECORDS", 1)
    emitter = Emitter()
    watched = make_recorder(emitter)
    first, second = (ModelCall(operation="chat", trace_id=name) for name in ("first", "second"))
    watched.begin(first, None)
    watched.begin(second, None)

    watched.end(first)
    watched.end(second)

    assert (["first", "second"], 0) == (emitter.ended_ids, len(watched.table))


def test_a_trace_that_is_given_up_counts_with_what_is_in_it(
    ids: Iterator[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A root goes with everything that is open in its trace, and each of them is counted."""
    monkeypatch.setattr(table, "MAX_RECORDS", 4)
    watched = make_recorder(Emitter())
    for _ in range(2):
        workflow = Workflow(trace_id=next(ids))
        watched.begin_trace(workflow)
        for _ in range(2):
            watched.begin(ModelCall(operation="chat"), workflow)

    assert (3, {"too_many_open": 3}) == (len(watched.table), watched.table.losses())


def test_ended_spans_of_open_traces_are_bounded(ids: Iterator[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many long traces the last few spans of each stay findable for late children, not hundreds."""
    monkeypatch.setattr(table, "MAX_SPANS", 40)
    watched = make_recorder(Emitter())
    workflows = [Workflow(trace_id=next(ids)) for _ in range(10)]
    for workflow in workflows:
        watched.begin_trace(workflow)
    for number in range(50):
        for workflow in workflows:
            call = ModelCall(operation="chat", span_id=f"{workflow.trace_id} {number}")
            watched.begin(call, workflow)
            watched.end(call)

    found = [
        number
        for number in range(50)
        for workflow in workflows
        if watched.table.span(f"{workflow.trace_id} {number}") is not None
    ]
    assert 10 * table.FEW_ENDED_SPANS >= len(found) >= 40
    assert [49] * 10 == found[-10:]


def test_calls_outside_any_run_age(clock: Clock) -> None:
    """A call that is too old is given up when another one begins, also where there are no runs at all."""
    emitter = Emitter()
    watched = make_recorder(emitter)
    watched.begin(ModelCall(operation="chat", trace_id="old"), None)

    clock.now += 101
    watched.begin(ModelCall(operation="chat", trace_id="new"), None)

    assert emitter.ended_ids == ["old"]
    assert {"too_old": 1} == watched.table.losses()


def test_giving_up_is_told_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """The first record that is given up for a reason is worth a warning, the others are counted."""
    watched = make_recorder(Emitter())
    for _ in range(3):
        watched.begin(ModelCall(operation="chat"), None)
        clock.now += 101
    watched.begin(ModelCall(operation="chat"), None)

    assert {"too_old": 3} == watched.table.losses()
    assert 1 == sum("(too_old)" in message for message in caplog.messages)


@pytest.mark.internal_errors_expected
def test_a_failing_emitter_stops_no_other(ids: Iterator[str]) -> None:
    """What one emitter fails to write, the next one writes; both faults are counted."""
    second = Emitter()
    watched = make_recorder(Emitter(fails=True), second)
    workflow = Workflow(trace_id=next(ids))

    watched.begin_trace(workflow)
    watched.end(workflow)

    assert second.ended_ids == ["trace_0"]
    assert guard.internal_errors() == {"Emitter.began": 1, "Emitter.ended": 1}
