"""What litespan keeps of a run is freed when nobody needs it, without waiting for the garbage collector."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from agents import agent_span, function_span, trace
from agents.tracing import task_span, turn_span

from litespan import table
from litespan.records import Record
from litespan.testing import Capture


@contextmanager
def collected() -> Iterator[Counter[str]]:
    """Count the records, by type, that only the garbage collector ends."""
    found: Counter[str] = Counter()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        # Other tests may leave other things, which end when their threads do.
        found.update(type(one).__qualname__ for one in gc.garbage if isinstance(one, Record))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def test_ended_runs_are_freed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No record of a run that has ended is in a cycle of references."""
    monkeypatch.setattr(table, "MAX_CLOSED", 1)
    with Capture(), collected() as found:
        for _ in range(3):
            with trace("Mine"), task_span("Mine"), agent_span("A"), turn_span(1, "A"), function_span("f"):
                pass

    assert {} == found
