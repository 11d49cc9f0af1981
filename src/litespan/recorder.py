"""The recorder: sources begin and end records here; it prices and sums them and tells the emitters."""

from __future__ import annotations

import logging
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from litespan import claims, content, context, listeners, records, scopes
from litespan.captured import Captured
from litespan.guard import call_each, guarded, guarded_one
from litespan.listeners import Emitter
from litespan.position import Position
from litespan.pricing import PriceBook
from litespan.records import (
    AgentRun,
    Guardrail,
    ModelCall,
    Record,
    Run,
    Scope,
    Speech,
    Step,
    ToolCall,
    Transcription,
    Turn,
    Workflow,
)
from litespan.settings import Settings
from litespan.table import GRACE, OpenTrace, RecordTable

logger = logging.getLogger("litespan")

SWEEP_INTERVAL: Final = 1.0  # seconds between two looks for what is overdue, when something begins

# Why records were given up that had not ended.
TOO_MANY_OPEN: Final = "too_many_open"
TOO_OLD: Final = "too_old"


class Recorder:
    """Begins and ends records. Every method may be called from any thread and any task."""

    def __init__(  # noqa: PLR0913 - the parts that the composition root puts in
        self,
        settings: Settings,
        emitters: Sequence[Emitter],
        prices: PriceBook,
        *,
        clock: Callable[[], int] = time.time_ns,
        suppressed: Callable[[], bool] = lambda: False,
        baggage: Callable[[], Mapping[str, str] | None] = lambda: None,
        shapes: content.Shapes | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.suppressed = suppressed
        self.table = RecordTable()
        self._deferred: deque[Callable[[], None]] = deque()
        self.locate: Callable[[], Position | None] = lambda: None
        self.prices = prices
        self._began, self._ended = listeners.of_beginnings(emitters), listeners.of_ends(emitters)
        self._baggage = guarded("baggage")(baggage)
        # A turn has no span, and what is in it asks for itself.
        self._folded = () if settings.turn_spans else (Run, Turn)
        self._price = guarded_one("pricing")(prices.cost)
        self._captured = Captured(settings, shapes or content.Shapes())
        self._next_sweep = 0.0
        self._captures = settings.content_on_spans or settings.events
        # What is to be done when a record of a type ends; of the others nothing is.
        self._completions: Mapping[type[Record], Callable[[Any], None]] = {
            Workflow: self._complete_scope,
            Run: self._complete_run,
            AgentRun: self._complete_scope,
            ModelCall: self._complete_call,
            ToolCall: self._captured.of_tool,
            Guardrail: scopes.tell_parent,
            Speech: self._captured.of_speech,
            Transcription: self._captured.of_transcription,
            Step: self._captured.of_step,
        }

    # -- beginning and ending ------------------------------------------------------------------------------
    def captures_content(self, *, allowed: bool) -> bool:
        """Say whether content of a call may be kept: the settings and the host must both allow it."""
        return self._captures and allowed

    def captures_tools(self, *, allowed: bool) -> bool:
        """Say the same of a tool's arguments and result; the conventions have no event that tells them."""
        return self.settings.content_on_spans and allowed

    def begin_trace(self, workflow: Workflow, parent: Record | None = None) -> None:
        """Begin the root of an SDK trace; below ``parent`` where it goes on after its root has ended."""
        overflowing = self.table.open_trace(workflow)
        self.begin(workflow, parent)
        if overflowing is not None:
            self._give_up(overflowing, TOO_MANY_OPEN)

    def begin(self, record: Record, parent: Record | None) -> None:
        """Begin a record under ``parent``; without one it joins the host's ambient OpenTelemetry context."""
        if self._deferred:
            self.settle_deferred()
        record.parent = parent
        if not record.start_ns:
            record.start_ns = self.clock()
        record.labels = context.current()
        if type(record) not in self._folded:
            record.baggage = self._baggage()
        elif parent is not None:
            record.handle = parent.handle  # it lends its parent's span to its children
        scopes.inherit(record, parent)
        overflowing = self.table.add(record)
        if isinstance(record, ToolCall):
            with self.table.lock:
                scopes.add_tool_call(record)
        if began := self._began[type(record)]:
            call_each(began, record)
        if overflowing is not None:
            self._give_up(overflowing, TOO_MANY_OPEN)
        # Looking for what is overdue takes the longer the more is open, so not every record pays for it.
        if parent is None and time.monotonic() >= self._next_sweep:
            self.sweep()

    def claim(self, whole: ModelCall, part: ModelCall) -> bool:
        """Let a call that starts now be what the record of the host's model span stands for.

        Returns false if the record stands for another call already, and for embeddings. One that has failed
        gives way to the next, and gets a span of its own.
        """
        with self.table.lock:
            if not claims.answers(part) or not claims.may_claim(whole):
                return False
            earlier = whole.part
            claims.join(whole, part, self.clock())
        if earlier is not None:
            self._write_apart(earlier, whole)
        return True

    def end(self, record: Record, end_ns: int | None = None) -> None:
        """End a record; does nothing when it had ended before.

        While a generator is being closed it is only noted: the garbage collector may be closing it, in the
        middle of anything, and the emitters take locks of OpenTelemetry that this thread may hold already.
        """
        if isinstance(sys.exc_info()[1], GeneratorExit):
            self.defer(partial(self._end_now, record, end_ns or self.clock()))
            return
        if self._deferred:
            self.settle_deferred()
        self._end_now(record, end_ns)

    def defer(self, settle: Callable[[], None]) -> None:
        """Do something at the next safe moment: a beginning, an end, a flush, after metrics were read."""
        self._deferred.append(settle)

    def settle_deferred(self) -> None:
        """Do what was deferred, in its order."""
        while self._deferred:
            guarded("deferred end")(self._deferred.popleft())()

    def _end_now(self, record: Record, end_ns: int | None) -> None:
        kind = type(record)
        if kind is Workflow:
            self._end_trace(record, end_ns)  # type: ignore[arg-type]  # mypy does not narrow by type()
            return
        if kind is ModelCall and not self._ends_alone(record, end_ns):  # type: ignore[arg-type]
            return
        if not self.table.remove(record):
            return
        end_ns = end_ns or self.clock()
        self._finish(record, end_ns)
        trace = self.table.trace(record.trace_id)
        if trace is not None:
            trace.last_end_ns = max(trace.last_end_ns, end_ns)
            if trace.ended_ns is not None:
                if claims.belongs(record, trace.ended_ns):
                    trace.deadline = time.monotonic() + GRACE  # something in it goes on
                if not trace.open:
                    self._close(trace)

    def _end_trace(self, workflow: Workflow, end_ns: int | None, *, may_go_on: bool = False) -> None:
        """End an SDK trace: at once if nothing is open in it, else when its last child has ended.

        ``may_go_on``: another agent of the same run may follow, so the grace is waited for anyway.
        """
        trace = self.table.trace(workflow.trace_id)
        if trace is None or trace.ended_ns is not None:
            return
        trace.ended_ns = end_ns or self.clock()
        trace.deadline = time.monotonic() + GRACE
        if not (trace.open or may_go_on):
            self._close(trace)

    def end_resumed(self, part: AgentRun | Run) -> None:
        """End the root of a resumed run with its last part: no host tells of that end."""
        root = part.parent
        if not isinstance(root, Workflow) or not root.resumed:
            return
        trace = self.table.trace(root.trace_id)
        others = [] if trace is None else list(trace.open)
        if not any(other.parent is root and type(other) is type(part) for other in others):
            self._end_trace(root, None, may_go_on=isinstance(part, AgentRun))

    def resume(self, trace: OpenTrace) -> None:
        """Let a trace go on that has ended and waits for what is open in it."""
        trace.ended_ns, trace.workflow.resumed = None, True

    def _finish(self, record: Record, end_ns: int) -> None:
        record.settle = None
        record.end_ns = max(end_ns, record.start_ns)  # the clock may have been set back
        complete = self._completions.get(type(record))
        if complete is not None:
            complete(record)
        if ended := self._ended[type(record)]:
            call_each(ended, record)
        if self._captures:
            self._captured.forget(record)

    def _complete_scope(self, scope: Scope) -> None:
        scopes.take_inner_outcome(scope)
        scopes.tell_parent(scope)

    def _complete_run(self, run: Run) -> None:
        with self.table.lock:
            scopes.keep_run(run)
        self._complete_scope(run)

    def reset_after_fork(self) -> None:
        """Forget the parent's records, and what was deferred for them, in a forked child."""
        self.table.reset_after_fork()
        self._deferred.clear()

    # -- model calls ---------------------------------------------------------------------------------------
    def _complete_call(self, call: ModelCall) -> None:
        if call.part is not None:
            claims.take(call, call.part)
        else:
            if call.host_span:
                claims.stand_back(call)
            self._settle_cost(call)
        if call.captures_content:
            self._captured.of_call(call)
        with self.table.lock:
            if isinstance(call.parent, (ModelCall, Step)):
                claims.tell_outer_call(call)
            scopes.add_model_call(call, self.prices.origin)
        scopes.tell_parent(call)

    def _settle_cost(self, call: ModelCall) -> None:
        if call.usage_elsewhere:
            call.usage = call.provider_cost = None  # a provider of the program's own passes both on
        call.cost = self._price(call)

    def _ends_alone(self, call: ModelCall, end_ns: int | None) -> bool:
        """Say whether a call can end now: a part only lets its whole end, and a whole waits for its part."""
        if call.whole is not None:
            self._end_part(call, call.whole, end_ns)
            return False
        part = call.part
        if part is None or call.end_ns is not None:
            return True
        if call.outcome != records.OK and part.settle is not None:
            # An exception has ended the host's span, so nobody reads the stream in it any more.
            settle, part.settle = part.settle, None
            settle()
        with self.table.lock:
            call.left = claims.is_open(part)
        if not call.left and claims.succeeded_otherwise(call, part):
            call.part = None
            self._write_apart(part, call)
        return not call.left

    def _end_part(self, part: ModelCall, whole: ModelCall, end_ns: int | None) -> None:
        part.settle = None
        self._settle_cost(part)
        with self.table.lock:
            part.end_ns = end_ns or self.clock()
            left = whole.left
        if left:
            self._end_now(whole, part.end_ns)

    def _write_apart(self, part: ModelCall, whole: ModelCall) -> None:
        """Write a part that has ended as a call of its own, made inside its whole."""
        claims.part_off(part)
        self.begin(part, whole)
        self._end_now(part, part.end_ns)

    # -- what never ends by itself -------------------------------------------------------------------------
    def sweep(self) -> None:
        """Close what is overdue: traces past their grace, and records past their age."""
        self.settle_deferred()
        now = time.monotonic()
        self._next_sweep = now + SWEEP_INTERVAL
        self._close_ended(self.table.ended_traces(now=now))
        for record in self.table.older_than(now - self.settings.record_max_age):
            self._give_up(record, TOO_OLD)

    def close_ended_traces(self) -> None:
        """Close traces that have ended and wait for children; running ones are left alone."""
        self.settle_deferred()
        self._close_ended(self.table.ended_traces())

    def _close_ended(self, trace_ids: Iterable[str]) -> None:
        """Close ended traces, but those in which the answer of a call is still to come: it has to be paid.

        A call that began later, as of a task that goes on for ever, holds nothing and ends by itself.
        """
        for trace_id in trace_ids:
            trace = self.table.trace(trace_id)
            if trace is None or trace.ended_ns is None:
                continue
            under_way = [record for record in list(trace.open) if claims.is_under_way(record)]
            if not any(claims.belongs(call, trace.ended_ns) for call in under_way):
                self.close_trace(trace_id, spared=under_way)

    def close_everything(self) -> None:
        """Close all open records, running ones too."""
        self.settle_deferred()
        for record in self.table.everything():
            self._force_end(record, records.CANCELLED)

    def close_trace(self, trace_id: str, spared: Collection[Record] = ()) -> None:
        """Close an SDK trace with all that is open in it, but for what is ``spared``."""
        trace = self.table.trace(trace_id)
        if trace is None:
            return
        if trace.ended_ns is None:
            trace.ended_ns = self.clock()
        for record in list(trace.open)[::-1]:
            if record not in spared:
                self._force_end(record, records.CANCELLED, trace.ended_ns)
        self._close(trace)

    def _give_up(self, record: Record, reason: str) -> None:
        """End a record that would stay for too long; what it learns later is lost, and counted."""
        trace = self.table.trace(record.trace_id) if isinstance(record, Workflow) else None
        first = self.table.note_loss(reason, 1 + len(trace.open) if trace is not None else 1)
        self._force_end(record, records.ABANDONED)
        if first:
            logger.warning(
                "litespan: calls or runs that have not ended are given up (%s); their tokens and cost may be "
                "missing. litespan.stats()['records_dropped'] counts them.",
                reason,
            )

    def _force_end(self, record: Record, outcome: str, end_ns: int | None = None) -> None:
        part = record.part if isinstance(record, ModelCall) else None
        if part is not None and claims.is_open(part):
            self._force_end(part, outcome, end_ns)
        if record.settle is not None:
            settle, record.settle = record.settle, None
            settle()
            return
        if isinstance(record, Workflow):
            if record.outcome == records.OK:
                record.outcome = outcome
            if record.trace_id is not None:
                self.close_trace(record.trace_id)
            return
        record.outcome = outcome
        if isinstance(record, ModelCall) and record.usage is None:
            record.usage_missing_reason = outcome
        self.end(record, max(end_ns, record.start_ns) if end_ns else None)

    def _close(self, trace: OpenTrace) -> None:
        workflow = trace.workflow
        if workflow.trace_id is not None:
            self.table.close_trace(workflow.trace_id)
        if self.table.remove(workflow):
            self._finish(workflow, max(trace.ended_ns or 0, trace.last_end_ns))
            scopes.let_go(workflow)
