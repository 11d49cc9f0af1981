"""Make the chosen exporters, each counted. The OTLP exporters are imported only when asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, Final

from opentelemetry.sdk._logs.export import ConsoleLogRecordExporter, LogRecordExporter
from opentelemetry.sdk.metrics.export import MetricExporter
from opentelemetry.sdk.trace.export import SpanExporter

from litespan.export.choice import (
    CONSOLE,
    FILE,
    GRPC,
    PROMETHEUS,
    OtlpTarget,
    exporter_names,
    file_path,
    otlp_target,
)
from litespan.export.counting import CountingLogExporter, CountingMetricExporter, CountingSpanExporter
from litespan.export.ledger import LOGS, METRICS, TRACES, Destination, ExportLedger
from litespan.export.scraping import ScrapePath
from litespan.settings import Settings

_OTLP: Final = {
    TRACES: ("trace_exporter", "OTLPSpanExporter"),
    METRICS: ("metric_exporter", "OTLPMetricExporter"),
    LOGS: ("_log_exporter", "OTLPLogExporter"),
}
_CHECK_RECEIVER = (
    "Check that the receiver runs; OTEL_EXPORTER_OTLP_ENDPOINT says where it is. `litespan doctor` tries it."
)
_CHECK_FILE = "Check that its folder exists, is writable and has space."


def span_exporters(settings: Settings, environ: Mapping[str, str]) -> dict[str, CountingSpanExporter]:
    """Make the span exporters that are asked for, by name.

    Raises:
        ConfigurationError: if one cannot work, for example because its file cannot be written.
    """
    names = exporter_names(TRACES, settings, environ)
    return {name: _span_exporter(name, settings, environ) for name in names}


def metric_exporters(
    settings: Settings, environ: Mapping[str, str]
) -> dict[str, CountingMetricExporter | ScrapePath]:
    """Make the metric exporters that are asked for; errors as in :func:`span_exporters`."""
    names = exporter_names(METRICS, settings, environ)
    made: dict[str, CountingMetricExporter | ScrapePath] = {
        name: _metric_exporter(name, settings, environ) for name in names if name != PROMETHEUS
    }
    # Last, because it takes a port: if another exporter cannot work, the port stays free.
    return made | ({PROMETHEUS: ScrapePath(settings, environ)} if PROMETHEUS in names else {})


def log_exporters(settings: Settings, environ: Mapping[str, str]) -> dict[str, CountingLogExporter]:
    """Make the exporters of log records that are asked for; errors as in :func:`span_exporters`."""
    names = exporter_names(LOGS, settings, environ)
    return {name: _log_exporter(name, settings, environ) for name in names}


def _span_exporter(name: str, settings: Settings, environ: Mapping[str, str]) -> CountingSpanExporter:
    ledger = ExportLedger(_destination(name, TRACES, settings, environ))
    make: Callable[[], SpanExporter]
    if name == CONSOLE:
        from litespan.export.console import ConsoleSpanExporter

        make = partial(ConsoleSpanExporter, on_drop=ledger.drop)
    elif name == FILE:
        make = file_span_exporter(settings)
    elif settings.spool_dir:
        from litespan.export.spooled import spooled_span_exporter

        return spooled_span_exporter(settings, environ, ledger)
    else:
        make = _otlp_exporter(TRACES, otlp_target(TRACES, settings, environ), ledger)
    return CountingSpanExporter(make, ledger)


def file_span_exporter(settings: Settings) -> Callable[[], SpanExporter]:
    """Return what makes the exporter of spans to a file; a ConfigurationError if the file cannot be written.

    The path is settled here: a forked child, which makes another one, may be in another folder by then.
    """
    from litespan.export.otlp_file import OtlpFileSpanExporter

    path = file_path(TRACES, settings)
    return partial(OtlpFileSpanExporter, path, settings.file_max_bytes, settings.file_backups)


def _metric_exporter(name: str, settings: Settings, environ: Mapping[str, str]) -> CountingMetricExporter:
    ledger = ExportLedger(_destination(name, METRICS, settings, environ))
    make: Callable[[], MetricExporter]
    if name == CONSOLE:
        from litespan.export.metric_table import ConsoleMetricExporter

        make = ConsoleMetricExporter
    elif name == FILE:
        make = file_metric_exporter(settings)
    else:
        make = _otlp_exporter(METRICS, otlp_target(METRICS, settings, environ), ledger)
        if settings.spool_dir:
            from litespan.export.spooled import spooled_metric_exporter

            return spooled_metric_exporter(settings, environ, ledger, make)
    return CountingMetricExporter(make, ledger)


def file_metric_exporter(settings: Settings) -> Callable[[], MetricExporter]:
    """The same for metrics."""
    from litespan.export.otlp_file import OtlpFileMetricExporter

    path = file_path(METRICS, settings)
    return partial(OtlpFileMetricExporter, path, settings.file_max_bytes, settings.file_backups)


def _log_exporter(name: str, settings: Settings, environ: Mapping[str, str]) -> CountingLogExporter:
    ledger = ExportLedger(_destination(name, LOGS, settings, environ))
    make: Callable[[], LogRecordExporter]
    if name == CONSOLE:
        make = partial(ConsoleLogRecordExporter, sys.stdout)
    elif name == FILE:
        make = file_log_exporter(settings)
    elif settings.spool_dir:
        from litespan.export.spooled import spooled_log_exporter

        return spooled_log_exporter(settings, environ, ledger)
    else:
        make = _otlp_exporter(LOGS, otlp_target(LOGS, settings, environ), ledger)
    return CountingLogExporter(make, ledger)


def file_log_exporter(settings: Settings) -> Callable[[], LogRecordExporter]:
    """The same for log records."""
    from litespan.export.otlp_file import OtlpFileLogExporter

    path = file_path(LOGS, settings)
    return partial(OtlpFileLogExporter, path, settings.file_max_bytes, settings.file_backups)


def _otlp_exporter(signal: str, target: OtlpTarget, ledger: ExportLedger) -> Callable[[], Any]:
    """Return what makes OpenTelemetry's exporter of one signal for that target."""
    if target.protocol == GRPC:
        from litespan.export.otlp.grpc_exporter import telling

        package = "opentelemetry.exporter.otlp.proto.grpc"
    else:
        from litespan.export.otlp.http_exporter import telling

        package = "opentelemetry.exporter.otlp.proto.http"
    module, name = _OTLP[signal]
    exporter = getattr(import_module(f"{package}.{module}"), name)
    return telling(exporter, signal, target.argument, ledger)


def _destination(name: str, signal: str, settings: Settings, environ: Mapping[str, str]) -> Destination:
    if name == CONSOLE:
        return Destination(signal, "console", "Check that standard output is open.")
    if name == FILE:
        return file_destination(signal, settings)
    target = otlp_target(signal, settings, environ)
    return Destination(signal, f"OTLP {target.protocol} {target.shown}", _CHECK_RECEIVER)


def file_destination(signal: str, settings: Settings) -> Destination:
    """Describe the file of one signal."""
    return Destination(signal, f"file {file_path(signal, settings)}", _CHECK_FILE)
