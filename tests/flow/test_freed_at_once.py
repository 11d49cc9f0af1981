"""What litespan keeps of a run is freed when nobody needs it, without waiting for the garbage collector."""

from __future__ import annotations

import gc
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from agents import agent_span, function_span, trace
from agents.tracing import task_span, turn_span
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import Span

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


class Watching(SpanProcessor):
    """Knows which spans exist."""

    def __init__(self) -> None:
        self.spans: dict[str, weakref.ref[Span]] = {}

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note a span."""
        assert isinstance(span, ReadableSpan)
        self.spans[span.name] = weakref.ref(span)


def test_an_ended_root_keeps_its_place_and_not_its_span() -> None:
    """A root stays for late children, without the attributes of its span."""
    watching = Watching()
    with Capture() as capture:
        capture.tracer_provider.add_span_processor(watching)
        with trace("Mine") as mine, agent_span("A"):
            pass
        assert {"invoke_workflow Mine": None, "invoke_agent A": None} == {
            name: span() for name, span in watching.spans.items()
        }

        with agent_span("late", parent=mine):
            pass
        [root], [late] = capture.named("invoke_workflow Mine"), capture.named("invoke_agent late")

    assert late.parent is not None
    assert root.context is not None
    assert late.context is not None
    assert root.context.span_id == late.parent.span_id
    assert root.context.trace_id == late.context.trace_id
