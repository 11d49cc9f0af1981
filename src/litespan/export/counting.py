"""Exporters that count what the exporter inside them did, and contain its exceptions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Generic, TypeVar

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from litespan.export.ledger import EXPORT_FAILED, SHUT_DOWN, ExportLedger
from litespan.guard import guard


class Counting(ABC):
    """What the pipeline asks of an exporter that counts."""

    ledger: ExportLedger
    exclusive = False  # see `Path.exclusive`
    _closed = False

    @abstractmethod
    def shutdown(self) -> None:
        """Close the exporter."""

    @abstractmethod
    def reset_after_fork(self) -> None:
        """Start anew in a forked child."""

    def drain(self) -> bool:
        """Wait until nothing is left of what was exported; True, because exports are synchronous."""
        return True

    def interrupt(self) -> None:
        """Give up what takes too long, without waiting for it."""
        self.shutdown()

    def spooled(self) -> int:
        """Return the number of items that lie on the disk and wait to be sent."""
        return 0

    def _settle(self, items: int, error_type: str, *, succeeded: bool) -> None:
        """Count what became of an export."""
        if succeeded:
            self.ledger.succeed(items)
        else:
            self.ledger.fail(items, error_type)


class _ErrorType:
    """Notes the type of an exception that leaves its block.

    The exception passes, unless the exporter was closed in the meantime: what it raises then is no fault.
    """

    def __init__(self, exporter: Counting) -> None:
        self.name = EXPORT_FAILED
        self._exporter = exporter

    def __enter__(self) -> None:
        """Enter the block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if kind is None:
            return False
        expected = self._exporter._closed and issubclass(kind, Exception)  # noqa: SLF001 - of this module
        self.name = SHUT_DOWN if expected else kind.__name__
        return expected


Exporter = TypeVar("Exporter", SpanExporter, LogRecordExporter)


class _CountingBatches(Counting, Generic[Exporter]):
    """Counts every item that is handed over; made of a factory, because a forked child needs a new exporter.

    A connection or a file lock that a child shares with its parent would mix what both send.
    """

    def __init__(self, make: Callable[[], Exporter], ledger: ExportLedger) -> None:
        self.ledger = ledger
        self._make: Callable[[], Exporter] = make
        self._exporter: Exporter | None = make()
        self._place = f"export.{ledger.destination.signal}"

    def _export(self, batch: Sequence[Any], success: object) -> bool:
        """Export a batch; an exception of the exporter counts as a failed export."""
        self.ledger.hand_over(len(batch))
        if self._closed:
            self.ledger.drop(SHUT_DOWN, len(batch))
            return False
        succeeded, error = False, _ErrorType(self)
        with guard(self._place), error:
            self._exporter = self._exporter or self._make()
            succeeded = self._exporter.export(batch) is success
        self._settle(len(batch), error.name, succeeded=succeeded)
        return succeeded

    def shutdown(self) -> None:
        """Close the exporter, which also ends its wait between two attempts. Only the first call counts."""
        already, self._closed = self._closed, True
        if not already and self._exporter is not None:
            with guard(self._place):
                self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Exports are synchronous, so there is nothing to wait for."""
        return True

    def reset_after_fork(self) -> None:
        """Make a new exporter at the next export, and count from zero."""
        self.ledger.reset()
        self._exporter = None


class CountingSpanExporter(_CountingBatches[SpanExporter], SpanExporter):
    """Counts spans."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export a batch; an exception of the exporter counts as a failed export."""
        exported = self._export(spans, SpanExportResult.SUCCESS)
        return SpanExportResult.SUCCESS if exported else SpanExportResult.FAILURE


class CountingLogExporter(_CountingBatches[LogRecordExporter], LogRecordExporter):
    """The same for log records."""

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Export a batch; an exception of the exporter counts as a failed export."""
        exported = self._export(batch, LogRecordExportResult.SUCCESS)
        return LogRecordExportResult.SUCCESS if exported else LogRecordExportResult.FAILURE


class CountingMetricExporter(Counting, MetricExporter):
    """The same for metrics; its items are data points."""

    def __init__(self, make: Callable[[], MetricExporter], ledger: ExportLedger) -> None:
        exporter = make()
        # OpenTelemetry has no public way to ask for an exporter's preferences; its own reader reads these.
        super().__init__(
            preferred_temporality=exporter._preferred_temporality,  # noqa: SLF001
            preferred_aggregation=exporter._preferred_aggregation,  # noqa: SLF001
        )
        self.ledger = ledger
        self._make = make
        self._exporter: MetricExporter | None = exporter
        self._retired = False

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        """Export what was collected; an exception of the exporter counts as a failed export."""
        if self._retired:
            return MetricExportResult.SUCCESS
        points = _count_points(metrics_data)
        self.ledger.hand_over(points)
        if self._closed:
            self.ledger.fail(points, SHUT_DOWN)
            return MetricExportResult.FAILURE
        result, error = MetricExportResult.FAILURE, _ErrorType(self)
        with guard("export.metrics"), error:
            self._exporter = self._exporter or self._make()
            result = self._exporter.export(metrics_data, timeout_millis=timeout_millis, **kwargs)
        self._settle(points, error.name, succeeded=result is MetricExportResult.SUCCESS)
        return result

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Close the exporter, which also ends its wait between two attempts. Only the first call counts."""
        already, self._closed = self._closed, True
        if not already and self._exporter is not None:
            with guard("export.metrics"):
                self._exporter.shutdown(timeout_millis=timeout_millis)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Exports are synchronous, so there is nothing to wait for."""
        return True

    def reset_after_fork(self) -> None:
        """Make a new exporter at the next export, and count from zero."""
        self.ledger.reset()
        self._exporter = None

    def succeed_after_fork(self) -> CountingMetricExporter:
        """Return the exporter of a forked child; this one exports and counts nothing any more."""
        self.reset_after_fork()
        self._retired = True
        return type(self)(self._make, self.ledger)


def _count_points(metrics_data: MetricsData) -> int:
    return sum(
        len(metric.data.data_points)
        for resource in metrics_data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    )
