"""OpenTelemetry's batch processor of log records, plus the knowledge of which records its queue lost."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.sdk._logs import LogRecordProcessor, ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk._logs.export import (
    BatchLogRecordProcessor,
    LogRecordExporter,
    LogRecordExportResult,
)

from litespan.export.ledger import SHUT_DOWN, ExportLedger
from litespan.export.queue_book import QueueBook, QueueSize


class LogQueue(LogRecordProcessor):
    """A ``BatchLogRecordProcessor`` and a book of the records that went in and have not come out.

    The processor copies a record when it queues it. The copy shares the record's attributes, which the SDK
    makes anew for each record: they are what the book knows a record by.
    """

    def __init__(self, exporter: LogRecordExporter, ledger: ExportLedger, size: QueueSize) -> None:
        self._ledger = ledger
        self.book = QueueBook(ledger, size)
        self._batches = BatchLogRecordProcessor(
            _Outlet(exporter, self.book), max_queue_size=size.queue, max_export_batch_size=size.batch
        )
        self._closed = False

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Queue a record."""
        if self._closed:
            self._ledger.drop(SHUT_DOWN, 1)
            return
        attributes = log_record.log_record.attributes
        self.book.coming(attributes)
        self._batches.on_emit(log_record)
        self.book.entered(attributes)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Export all that is queued; takes as long as the exporter takes, whatever the timeout."""
        position = self.book.position()
        flushed = self._batches.force_flush(timeout_millis)
        if flushed:
            self.book.emptied(position)
        return flushed

    def shutdown(self) -> None:
        """Export what is queued and stop; records that come later are dropped and counted."""
        self._closed = True
        self._batches.shutdown()  # type: ignore[no-untyped-call]


class _Outlet(LogRecordExporter):
    """Tells the book which records come out, before they are exported."""

    def __init__(self, exporter: LogRecordExporter, book: QueueBook) -> None:
        self._exporter = exporter
        self._book = book

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        self._book.handed_over([record.log_record.attributes for record in batch])
        return self._exporter.export(batch)

    def shutdown(self) -> None:
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True
