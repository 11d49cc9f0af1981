"""Exporters that append OTLP/JSON lines to a file: one export request per line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from litespan.export.json_lines import JsonLinesFile
from litespan.export.ledger import LOGS, METRICS, TRACES
from litespan.export.otlp_json import logs_to_json, metrics_to_json, spans_to_json
from litespan.settings import Settings


class OtlpFileSpanExporter(SpanExporter):
    """Writes spans to a file that the Collector's ``otlpjsonfile`` receiver can read.

    Raises:
        ConfigurationError: if the file cannot be opened for writing.
    """

    def __init__(
        self, path: str, max_bytes: int = Settings.file_max_bytes, backups: int = Settings.file_backups
    ) -> None:
        self._file = JsonLinesFile(path, max_bytes, backups, TRACES)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Append one line; FAILURE if it cannot be written now."""
        written = self._file.try_write(spans_to_json(spans))
        return SpanExportResult.SUCCESS if written else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Close the file."""
        self._file.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held back, so this does nothing."""
        return True


class OtlpFileLogExporter(LogRecordExporter):
    """The same for log records, events among them."""

    def __init__(
        self, path: str, max_bytes: int = Settings.file_max_bytes, backups: int = Settings.file_backups
    ) -> None:
        self._file = JsonLinesFile(path, max_bytes, backups, LOGS)

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Append one line; FAILURE if it cannot be written now."""
        written = self._file.try_write(logs_to_json(batch))
        return LogRecordExportResult.SUCCESS if written else LogRecordExportResult.FAILURE

    def shutdown(self) -> None:
        """Close the file."""
        self._file.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held back, so this does nothing."""
        return True


class OtlpFileMetricExporter(MetricExporter):
    """The same for metrics, with cumulative values."""

    def __init__(
        self, path: str, max_bytes: int = Settings.file_max_bytes, backups: int = Settings.file_backups
    ) -> None:
        super().__init__()
        self._file = JsonLinesFile(path, max_bytes, backups, METRICS)

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        """Append one line; FAILURE if it cannot be written now."""
        written = self._file.try_write(metrics_to_json(metrics_data))
        return MetricExportResult.SUCCESS if written else MetricExportResult.FAILURE

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Close the file."""
        self._file.close()

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing is held back, so this does nothing."""
        return True
