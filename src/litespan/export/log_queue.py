"""OpenTelemetry's batch processor of log records, plus the knowledge of which records its queue lost."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.sdk._logs import LogRecordProcessor, ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk._logs.export import (
    BatchLogRecordProcessor,
    LogRecordExporter,
    LogRecordExportResult,
)

from litespan.export.booked_batches import BookedBatches
from litespan.export.ledger import ExportLedger
from litespan.export.queue_book import QueueBook, QueueSize


class LogQueue(BookedBatches, LogRecordProcessor):
    """A ``BatchLogRecordProcessor`` and a book of the records that went in and have not come out.

    The processor copies a record when it queues it. The copy shares the record's attributes, which the SDK
    makes anew for each record: they are what the book knows a record by.
    """

    def __init__(self, exporter: LogRecordExporter, ledger: ExportLedger, size: QueueSize) -> None:
        book = QueueBook(ledger, size)
        self._records = BatchLogRecordProcessor(
            _Outlet(exporter, book), max_queue_size=size.queue, max_export_batch_size=size.batch
        )
        super().__init__(self._records, book, ledger)

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Queue a record."""
        if self._refused():
            return
        attributes = log_record.log_record.attributes
        self.book.coming(attributes)
        self._records.on_emit(log_record)
        self.book.entered(attributes)


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
