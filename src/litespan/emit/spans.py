"""The span emitter: one OpenTelemetry span per record, through the API only."""

from __future__ import annotations

import contextvars
from collections.abc import Collection

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context

from litespan.emit.attributes import SPANS
from litespan.records import Failure, Record, Run, Turn

_SUPPRESS_INSTRUMENTATION = "suppress_instrumentation"


def suppressed() -> bool:
    """Say whether the host asked for no instrumentation here (OpenTelemetry's general context key)."""
    return bool(otel_context.get_value(_SUPPRESS_INSTRUMENTATION))


class SpanInContext:
    """A span and the context that holds it.

    The context is built on the ambient one of whoever attaches it, so that the program's own values
    (baggage, for example) stay visible; it is kept as long as the ambient one is the same.
    """

    __slots__ = ("_base", "_context", "span")

    def __init__(self, span: Span) -> None:
        self.span = span
        self._base: Context | None = None
        self._context: Context | None = None

    @property
    def context(self) -> Context:
        """Return a context with this span, for children and exemplars."""
        return self._context if self._context is not None else set_span_in_context(self.span)

    def attach(self) -> object:
        """Make the span current in this context."""
        base = otel_context.get_current()
        if self._context is None or base is not self._base:
            self._base, self._context = base, set_span_in_context(self.span, base)
        return otel_context.attach(self._context)

    def detach(self, token: object) -> None:
        """Undo :meth:`attach`, only where it was done.

        ``opentelemetry.context.detach`` logs an error when a generator is closed by another task or by the
        garbage collector; a token of a foreign context cannot be reset, and nothing depends on it.
        """
        if not isinstance(token, contextvars.Token):
            otel_context.detach(token)  # type: ignore[arg-type]
            return
        if otel_context.get_current() is not self._context:
            return
        try:
            token.var.reset(token)
        except (ValueError, RuntimeError):
            return


class SpanEmitter:
    """Starts a span when a record begins and ends it with the record, at the record's own times."""

    def __init__(self, tracer: Tracer, *, turn_spans: bool = False) -> None:
        self._tracer = tracer
        self._folded: Collection[type[Record]] = () if turn_spans else (Run, Turn)

    def began(self, record: Record) -> None:
        """Start the span; a folded record lends its parent's span to its children."""
        parent = record.parent
        if type(record) in self._folded:
            record.handle = parent.handle if parent is not None else None
            return
        kind = SPANS[type(record)]
        handle = parent.handle if parent is not None else None
        span = self._tracer.start_span(
            kind.name(record),
            context=handle.context if isinstance(handle, SpanInContext) else None,
            kind=SpanKind.CLIENT if kind.client else SpanKind.INTERNAL,
            attributes=kind.start(record),
            start_time=record.start_ns,
            record_exception=False,
            set_status_on_exception=False,
        )
        record.handle = SpanInContext(span)

    def ended(self, record: Record) -> None:
        """Write what is known at the end, and end the span."""
        handle = record.handle
        if type(record) in self._folded or not isinstance(handle, SpanInContext):
            return
        span = handle.span
        if span.is_recording():
            kind = SPANS[type(record)]
            if kind.renamed:
                span.update_name(kind.name(record))
            span.set_attributes(kind.end(record))
            if record.failure is not None:
                span.set_status(Status(StatusCode.ERROR, describe(record.failure)))
        span.end(record.end_ns)


def describe(failure: Failure) -> str:
    """Return the status description: class, HTTP status, provider code; the message only if it was kept."""
    facts = " ".join(
        part for part in (f"HTTP {failure.status}" if failure.status else "", failure.code or "") if part
    )
    name = failure.exception or failure.type
    description = f"{name}: {facts}" if facts else name
    return f"{description}: {failure.message}" if failure.message else description
