"""Make the exporters that send by OTLP through a spool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricExporter

from litespan.export.choice import otlp_target
from litespan.export.ledger import LOGS, METRICS, TRACES, ExportLedger
from litespan.export.otlp.options import otlp_options
from litespan.export.otlp.sender import Sender, sender_of
from litespan.export.spool.folder import prepare
from litespan.export.spool.limits import Limits
from litespan.export.spool.outbox import Outbox
from litespan.export.spool.store import Store
from litespan.export.spooling import (
    OutboxLogExporter,
    OutboxMetricExporter,
    OutboxSpanExporter,
    SpooledLogExporter,
    SpooledMetricExporter,
    SpooledSpanExporter,
)
from litespan.setting_checks import ConfigurationError
from litespan.settings import Settings


def spooled_span_exporter(
    settings: Settings, environ: Mapping[str, str], ledger: ExportLedger
) -> SpooledSpanExporter:
    """Make the exporter of spans.

    Raises:
        ConfigurationError: if the spool's folder cannot be used, or a variable of OpenTelemetry is wrong.
    """
    exporter = OutboxSpanExporter(_outbox(TRACES, settings, environ, ledger))
    return SpooledSpanExporter(lambda: exporter, ledger)


def spooled_log_exporter(
    settings: Settings, environ: Mapping[str, str], ledger: ExportLedger
) -> SpooledLogExporter:
    """The same for log records."""
    exporter = OutboxLogExporter(_outbox(LOGS, settings, environ, ledger))
    return SpooledLogExporter(lambda: exporter, ledger)


def spooled_metric_exporter(
    settings: Settings, environ: Mapping[str, str], ledger: ExportLedger, make: Callable[[], MetricExporter]
) -> SpooledMetricExporter:
    """The same for metrics; ``make`` makes the exporter that would send them without a spool.

    Its preferences hold. Only the newest batch is kept: its sums say all that the ones before it said, and
    Prometheus refuses what is older than what it has.

    Raises:
        ConfigurationError: also if these are not cumulative. A batch may be sent twice, when the receiver's
            answer gets lost; a sum that is sent twice is still right, a difference is not.
    """
    preferences = make()
    temporality: Any = preferences._preferred_temporality  # noqa: SLF001 - as in counting.py
    aggregation: Any = preferences._preferred_aggregation  # noqa: SLF001
    preferences.shutdown()
    if AggregationTemporality.DELTA in (temporality or {}).values():
        raise ConfigurationError(
            "spool_dir needs cumulative metrics, because a batch may be sent twice: "
            "unset OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE, or spool_dir."
        )
    exporter = OutboxMetricExporter(_outbox(METRICS, settings, environ, ledger), temporality, aggregation)
    return SpooledMetricExporter(lambda: exporter, ledger)


def _outbox(signal: str, settings: Settings, environ: Mapping[str, str], ledger: ExportLedger) -> Outbox:
    target, options = otlp_target(signal, settings, environ), otlp_options(signal, environ)
    make_sender: Callable[[], Sender] = partial(sender_of(target.protocol), signal, target.endpoint, options)
    store = Store(
        prepare(settings.spool_dir or ""),
        signal,
        Limits(settings.spool_max_bytes, settings.spool_max_age),
        ledger.drop,
        newest_only=signal == METRICS,
    )
    return Outbox(store, make_sender, ledger)
