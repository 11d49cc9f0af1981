"""Measurements wait in a bounded number, are recorded in their order, and a fault of one loses no others."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from opentelemetry.trace import INVALID_SPAN_CONTEXT

from litespan import guard
from litespan.export import measurements
from litespan.export.measurements import MOST, Measurement, Measurements


class Noted:
    """A series that keeps the amounts that it was given, in the parts in which they came."""

    def __init__(self) -> None:
        self.parts: list[list[float]] = []

    def record_all(self, measurements: list[Measurement]) -> None:
        """Note the amounts."""
        self.parts.append([amount for _, amount, _, _ in measurements])


class Failing(Noted):
    """A series that cannot record."""

    def record_all(self, measurements: list[Measurement]) -> None:
        """Fail."""
        raise ZeroDivisionError


def keep(waiting: Measurements, series: Noted, *amounts: float) -> None:
    """Let measurements wait."""
    for amount in amounts:
        waiting.keep((series, amount, 0, INVALID_SPAN_CONTEXT))


def test_each_series_gets_its_own_together() -> None:
    """Measurements of several series come apart, each in the order in which it was taken."""
    waiting, first, second = Measurements(), Noted(), Noted()
    keep(waiting, first, 1, 2)
    keep(waiting, second, 3)
    keep(waiting, first, 4)
    assert [] == first.parts == second.parts

    waiting.record()
    waiting.record()

    assert [[1, 2, 4]] == first.parts
    assert [[3]] == second.parts


def test_no_more_than_so_many_wait() -> None:
    """When they are many, they are recorded without being asked for."""
    waiting, series = Measurements(), Noted()
    keep(waiting, series, *range(MOST - 1))
    assert [] == series.parts

    keep(waiting, series, MOST - 1)

    assert [list(range(MOST))] == series.parts


def test_what_is_taken_while_recording_stays() -> None:
    """A finalizer may take measurements in the middle of it: nobody waits for itself, and none is lost."""
    waiting, series = Measurements(), Noted()

    class Finalized(Noted):
        def record_all(self, measurements: list[Measurement]) -> None:
            super().record_all(measurements)
            keep(waiting, series, *range(MOST))

    keep(waiting, Finalized(), 1)
    waiting.record()
    assert [] == series.parts

    waiting.record()
    assert [list(range(MOST))] == series.parts


def test_nobody_waits_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A collection in the middle of a recording, in the same thread, goes on without what waits."""
    monkeypatch.setattr(measurements, "PATIENCE", 0.01)
    waiting, series = Measurements(), Noted()

    class Collecting(Noted):
        def record_all(self, measurements: list[Measurement]) -> None:
            super().record_all(measurements)
            keep(waiting, series, 2)
            waiting.record()

    keep(waiting, Collecting(), 1)
    waiting.record()
    assert [] == series.parts

    waiting.record()
    assert [[2]] == series.parts


def test_what_another_thread_takes_between_the_steps_stays() -> None:
    """A measurement that comes between the copy of the list and its emptying is not thrown away."""
    waiting, series = Measurements(), Noted()

    class Interrupted(list[Measurement]):
        def __getitem__(self, place: Any) -> Any:
            copied = super().__getitem__(place)
            keep(waiting, series, 2)
            return copied

    waiting._waiting = Interrupted()
    keep(waiting, series, 1)
    waiting.record()
    waiting._waiting = list(waiting._waiting)
    waiting.record()

    assert [[1], [2]] == series.parts


def test_a_fault_loses_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A series that fails is counted, and the others are recorded."""
    monkeypatch.setattr(guard, "_listeners", [])
    waiting, series = Measurements(), Noted()
    keep(waiting, Failing(), 1)
    keep(waiting, series, 2)
    before = guard.internal_errors().get("measurements", 0)

    waiting.record()

    assert [[2]] == series.parts
    assert before + 1 == guard.internal_errors()["measurements"]


def test_nothing_is_lost_between_threads() -> None:
    """Threads that take while others record lose nothing and record nothing twice."""
    waiting, series, threads, each = Measurements(), Noted(), 8, 5 * MOST

    def take(number: int) -> None:
        keep(waiting, series, *range(number * each, (number + 1) * each))

    running = [threading.Thread(target=take, args=[number]) for number in range(threads)]
    for thread in running:
        thread.start()
    while any(thread.is_alive() for thread in running):
        waiting.record()
    waiting.record()

    assert list(range(threads * each)) == sorted(amount for part in series.parts for amount in part)


def test_a_forked_child_starts_with_none() -> None:
    """What waits in the parent is the parent's, and so is the thread that was recording."""
    waiting, series = Measurements(), Noted()
    keep(waiting, series, 1)
    waiting._recording.acquire()

    waiting.reset_after_fork()
    keep(waiting, series, 2)
    waiting.record()

    assert [[2]] == series.parts
