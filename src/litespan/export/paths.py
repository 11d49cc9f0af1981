"""One path per destination: flushed, shut down and counted on its own, so that a dead one delays no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from litespan.export.counting import CountingLogExporter, CountingMetricExporter, CountingSpanExporter
from litespan.export.forked import leave_to_parent
from litespan.export.ledger import LOGS, METRICS, TRACES, Destination
from litespan.export.log_queue import LogQueue
from litespan.export.path import Path
from litespan.export.queue_book import QueueBook, QueueSize
from litespan.export.span_queue import SpanQueue
from litespan.guard import guarded


class BatchPath(Path):
    """Items to one exporter through a processor of OpenTelemetry, whose queue may have a book."""

    def __init__(
        self,
        signal: str,
        exporter: CountingSpanExporter | CountingLogExporter,
        processor: Any,
        book: QueueBook | None,
    ) -> None:
        super().__init__(signal, exporter.ledger)
        self.exclusive = exporter.exclusive
        self._exporter = exporter
        self._processor = processor
        self._book = book
        self._known_losses = 0

    def flush(self) -> bool:
        """Empty the queue; True only if nothing was lost since the flush before this one."""
        flushed = bool(self._processor.force_flush())
        sent = self._exporter.drain()
        before, self._known_losses = self._known_losses, self._exporter.ledger.losses()
        return flushed and sent and before == self._known_losses

    def shutdown(self) -> bool:
        """Empty the queue and stop; what comes later is counted as dropped."""
        flushed = self.flush()
        self._processor.shutdown()
        return self._exporter.drain() and flushed

    def interrupt(self) -> None:
        """Stop the exporter; what is still queued then fails at once, or stays in the spool."""
        self._exporter.interrupt()

    def waiting(self) -> int:
        """Return the length of the queue."""
        return self._book.waiting() if self._book else 0

    def spooled(self) -> int:
        """Return the number of items that the exporter has on the disk."""
        return self._exporter.spooled()

    def reset_after_fork(self) -> None:
        """Forget the parent's items and connections."""
        self._known_losses = 0
        self._exporter.reset_after_fork()
        if self._book:
            self._book.reset()
        super().reset_after_fork()


class SpanPath(BatchPath):
    """Spans to one exporter: from a queue, or without a ``size`` at once, because a person waits for them."""

    def __init__(self, exporter: CountingSpanExporter, size: QueueSize | None) -> None:
        queue = SpanQueue(exporter, exporter.ledger, size) if size else None
        self.processor = queue or SimpleSpanProcessor(exporter)
        super().__init__(TRACES, exporter, self.processor, queue.book if queue else None)


class LogPath(BatchPath):
    """The same for log records."""

    def __init__(self, exporter: CountingLogExporter, size: QueueSize | None) -> None:
        queue = LogQueue(exporter, exporter.ledger, size) if size else None
        self.processor = queue or SimpleLogRecordProcessor(exporter)
        super().__init__(LOGS, exporter, self.processor, queue.book if queue else None)


class MetricPath(Path):
    """Metrics collected and sent at an interval (milliseconds)."""

    def __init__(self, exporter: CountingMetricExporter, interval_ms: float) -> None:
        super().__init__(METRICS, exporter.ledger)
        self.exclusive = exporter.exclusive
        self._exporter = exporter
        self._interval_ms = interval_ms
        self._provider: MeterProvider | None = None
        self.reader = self._make_reader()

    @property
    def destination(self) -> Destination:
        """Where the metrics go."""
        return self._exporter.ledger.destination

    def attach(self, provider: MeterProvider) -> None:
        """Remember the provider that the reader was given to."""
        self._provider = provider

    def flush(self) -> bool:
        """Collect and export now; an earlier failure lost nothing, because the values are cumulative."""
        return self._lossless(self.reader.force_flush)

    def shutdown(self) -> bool:
        """Collect and export a last time."""
        return self._lossless(self.reader.shutdown)

    def interrupt(self) -> None:
        """Stop the exporter."""
        self._exporter.interrupt()

    def spooled(self) -> int:
        """Return the number of data points that the exporter has on the disk."""
        return self._exporter.spooled()

    def reset_after_fork(self) -> None:
        """Start from zero in a forked child, which sends under an instance id of its own.

        The inherited reader holds the parent's sums and would send them again. Where the SDK can add a reader
        later, a new one takes over and starts from zero; older SDKs (1.40) cannot, there the sums stay.
        """
        super().reset_after_fork()
        if self._provider is not None and hasattr(self._provider, "add_metric_reader"):
            self._exporter = self._exporter.succeed_after_fork()
            if leave_to_parent(self._provider, self.reader):
                # At once, so that the child's first measurement is counted.
                guarded("export.fork")(self._replace_reader)()
            else:
                # A thread of the parent may hold a lock of the metrics SDK for ever.
                self.worker.submit(self._replace_reader)
        else:
            self._exporter.reset_after_fork()

    def _make_reader(self) -> PeriodicExportingMetricReader:
        return PeriodicExportingMetricReader(self._exporter, export_interval_millis=self._interval_ms)

    def _replace_reader(self) -> bool:
        self.reader = self._make_reader()
        if self._provider is not None:
            self._provider.add_metric_reader(self.reader)
        return True

    def _lossless(self, action: Callable[[], object]) -> bool:
        before = self._exporter.ledger.losses()
        action()
        return self._exporter.drain() and self._exporter.ledger.losses() == before
