"""Exporters that put batches into an outbox on disk, from where they are sent by OTLP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from litespan.export.counting import (
    Counting,
    CountingLogExporter,
    CountingMetricExporter,
    CountingSpanExporter,
)
from litespan.export.ledger import EXPORT_FAILED, LOGS, METRICS, TRACES, ExportLedger
from litespan.export.otlp.requests_pb import part_of
from litespan.export.spool.outbox import Outbox


class OutboxSpanExporter(SpanExporter):
    """Puts spans into an outbox."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write a batch; FAILURE if it is lost."""
        kept = self.outbox.keep(*part_of(TRACES, encode_spans(spans)))
        return SpanExportResult.SUCCESS if kept else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Send what can be sent, and stop."""
        self.outbox.close()


class OutboxLogExporter(LogRecordExporter):
    """The same for log records."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Write a batch; FAILURE if it is lost."""
        kept = self.outbox.keep(*part_of(LOGS, encode_logs(batch)))
        return LogRecordExportResult.SUCCESS if kept else LogRecordExportResult.FAILURE

    def shutdown(self) -> None:
        """Send what can be sent, and stop."""
        self.outbox.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held in memory, so this does nothing."""
        return True


class OutboxMetricExporter(MetricExporter):
    """The same for metrics, with the temporality and the aggregation that are given."""

    def __init__(self, outbox: Outbox, temporality: Any, aggregation: Any) -> None:
        super().__init__(preferred_temporality=temporality, preferred_aggregation=aggregation)
        self.outbox = outbox

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        """Write a batch; FAILURE if it is lost."""
        kept = self.outbox.keep(*part_of(METRICS, encode_metrics(metrics_data)))
        return MetricExportResult.SUCCESS if kept else MetricExportResult.FAILURE

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Send what can be sent, and stop."""
        self.outbox.close()

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing is held in memory, so this does nothing."""
        return True


class _Spooled(Counting):
    """Leaves the counting to the outbox, which knows what became of each batch."""

    _outbox: Outbox
    # The one after it takes over at once what it has left.
    exclusive = True

    def drain(self) -> bool:
        """Wait until all is sent or an attempt fails; True only if all was sent."""
        return self._outbox.drain()

    def interrupt(self) -> None:
        """Stop sending; what is left is kept for the next process."""
        self._outbox.stop()

    def spooled(self) -> int:
        """Return the number of items that wait in the outbox."""
        return self._outbox.items()

    def reset_after_fork(self) -> None:
        """Count from zero, and keep and send what is the child's own."""
        super().reset_after_fork()  # type: ignore[safe-super] # the next class in line counts
        self._outbox.reset_after_fork()

    def _settle(self, items: int, error_type: str, *, succeeded: bool) -> None:
        # What raised did not get to the outbox.
        if error_type != EXPORT_FAILED:
            self.ledger.fail(items, error_type)


class SpooledSpanExporter(_Spooled, CountingSpanExporter):
    """Counts spans on their way through an outbox; ``make`` returns the same exporter each time."""

    def __init__(self, make: Callable[[], OutboxSpanExporter], ledger: ExportLedger) -> None:
        super().__init__(make, ledger)
        self._outbox = make().outbox


class SpooledLogExporter(_Spooled, CountingLogExporter):
    """The same for log records."""

    def __init__(self, make: Callable[[], OutboxLogExporter], ledger: ExportLedger) -> None:
        super().__init__(make, ledger)
        self._outbox = make().outbox


class SpooledMetricExporter(_Spooled, CountingMetricExporter):
    """The same for metrics."""

    def __init__(self, make: Callable[[], OutboxMetricExporter], ledger: ExportLedger) -> None:
        super().__init__(make, ledger)
        self._outbox = make().outbox
