"""The table of open records: which began and have not ended, by SDK trace and SDK span.

Ends come in any order: a trace may end before its spans, some spans never end. So an ended trace waits a
short grace for its children, everything has an age limit, and the numbers of traces and of records are
bounded. Times of the grace and the age are taken from the monotonic clock, in seconds.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict, deque
from typing import Final

from litespan.records import Record, Workflow

GRACE: Final = 5.0
MAX_TRACES: Final = 50_000
MAX_RECORDS: Final = 5 * MAX_TRACES  # a run that waits for its model has five open: trace to call
MAX_CLOSED: Final = 256
MAX_SPANS: Final = 2 * MAX_RECORDS  # open ones, and ended ones for late children
MAX_ENDED_SPANS: Final = 256  # of a trace; beyond `MAX_SPANS` in all, the few that ended last
FEW_ENDED_SPANS: Final = 8


class OpenTrace:
    """What is known of one SDK trace: its root, its open records and, once it ended, the end of its grace."""

    __slots__ = ("deadline", "ended_ns", "ended_spans", "last_end_ns", "open", "workflow")

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self.open: dict[Record, None] = {}
        self.ended_spans: deque[str] | None = None  # until one has ended
        self.ended_ns: int | None = None
        self.last_end_ns = 0
        self.deadline = 0.0


class RecordTable:
    """Open records. All methods may be called from any thread, also from a finalizer during another one."""

    def __init__(self) -> None:
        # Re-entrant: the garbage collector may run a stream's finalizer while this thread holds the lock.
        self.lock = threading.RLock()
        self._open: dict[Record, float] = {}
        self._by_span: dict[str | None, Record] = {}
        self._traces: dict[str | None, OpenTrace] = {}
        self._closed: OrderedDict[str | None, Workflow] = OrderedDict()
        self._losses: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    def open_trace(self, workflow: Workflow) -> Workflow | None:
        """Remember the root of an SDK trace; return the oldest one if there are too many."""
        if workflow.trace_id is None:
            return None
        with self.lock:
            self._traces[workflow.trace_id] = OpenTrace(workflow)
            return next(iter(self._traces.values())).workflow if len(self._traces) > MAX_TRACES else None

    def add(self, record: Record) -> Record | None:
        """Remember a record that began; return the oldest one if there are too many."""
        span_id = record.span_id
        with self.lock:
            self._open[record] = time.monotonic()
            if span_id is not None:
                self._by_span[span_id] = record
            trace = self._traces.get(record.trace_id)
            if trace is not None and record is not trace.workflow:
                trace.open[record] = None
            return next(iter(self._open)) if len(self._open) > MAX_RECORDS else None

    def remove(self, record: Record) -> bool:
        """Forget an open record; false when it had ended before. Only one caller gets true."""
        span_id = record.span_id
        with self.lock:
            if self._open.pop(record, None) is None:
                return False
            trace = self._traces.get(record.trace_id)
            if trace is None:
                if span_id is not None:
                    self._by_span.pop(span_id, None)
                return True
            trace.open.pop(record, None)
            if span_id is not None:
                # An ended span stays findable for late children, in a bounded number.
                ended = trace.ended_spans
                if ended is None:
                    ended = trace.ended_spans = deque()
                ended.append(span_id)
                if len(ended) > FEW_ENDED_SPANS:
                    kept = MAX_ENDED_SPANS if len(self._by_span) <= MAX_SPANS else FEW_ENDED_SPANS
                    while len(ended) > kept:
                        self._by_span.pop(ended.popleft(), None)
            return True

    # Single look-ups need no lock: one step of a dict is one step of the interpreter.
    def span(self, span_id: str | None) -> Record | None:
        """Return the record of an SDK span, also for a while after it ended."""
        return self._by_span.get(span_id)

    def trace(self, trace_id: str | None) -> OpenTrace | None:
        """Return an SDK trace that is not closed yet."""
        return self._traces.get(trace_id)

    def root(self, trace_id: str | None) -> Workflow | None:
        """Return the root of an SDK trace, also for a while after it was closed."""
        trace = self._traces.get(trace_id)
        return self._closed.get(trace_id) if trace is None else trace.workflow

    def has_ended(self, trace_id: str | None) -> bool:
        """Say whether an SDK trace has ended, as long as it is known: closed, or waiting for its children."""
        trace = self._traces.get(trace_id)
        return trace_id in self._closed if trace is None else trace.ended_ns is not None

    def close_trace(self, trace_id: str) -> None:
        """Forget a trace with its spans; its root stays findable for late children."""
        with self.lock:
            trace = self._traces.pop(trace_id, None)
            if trace is None:
                return
            for span_id in trace.ended_spans or ():
                self._by_span.pop(span_id, None)
            self._closed.pop(trace_id, None)  # of a trace that was resumed, which is the newest now
            self._closed[trace_id] = trace.workflow
            if len(self._closed) > MAX_CLOSED:
                self._closed.popitem(last=False)

    def ended_traces(self, *, now: float | None = None) -> list[str]:
        """Return traces that ended but wait for children: those past their grace at ``now``, or all."""
        with self.lock:
            traces = list(self._traces.items())  # a copy: a finalizer may change the table at any step
        return [
            trace_id
            for trace_id, trace in traces
            if trace_id is not None and trace.ended_ns is not None and (now is None or trace.deadline <= now)
        ]

    def older_than(self, began_before: float) -> list[Record]:
        """Return open records that began before a time of the monotonic clock, the youngest first."""
        with self.lock:
            oldest = next(iter(self._open.values()), began_before)
            held = list(self._open.items()) if oldest < began_before else []
        return [record for record, began in reversed(held) if began < began_before]

    def everything(self) -> list[Record]:
        """Return all open records, the youngest first."""
        with self.lock:
            held = list(self._open)
        return held[::-1]

    def note_loss(self, reason: str, count: int) -> bool:
        """Count records that were given up before their end came; true for the first ones of a reason."""
        with self.lock:
            self._losses[reason] += count
            return self._losses[reason] == count

    def losses(self) -> dict[str, int]:
        """Return the number of records that were given up, by reason."""
        with self.lock:
            return dict(self._losses)

    def reset_after_fork(self) -> None:
        """Forget the parent's records in a forked child; the parent ends them."""
        self.__init__()  # type: ignore[misc]
