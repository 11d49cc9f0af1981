"""OpenTelemetry's batch processor, plus the knowledge of which spans its queue lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from opentelemetry.context import Context
from opentelemetry.sdk.environment_variables import OTEL_BSP_MAX_EXPORT_BATCH_SIZE, OTEL_BSP_MAX_QUEUE_SIZE
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from litespan.export.ledger import QUEUE_FULL, SHUT_DOWN, ExportLedger
from litespan.settings import ConfigurationError

# Threads that end spans at the same moment.
_THREADS: Final = 64


class QueueSize(NamedTuple):
    """Spans that the queue holds at most, and spans in one export."""

    queue: int
    batch: int


def queue_size(environ: Mapping[str, str]) -> QueueSize:
    """Read OpenTelemetry's ``OTEL_BSP_MAX_QUEUE_SIZE`` and ``OTEL_BSP_MAX_EXPORT_BATCH_SIZE``.

    A queue that is smaller than the default batch makes the batch smaller too.

    Raises:
        ConfigurationError: if a value is no whole number above 0, or the batch is larger than the queue.
    """
    queue = _count(environ, OTEL_BSP_MAX_QUEUE_SIZE, 2048)
    batch = _count(environ, OTEL_BSP_MAX_EXPORT_BATCH_SIZE, min(512, queue))
    if batch > queue:
        raise ConfigurationError(
            f"{OTEL_BSP_MAX_EXPORT_BATCH_SIZE}={batch} must not be larger than "
            f"{OTEL_BSP_MAX_QUEUE_SIZE}={queue}."
        )
    return QueueSize(queue, batch)


def _count(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or int(text) == 0:
        raise ConfigurationError(f"{name}={text!r} must be a whole number greater than 0.")
    return int(text)


class _Entry(NamedTuple):
    """A span; how many spans the queue had taken when it ended (``before``) and when it was in (``at``)."""

    span: ReadableSpan
    before: int
    at: int


class SpanQueue(SpanProcessor):
    """A ``BatchSpanProcessor`` and a book of the spans that went in and have not come out.

    The batch processor drops its oldest spans when its queue is full, and has no public count of them. The
    queue keeps its order, so a span that was in before another one came, and is still in the book when that
    one comes out, is lost. No lock is held around the batch processor's own code: it logs, and a log handler
    may end spans.
    """

    def __init__(self, exporter: SpanExporter, ledger: ExportLedger, size: QueueSize) -> None:
        self._ledger = ledger
        self._size = size
        self._capacity = sum(size) + _THREADS
        self._batches = BatchSpanProcessor(
            _Outlet(exporter, self._handed_over), max_queue_size=size.queue, max_export_batch_size=size.batch
        )
        self._closed = False
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        """Forget the parent's spans, as OpenTelemetry's queue does; the inherited lock may be held."""
        # Re-entrant: the garbage collector may end a span in the middle of the book-keeping.
        self._lock = threading.RLock()
        # By identity; the entry holds the span, so that no other span can get the same identity meanwhile.
        self._entering: dict[int, _Entry] = {}
        self._inside: dict[int, _Entry] = {}
        self._entered = 0
        self._counted_early = 0

    def waiting(self) -> int:
        """Return the number of spans that ended and were not handed to the exporter yet."""
        with self._lock:
            return min(len(self._inside) + len(self._entering), self._size.queue)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing to do: only ended spans are queued."""

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a sampled span."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if self._closed:
            self._ledger.drop(SHUT_DOWN, 1)
            return
        with self._lock:
            self._entering[id(span)] = _Entry(span, self._entered, 0)
        self._batches.on_end(span)
        with self._lock:
            lost = self._enter(span)
        self._count_lost(lost)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Export all that is queued; takes as long as the exporter takes, whatever the timeout."""
        entered = self._entered
        flushed = self._batches.force_flush(timeout_millis)
        if flushed:
            with self._lock:
                lost = self._forget_before(entered)
            self._count_lost(lost)
        return flushed

    def shutdown(self) -> None:
        """Export what is queued and stop; spans that end later are dropped and counted."""
        self._closed = True
        self._batches.shutdown()  # type: ignore[no-untyped-call]

    def _enter(self, span: ReadableSpan) -> int:
        """Note that the queue has taken a span; return how many are lost because the queue overflows."""
        entry = self._entering.pop(id(span), None)
        if entry is None:
            # It has come out already.
            return 0
        self._inside[id(span)] = entry._replace(at=self._entered)
        self._entered += 1
        return self._forget_before(self._oldest() + 1) if len(self._inside) > self._capacity else 0

    def _handed_over(self, spans: Sequence[ReadableSpan]) -> None:
        with self._lock:
            entries = [self._entering.pop(id(s), None) or self._inside.pop(id(s), None) for s in spans]
            # Called lost by an overflow while they were on their way out: as many of the others are lost.
            self._counted_early += entries.count(None)
            lost = self._forget_before(max((entry.before for entry in entries if entry), default=0))
        self._count_lost(lost)

    def _oldest(self) -> int:
        return next(iter(self._inside.values())).at

    def _forget_before(self, position: int) -> int:
        """Strike the spans that were in before ``position``; return how many of them are newly lost."""
        lost = 0
        while self._inside and self._oldest() < position:
            del self._inside[next(iter(self._inside))]
            lost += 1
        counted = min(lost, self._counted_early)
        self._counted_early -= counted
        return lost - counted

    def _count_lost(self, spans: int) -> None:
        # Outside the lock: the first loss is logged.
        if spans:
            self._ledger.drop(QUEUE_FULL, spans)


class _Outlet(SpanExporter):
    """Tells the book which spans come out, before they are exported."""

    def __init__(self, exporter: SpanExporter, handed_over: Callable[[Sequence[ReadableSpan]], None]) -> None:
        self._exporter = exporter
        self._handed_over = handed_over

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._handed_over(spans)
        return self._exporter.export(spans)

    def shutdown(self) -> None:
        self._exporter.shutdown()
