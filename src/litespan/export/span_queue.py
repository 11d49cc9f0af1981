"""OpenTelemetry's batch processor of spans, plus the knowledge of which spans its queue lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from litespan.export.booked_batches import BookedBatches
from litespan.export.ledger import ExportLedger
from litespan.export.queue_book import QueueBook, QueueSize


class SpanQueue(BookedBatches, SpanProcessor):
    """A ``BatchSpanProcessor`` and a book of the spans that went in and have not come out."""

    def __init__(self, exporter: SpanExporter, ledger: ExportLedger, size: QueueSize) -> None:
        book = QueueBook(ledger, size)
        self._spans = BatchSpanProcessor(
            _Outlet(exporter, book.handed_over),
            max_queue_size=size.queue,
            max_export_batch_size=size.batch,
        )
        super().__init__(self._spans, book, ledger)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing to do: only ended spans are queued."""

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a sampled span."""
        if span.context is None or not span.context.trace_flags.sampled or self._refused():
            return
        self.book.coming(span)
        self._spans.on_end(span)
        self.book.entered(span)


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
