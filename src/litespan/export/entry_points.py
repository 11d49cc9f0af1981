"""``litespan_file`` as an exporter of OpenTelemetry's own set-up, for example ``OTEL_TRACES_EXPORTER``."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from typing import Final

from litespan.export.counting import CountingLogExporter, CountingMetricExporter, CountingSpanExporter
from litespan.export.exporters import (
    file_destination,
    file_log_exporter,
    file_metric_exporter,
    file_span_exporter,
)
from litespan.export.ledger import LOGS, METRICS, TRACES, ExportLedger
from litespan.settings import Settings, load_settings, variables_of

_FILE_SETTINGS: Final = ("traces_file", "metrics_file", "logs_file", "file_max_bytes", "file_backups")


class FileSpanExporter(CountingSpanExporter):
    """Writes spans as OTLP JSON lines; litespan's environment variables say where.

    Raises:
        ConfigurationError: if a variable is wrong or the file cannot be written.
    """

    def __init__(self) -> None:
        settings = _settings()
        ledger = ExportLedger(file_destination(TRACES, settings))
        super().__init__(file_span_exporter(settings), ledger)
        _reset_in_children(self.reset_after_fork)


class FileMetricExporter(CountingMetricExporter):
    """The same for metrics."""

    def __init__(self) -> None:
        settings = _settings()
        ledger = ExportLedger(file_destination(METRICS, settings))
        super().__init__(file_metric_exporter(settings), ledger)
        _reset_in_children(self.reset_after_fork)


class FileLogExporter(CountingLogExporter):
    """The same for log records."""

    def __init__(self) -> None:
        settings = _settings()
        ledger = ExportLedger(file_destination(LOGS, settings))
        super().__init__(file_log_exporter(settings), ledger)
        _reset_in_children(self.reset_after_fork)


def _settings() -> Settings:
    # Only these: the variables that choose exporters may name some that litespan does not know.
    return load_settings(variables_of(_FILE_SETTINGS, os.environ))


def _reset_in_children(method: Callable[[], None]) -> None:
    """Let a forked child, such as a gunicorn worker, open the file anew: a shared lock would not lock."""
    reference = weakref.WeakMethod(method)

    def reset() -> None:
        if found := reference():
            found()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=reset)
