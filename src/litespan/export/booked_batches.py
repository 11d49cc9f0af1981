"""What the queues of spans and of log records share: a batch processor of OpenTelemetry and a book."""

from __future__ import annotations

from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from litespan.export.ledger import SHUT_DOWN, ExportLedger
from litespan.export.queue_book import QueueBook


class BookedBatches:
    """A batch processor, and a book of the items that went in and have not come out."""

    def __init__(
        self, batches: BatchSpanProcessor | BatchLogRecordProcessor, book: QueueBook, ledger: ExportLedger
    ) -> None:
        self.book = book
        self._batches = batches
        self._ledger = ledger
        self._closed = False

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Export all that is queued; takes as long as the exporter takes, whatever the timeout."""
        position = self.book.position()
        flushed = self._batches.force_flush(timeout_millis)
        if flushed:
            self.book.emptied(position)
        return flushed

    def shutdown(self) -> None:
        """Export what is queued and stop; items that come later are dropped and counted."""
        self._closed = True
        self._batches.shutdown()  # type: ignore[no-untyped-call]

    def _refused(self) -> bool:
        """Say whether an item comes too late; it is counted then."""
        if self._closed:
            self._ledger.drop(SHUT_DOWN, 1)
        return self._closed
