"""The Agents SDK's tracing -> records: a ``TracingProcessor`` that is called in the host's own tasks.

Parents are looked up by the SDK's span ids, never guessed. Runs driven by ``Runner`` start and end a span in
one task; spans that the program opens itself may end anywhere, and traces may end before their spans.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from agents.tracing import TracingProcessor, get_current_span, get_current_trace, get_trace_provider

from litespan import scopes
from litespan.guard import guarded, guarded_one, guarded_two
from litespan.labels import as_name
from litespan.position import Position
from litespan.recorder import Recorder
from litespan.records import AgentRun, Guardrail, Record, Run, Step, ToolCall, Workflow
from litespan.sources import agents_mapping, agents_models, agents_outcome
from litespan.sources.agents_calls import ModelSpans
from litespan.table import OpenTrace

logger = logging.getLogger("litespan")

_DEFAULT_WORKFLOW: Final = "Agent workflow"
_NO_OP: Final = "no-op"
_NOTED_IN_ROOT: Final = frozenset({"agent", "task"})
_MADE_CURRENT: Final = frozenset({"agent", "function", "mcp_tools"})
_CONVERSATION_KEYS: Final = ("conversation_id", "session_id", "thread_id")


class AgentsProcessor(TracingProcessor):
    """Turns traces and spans of the Agents SDK into records of one recorder."""

    def __init__(self, recorder: Recorder, flush: Callable[[], object]) -> None:
        self._recorder = recorder
        self._models = ModelSpans(recorder)
        self._flush = flush
        self._warned: set[str] = set()
        self.removal_told = False

    # -- callbacks of the SDK ------------------------------------------------------------------------------
    @guarded_two("agents processor")
    def on_trace_start(self, trace: Any) -> None:
        """Begin the root."""
        if not self._recorder.suppressed():
            self._recorder.begin_trace(_workflow(trace))

    @guarded_two("agents processor")
    def on_trace_end(self, trace: Any) -> None:
        """End the root, or let it wait for its children."""
        opened = self._recorder.table.trace(trace.trace_id)
        if opened is None:
            return
        try:
            self._detach_unfinished(opened)
            agents_outcome.settle(opened.workflow, None)
        finally:
            self._recorder.end(opened.workflow)

    @guarded_two("agents processor")
    def on_span_start(self, span: Any) -> None:
        """Begin a record."""
        if self._recorder.suppressed():
            return
        data = span.span_data
        kind = data.type  # a property, as most of what the SDK's spans have
        parent = self._parent(span)
        if kind in _NOTED_IN_ROOT:
            opened = self._recorder.table.trace(span.trace_id)
            if opened is None or opened.ended_ns is not None:
                parent = self._resume(span, opened, parent)
        if kind in agents_models.MODEL_SPANS:
            self._models.begin(span, parent)
            return
        record = agents_mapping.begin(kind, data)
        record.trace_id, record.span_id = span.trace_id, span.span_id
        record.handling = agents_outcome.handled_now()
        if kind in _NOTED_IN_ROOT:
            self._note_in_root(record, parent)  # type: ignore[arg-type]  # the kind tells the type
        elif isinstance(record, Step):
            record.allows_content = _allows_content(get_current_span(), parent)
        self._recorder.begin(record, parent)
        if kind in _MADE_CURRENT and record.handle is not None:
            # For the program's own spans; nothing of litespan depends on it.
            record.attached = record.handle.attach()

    @guarded_two("agents processor")
    def on_span_end(self, span: Any) -> None:
        """End the record of a span."""
        record, data = self._recorder.table.span(span.span_id), span.span_data
        if record is not None and record.attached is not None and record.handle is not None:
            record.handle.detach(record.attached)
            record.attached = None
        if data.type in agents_models.MODEL_SPANS:
            self._models.end(span, record, self._parent)
            return
        if record is None:
            return
        try:
            self._complete(record, span)
        finally:
            self._recorder.end(record)  # also of data that cannot be read: nothing is left open
            if isinstance(record, (AgentRun, Run)):
                self._recorder.end_resumed(record)

    def shutdown(self) -> None:
        """Do nothing: litespan's own exit handler closes and flushes, within its own deadline."""

    @guarded("agents processor")
    def force_flush(self) -> None:
        """Flush what has ended; the SDK's ``flush_traces()`` comes here."""
        self._flush()

    # -- records -------------------------------------------------------------------------------------------
    def _parent(self, span: Any) -> Record | None:
        """Return the record above a span; the SDK may name one that was left behind in a trace before."""
        table = self._recorder.table
        parent = table.span(span.parent_id)
        if parent is None or (parent.trace_id != span.trace_id and table.has_ended(parent.trace_id)):
            return table.root(span.trace_id)
        return parent

    def _resume(self, span: Any, opened: OpenTrace | None, parent: Record | None) -> Record | None:
        """Let a run go on in a trace that has ended, below another root if the first is gone.

        Returns what the run belongs under.

        The SDK does not tell the start of a trace again, nor the end, when a run is resumed that waited for
        an approval, maybe in another process. Other spans that come late just stand below their parent.
        """
        trace = get_current_trace()
        if trace is None or trace.trace_id != span.trace_id:
            return parent
        if opened is not None:
            self._recorder.resume(opened)
            return parent
        while isinstance(parent, Workflow) and parent.resumed and parent.parent is not None:
            parent = parent.parent  # all parts of a run stand side by side below the first
        root = _workflow(trace)
        root.resumed = True
        self._recorder.begin_trace(root, parent)
        return root

    def _complete(self, record: Record, span: Any) -> None:
        agents_outcome.settle(record, span.error)
        record_type = type(record)
        complete = agents_mapping.COMPLETE.get(record_type)
        if complete is not None:
            complete(record, span)
        if record_type in agents_mapping.HAVE_CONTENT and self._recorder.captures_tools(
            allowed=agents_mapping.allows_content(record, span.span_data)
        ):
            agents_mapping.take_content(record, span.span_data)

    def _detach_unfinished(self, trace: OpenTrace) -> None:
        """Put the ambient context back where a span that the program never finished is still current.

        That works only in the context that attached it. Another one leaves it alone, so a span that ends
        later, where it began, still puts it back itself.
        """
        for record in reversed(list(trace.open)):
            if record.attached is not None and record.handle is not None:
                record.handle.detach(record.attached)

    def _note_in_root(self, record: AgentRun | Run, parent: Record | None) -> None:
        root = self._recorder.table.root(record.trace_id)
        if root is None:
            return
        if isinstance(record, AgentRun) and root.first_agent is None:
            root.first_agent = record.name
        if isinstance(record, Run):
            with self._recorder.table.lock:
                scopes.begin_run(record, parent, root)

    # -- where a call belongs ------------------------------------------------------------------------------
    @guarded_one("agents processor")
    def locate(self) -> Position | None:
        """Say where the host is right now; asked by the call source."""
        span = get_current_span()
        if span is None or self._left_behind(span):
            return self._in_trace()
        if span.span_id == _NO_OP:
            self._warn_disabled()
            # The run may forbid content as well, which the SDK does not tell here.
            return Position(self._around_untraced(span), disabled=True, allows_content=False)
        record = self._recorder.table.span(span.span_id)
        if record is None and self._recorder.table.root(span.trace_id) is None:
            self._warn_unregistered()
        if span.span_data.type in agents_models.MODEL_SPANS:
            return self._models.position(span, record, self._parent(span))
        record = record or self._recorder.table.root(span.trace_id)
        return Position(record, span.trace_id, allows_content=_allows_content(span, record))

    def _around_untraced(self, span: Any) -> Record | None:
        """Return what a run without tracing is inside of, as a tool of another run that has it.

        The SDK keeps what was current before in a private place (tried with openai-agents 0.24.0). Where
        nothing is found there, a call stands below OpenTelemetry's ambient span, and is in no sum.
        """
        while getattr(span, "span_id", None) == _NO_OP:
            span = getattr(getattr(span, "_prev_span_token", None), "old_value", None)
        return self._recorder.table.span(getattr(span, "span_id", None))

    def _left_behind(self, span: Any) -> bool:
        """Say whether the SDK only still names a span: that of a model stream which the program left unread.

        Its generator is closed in another task, now or much later, and cannot reset the current span where
        the program goes on.
        """
        trace = get_current_trace()
        return (
            (trace is None or trace.trace_id != span.trace_id)
            and span.span_data.type in agents_models.MODEL_SPANS
            and (span.ended_at is not None or self._recorder.table.has_ended(span.trace_id))
        )

    def _in_trace(self) -> Position | None:
        trace = get_current_trace()
        root = self._recorder.table.root(trace.trace_id) if trace is not None else None
        return Position(root, root.trace_id) if root is not None else None

    # -- warnings ------------------------------------------------------------------------------------------
    def _warn_disabled(self) -> None:
        globally = getattr(get_trace_provider(), "_disabled", False)
        if globally and not self._recorder.settings.follow_agents_tracing:
            self._warn_once(
                "The Agents SDK's tracing is switched off (set_tracing_disabled(True) or "
                "OPENAI_AGENTS_DISABLE_TRACING). litespan records model calls, but no tree and no agents. "
                "If it was switched off against the 401 of the exporter to OpenAI, it can go: litespan has "
                "replaced that exporter. Remove it, or pass enable_agents_tracing=True."
            )

    def _warn_unregistered(self) -> None:
        if self.removal_told:
            return
        self._warn_once(
            "litespan sees a run of the Agents SDK that it was not told of: set_trace_processors() was "
            "probably called after litespan was set up and removed it. Call it before, "
            "or use add_trace_processor()."
        )

    def _warn_once(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            logger.warning(message)


def _workflow(trace: Any) -> Workflow:
    name = as_name(trace.name)
    name = None if name == _DEFAULT_WORKFLOW else name
    return Workflow(
        name=name,
        workflow_name=name,
        trace_id=trace.trace_id,
        conversation_id=_conversation(trace),
        handling=agents_outcome.handled_now(),
    )


def _conversation(trace: Any) -> str | None:
    if group := as_name(getattr(trace, "group_id", None)):
        return group
    metadata = getattr(trace, "metadata", None)
    if isinstance(metadata, Mapping):
        for key in _CONVERSATION_KEYS:
            if value := as_name(metadata.get(key)):
                return value
    return None


def _allows_content(span: Any, record: Record | None) -> bool:
    """Say whether the run allows its content to be kept, as far as the SDK tells here.

    A tool span has its input set before the tool runs, only if allowed. Elsewhere in a run it does not
    tell, and the stricter answer is taken.
    """
    if isinstance(record, Step):
        return record.allows_content
    if isinstance(record, ToolCall):
        current = span is not None and span.span_id == record.span_id
        return current and getattr(span.span_data, "input", None) is not None
    while record is not None:
        if isinstance(record, (AgentRun, Guardrail, Run)):
            return False
        record = record.parent
    return True
