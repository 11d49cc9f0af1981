"""What stays known of spans and traces that have ended."""

from __future__ import annotations

import pytest

from litespan import table
from litespan.records import ToolCall, Workflow
from litespan.table import FEW_ENDED_SPANS, MAX_ENDED_SPANS, RecordTable


def findable(ended: int) -> list[int]:
    """Return the numbers of those that are found after so many spans of a trace have ended."""
    records = RecordTable()
    records.open_trace(Workflow(trace_id="trace"))
    for number in range(ended):
        tool = ToolCall(trace_id="trace", span_id=f"span {number}")
        records.add(tool)
        assert records.remove(tool)
    return [number for number in range(ended) if records.span(f"span {number}") is not None]


def test_the_last_ones_of_a_trace() -> None:
    """Of many the last ones are found."""
    assert list(range(20)) == findable(20)
    assert list(range(10, MAX_ENDED_SPANS + 10)) == findable(MAX_ENDED_SPANS + 10)


def test_fewer_where_many_are_kept_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that long traces cannot fill the memory together."""
    monkeypatch.setattr(table, "MAX_SPANS", 0)
    assert list(range(12, 12 + FEW_ENDED_SPANS)) == findable(12 + FEW_ENDED_SPANS)


def test_ended_traces() -> None:
    """A trace has ended while it waits for its children, and after that; of others nothing is known."""
    records = RecordTable()
    records.open_trace(Workflow(trace_id="trace"))
    assert not records.has_ended("trace")

    opened = records.trace("trace")
    assert opened is not None
    opened.ended_ns = 1
    assert records.has_ended("trace")

    records.close_trace("trace")
    assert records.has_ended("trace")
    assert not records.has_ended("another")
    assert not records.has_ended(None)
