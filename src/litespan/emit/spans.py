"""The span emitter: one OpenTelemetry span per record, through the API only."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    get_current_span,
    set_span_in_context,
)

from litespan.emit.attributes import span_kinds
from litespan.emit.call_marks import CallMarks, marks_of, tell
from litespan.labels import AttributeValue
from litespan.records import Failure, ModelCall, Record, Run, Turn, Workflow
from litespan.semconv import Generation

_SUPPRESS_INSTRUMENTATION = "suppress_instrumentation"
# Under which a context holds its span. Its API puts one there in three calls, and nearly every span needs it.
[_SPAN] = set_span_in_context(INVALID_SPAN, Context())


class SpanInContext:
    """A span and the context that holds it.

    The context is built on the ambient one of whoever attaches it, so that the program's own values
    (baggage, for example) stay visible; it is kept as long as the ambient one is the same. ``marks`` keep
    other instrumentations still in it. ``dropped``: neither the span nor anything below it is sampled.
    ``name`` is what the span was called when it began.
    """

    __slots__ = ("_base", "_context", "dropped", "marks", "name", "span", "span_context")

    def __init__(
        self, span: Span, marks: CallMarks | None = None, *, dropped: bool = False, name: str = ""
    ) -> None:
        self.span = span
        self.span_context = span.get_span_context()
        self.name = name
        self.marks = marks
        self.dropped = dropped
        self._base: Context | None = None
        self._context: Context | None = None

    @property
    def context(self) -> Context:
        """Return a context with this span, for children: the ambient one, with what the program set in it.

        Where that is empty, as in a thread that was told of none, it is the one that was attached.
        """
        base = ambient()
        context = self._context
        if base is context or (context is not None and (base is self._base or not base)):
            return context
        return Context({**base, _SPAN: self.span})

    def let_go(self) -> None:
        """Keep only what children need that begin later; for spans that were never attached."""
        self.span = NonRecordingSpan(self.span_context)

    def attach(self) -> object:
        """Make the span current in this context."""
        base = ambient()
        context = self._context
        if context is None or base is not self._base:
            context = Context({**base, _SPAN: self.span})
            if self.marks is not None:
                context = self.marks.mark(context)
            self._base, self._context = base, context
        return otel_context.attach(context) if _VARIABLE is None else _VARIABLE.set(context)

    def detach(self, token: object) -> None:
        """Undo :meth:`attach`, only where it was done."""
        detach(token, self._context, get_current_span)


def detach(token: object, attached: Context | None, held: Callable[[Context], object]) -> None:
    """Undo the attachment of a context, only where it was done and is still in force.

    It is where the same is ``held`` by the context that is current. What the program has attached on top
    and not undone goes with it, as it does at the end of a span of OpenTelemetry's own.

    ``opentelemetry.context.detach`` logs an error when a generator is closed by another task or by the
    garbage collector; a token of a foreign context cannot be reset, and nothing depends on it.
    """
    if not isinstance(token, contextvars.Token):
        otel_context.detach(token)  # type: ignore[arg-type]
        return
    try:
        current = token.var.get()
        if current is attached or (attached is not None and held(current) == held(attached)):
            token.var.reset(token)
    except (LookupError, ValueError, RuntimeError):
        return


def _variable() -> contextvars.ContextVar[Context] | None:
    """Return the variable in which OpenTelemetry keeps its context; ``None`` where it is kept otherwise.

    Setting that directly is all that its API does, in several calls.
    """
    token: object = otel_context.attach(otel_context.get_current())
    detach(token, otel_context.get_current(), get_current_span)
    return token.var if isinstance(token, contextvars.Token) else None


_VARIABLE: Final = _variable()
# Returns the context that the program is in.
ambient: Final[Callable[[], Context]] = otel_context.get_current if _VARIABLE is None else _VARIABLE.get


def suppressed() -> bool:
    """Say whether the host asked for no instrumentation here (OpenTelemetry's general context key)."""
    return bool(ambient().get(_SUPPRESS_INSTRUMENTATION))


class SpanEmitter:
    """Starts a span when a record begins and ends it with the record, at the record's own times.

    ``content``: captured content may go on spans. ``constant``: attributes of all spans. ``start_span``
    starts one: name, context of its parent, the parent in it where it is known, kind, attributes,
    nanoseconds. ``end_span`` ends one, with more attributes. ``drops_whole_traces``: below a span that is not
    sampled nothing is, so nothing is written there; what the program attaches there continues the unsampled
    span.
    """

    def __init__(  # noqa: PLR0913 - what the composition root knows of the settings and the provider
        self,
        generation: Generation,
        *,
        content: bool,
        turn_spans: bool,
        constant: Mapping[str, AttributeValue],
        start_span: Callable[
            [str, Context | None, SpanContext | None, SpanKind, Mapping[str, Any], int], Span
        ],
        end_span: Callable[[Span, Mapping[str, Any], int | None], None],
        drops_whole_traces: bool = False,
    ) -> None:
        self._start_span = start_span
        self._end_span = end_span
        self._kinds = span_kinds(generation, content=content)
        self._content = content
        self._constant = constant
        self._drops_whole_traces = drops_whole_traces
        self._folded: Collection[type[Record]] = () if turn_spans else (Run, Turn)

    def began(self, record: Record) -> None:
        """Start the span."""
        parent = record.parent
        while parent is not None and parent.handle is None:
            parent = parent.parent  # a sampler or processor of the program failed, and let no span begin
        handle = parent.handle if parent is not None else None
        record_type = type(record)
        marks = None
        if isinstance(record, ModelCall):
            marks = marks_of(record.operation)
            if marks is not None and marks.outer is not None:
                record.told_elsewhere = True
                record.handle = SpanInContext(get_current_span(), marks)
                return
        context = above = None
        if isinstance(handle, SpanInContext):
            if handle.dropped:
                record.handle = SpanInContext(handle.span, marks, dropped=True)
                return
            context, above = handle.context, handle.span_context
        kind = self._kinds[record_type]
        attributes = kind.start(record)
        name = kind.name(record)
        span = self._start_span(
            name,
            context,
            above,
            SpanKind.CLIENT if kind.client else SpanKind.INTERNAL,
            {**self._constant, **attributes} if self._constant else attributes,
            record.start_ns,
        )
        dropped = self._drops_whole_traces and not span.is_recording()
        record.handle = SpanInContext(span, marks, dropped=dropped, name=name)

    def ended(self, record: Record) -> None:
        """Write what is known at the end, and end the span."""
        handle = record.handle
        record_type = type(record)
        if not isinstance(handle, SpanInContext):
            return
        if handle.marks is not None:
            handle.marks.close()
            if isinstance(record, ModelCall) and record.told_elsewhere:
                tell(record, self._kinds[ModelCall].end(record), handle.marks.outer)
                return
        span = handle.span
        if span.is_recording():
            kind = self._kinds[record_type]
            if kind.renamed and (name := kind.name(record)) != handle.name:
                span.update_name(name)
            if kind.events is not None:
                for event in kind.events(record):
                    span.add_event(*event)
            if record.failure is not None:
                span.set_status(
                    Status(StatusCode.ERROR, describe(record.failure, with_message=self._content))
                )
            self._end_span(span, kind.end(record), record.end_ns)
        if record_type is Workflow:
            handle.let_go()

    def hears_began(self, kind: type[Record]) -> bool:
        """Every record has a span, but those that only lend their parent's."""
        return kind not in self._folded

    def hears_ended(self, kind: type[Record]) -> bool:
        """Records that only lend their parent's span end nothing."""
        return kind not in self._folded


def describe(failure: Failure, *, with_message: bool) -> str:
    """Return the status description: class, HTTP status, provider code; the message only if it was kept.

    ``with_message=False`` leaves it out all the same: it may quote content.
    """
    facts = " ".join(
        part for part in (f"HTTP {failure.status}" if failure.status else "", failure.code or "") if part
    )
    name = failure.exception or failure.type
    description = f"{name}: {facts}" if facts else name
    return f"{description}: {failure.message}" if with_message and failure.message else description
