"""Measurements wait in a bounded number, are recorded in their order, and a fault of one loses no others."""

from __future__ import annotations

import threading
import weakref
from typing import Any

import pytest

from litespan import guard
from litespan.emit import measurements
from litespan.emit.measurements import MOST, Common, Measurements, Own


class Noted:
    """Notes the amounts that it was given, in the parts in which they came."""

    def __init__(self) -> None:
        self.parts: list[list[Any]] = []

    def write(self, _: Common, owns: list[Own]) -> None:
        """Note the amounts."""
        self.parts.append([amount for (amount,) in owns])


class Failing(Noted):
    """Cannot record."""

    def write(self, _: Common, owns: list[Own]) -> None:
        """Fail."""
        raise ZeroDivisionError


def keep(waiting: Measurements, group: Noted, *amounts: float) -> None:
    """Let measurements wait."""
    for amount in amounts:
        waiting.keep(group.write, (), (amount,))


def test_each_group_comes_together() -> None:
    """Measurements of several groups come apart, each in the order in which it was taken."""
    waiting, first, second = Measurements(), Noted(), Noted()
    keep(waiting, first, 1, 2)
    keep(waiting, second, 3)
    keep(waiting, first, 4)
    assert [] == first.parts == second.parts

    waiting.record()
    waiting.record()

    assert [[1, 2, 4]] == first.parts
    assert [[3]] == second.parts


def test_what_differs_in_what_groups_have_in_common_comes_apart() -> None:
    """One function records several groups, and is told which."""
    told: list[tuple[Common, list[Own]]] = []

    def write(common: Common, owns: list[Own]) -> None:
        told.append((common, owns))

    waiting = Measurements()
    for name, amount in (("a", 1), ("b", 2), ("a", 3)):
        waiting.keep(write, (name,), (amount,))
    waiting.record()

    assert [(("a",), [(1,), (3,)]), (("b",), [(2,)])] == told


def test_equal_ones_wait_as_one() -> None:
    """What groups have in common is kept once while it waits, and let go with them."""

    class Name:
        pass

    name, told = Name(), list[Common]()
    known = weakref.ref(name)
    waiting = Measurements()
    for amount in (1, 2):
        waiting.keep(lambda common, _: told.append(common), (name,), (amount,))
    assert 1 == len({id(item) for item in waiting._waiting if isinstance(item, tuple) and name in item})

    waiting.record()
    assert [(name,), (name,)] == told
    told.clear()
    del name
    assert known() is None


def test_what_cannot_be_grouped_fails_alone() -> None:
    """An odd value fails where it is kept, and the others are recorded."""
    waiting, group = Measurements(), Noted()
    keep(waiting, group, 1)

    with pytest.raises(TypeError):
        waiting.keep(group.write, ([],), (2,))
    waiting.record()

    assert [[1]] == group.parts


def test_nothing_waits_where_nobody_tells_of_collections() -> None:
    """With meter providers of other kinds everything is recorded at once."""
    waiting, group = Measurements(at_once=True), Noted()
    keep(waiting, group, 1, 2)

    assert [[1], [2]] == group.parts


def test_no_more_than_so_many_wait() -> None:
    """When they are many, they are recorded without being asked for."""
    waiting, group = Measurements(), Noted()
    keep(waiting, group, *range(MOST - 1))
    assert [] == group.parts

    keep(waiting, group, MOST - 1)

    assert [list(range(MOST))] == group.parts


def test_what_is_taken_while_recording_stays() -> None:
    """A finalizer may take measurements in the middle of it: nobody waits for itself, and none is lost."""
    waiting, group = Measurements(), Noted()

    class Finalized(Noted):
        def write(self, common: Common, owns: list[Own]) -> None:
            super().write(common, owns)
            keep(waiting, group, *range(MOST))

    keep(waiting, Finalized(), 1)
    waiting.record()
    assert [] == group.parts

    waiting.record()
    assert [list(range(MOST))] == group.parts


def test_nobody_waits_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A collection in the middle of a recording, in the same thread, goes on without what waits."""
    monkeypatch.setattr(measurements, "PATIENCE", 0.01)
    waiting, group = Measurements(), Noted()

    class Collecting(Noted):
        def write(self, common: Common, owns: list[Own]) -> None:
            super().write(common, owns)
            keep(waiting, group, 2)
            waiting.record()

    keep(waiting, Collecting(), 1)
    waiting.record()
    assert [] == group.parts

    waiting.record()
    assert [[2]] == group.parts


def test_what_another_thread_takes_between_the_steps_stays() -> None:
    """A measurement that comes between the copy of the list and its emptying is not thrown away."""
    waiting, group = Measurements(), Noted()

    class Interrupted(list[Any]):
        def __getitem__(self, place: Any) -> Any:
            copied = super().__getitem__(place)
            keep(waiting, group, 2)
            return copied

    waiting._waiting = Interrupted()
    keep(waiting, group, 1)
    waiting.record()
    waiting._waiting = list(waiting._waiting)
    waiting.record()

    assert [[1], [2]] == group.parts


def test_a_fault_loses_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group that fails is counted, and the others are recorded."""
    monkeypatch.setattr(guard, "_listeners", [])
    waiting, group = Measurements(), Noted()
    keep(waiting, Failing(), 1)
    keep(waiting, group, 2)
    before = guard.internal_errors().get("measurements", 0)

    waiting.record()

    assert [[2]] == group.parts
    assert before + 1 == guard.internal_errors()["measurements"]


def test_nothing_is_lost_between_threads() -> None:
    """Threads that take while others record lose nothing and record nothing twice."""
    waiting, group, threads, each = Measurements(), Noted(), 8, 5 * MOST

    def take(number: int) -> None:
        keep(waiting, group, *range(number * each, (number + 1) * each))

    running = [threading.Thread(target=take, args=[number]) for number in range(threads)]
    for thread in running:
        thread.start()
    while any(thread.is_alive() for thread in running):
        waiting.record()
    waiting.record()

    assert list(range(threads * each)) == sorted(amount for part in group.parts for amount in part)


def test_a_forked_child_starts_with_none() -> None:
    """What waits in the parent is the parent's, and so is the thread that was recording."""
    waiting, group = Measurements(), Noted()
    keep(waiting, group, 1)
    waiting._recording.acquire()

    waiting.reset_after_fork()
    keep(waiting, group, 2)
    waiting.record()

    assert [[2]] == group.parts
