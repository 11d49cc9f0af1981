"""OpenTelemetry's batch processor of spans, plus the knowledge of which spans its queue lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from litespan.export.ledger import SHUT_DOWN, ExportLedger
from litespan.export.queue_book import QueueBook, QueueSize


class SpanQueue(SpanProcessor):
    """A ``BatchSpanProcessor`` and a book of the spans that went in and have not come out."""

    def __init__(self, exporter: SpanExporter, ledger: ExportLedger, size: QueueSize) -> None:
        self._ledger = ledger
        self.book = QueueBook(ledger, size)
        self._batches = BatchSpanProcessor(
            _Outlet(exporter, self.book.handed_over),
            max_queue_size=size.queue,
            max_export_batch_size=size.batch,
        )
        self._closed = False

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing to do: only ended spans are queued."""

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a sampled span."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if self._closed:
            self._ledger.drop(SHUT_DOWN, 1)
            return
        self.book.coming(span)
        self._batches.on_end(span)
        self.book.entered(span)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Export all that is queued; takes as long as the exporter takes, whatever the timeout."""
        position = self.book.position()
        flushed = self._batches.force_flush(timeout_millis)
        if flushed:
            self.book.emptied(position)
        return flushed

    def shutdown(self) -> None:
        """Export what is queued and stop; spans that end later are dropped and counted."""
        self._closed = True
        self._batches.shutdown()  # type: ignore[no-untyped-call]


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
