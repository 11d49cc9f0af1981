"""Build the provider of one signal, with the paths that lead from it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from litespan.export.adopted import Logs, Metrics, Traces
from litespan.export.choice import CONSOLE
from litespan.export.counting import CountingLogExporter, CountingMetricExporter, CountingSpanExporter
from litespan.export.ledger import LOGS, METRICS, TRACES, Destination
from litespan.export.paths import LogPath, MetricPath, SpanPath
from litespan.export.queue_book import QueueSize
from litespan.export.scraping import ScrapePath
from litespan.settings import Settings

logger = logging.getLogger("litespan")


def build_traces(
    exporters: Mapping[str, CountingSpanExporter], size: QueueSize, resource: Resource
) -> Traces:
    """Make a tracer provider for exporters by name; OpenTelemetry's variables set its sampler and limits."""
    # Our own exit handler ends it, because the provider's would wait as long as its exporters like.
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    paths = [SpanPath(exporter, None if name == CONSOLE else size) for name, exporter in exporters.items()]
    for path in paths:
        provider.add_span_processor(path.processor)
    return Traces(
        provider, paths, _notes(TRACES, [exporter.ledger.destination for exporter in exporters.values()])
    )


def build_metrics(
    exporters: Mapping[str, CountingMetricExporter | ScrapePath],
    interval_ms: float,
    resource: Resource,
) -> Metrics:
    """Make a meter provider for exporters by name; ``interval_ms`` as in :class:`MetricPath`."""
    paths = [
        exporter if isinstance(exporter, ScrapePath) else MetricPath(exporter, interval_ms)
        for exporter in exporters.values()
    ]
    provider = MeterProvider([path.reader for path in paths], resource=resource, shutdown_on_exit=False)
    for path in paths:
        path.attach(provider)
    return Metrics(provider, paths, _notes(METRICS, [path.destination for path in paths]))


def build_logs(exporters: Mapping[str, CountingLogExporter], size: QueueSize, resource: Resource) -> Logs:
    """Make a logger provider for exporters by name."""
    provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
    paths = [LogPath(exporter, None if name == CONSOLE else size) for name, exporter in exporters.items()]
    for path in paths:
        provider.add_log_record_processor(path.processor)
    return Logs(
        provider, paths, _notes(LOGS, [exporter.ledger.destination for exporter in exporters.values()])
    )


def _notes(signal: str, destinations: Iterable[Destination]) -> list[str]:
    return [str(destination) for destination in destinations] or [f"{signal}: nowhere"]


def warn_of_ignored_exporters(
    settings: Settings,
    *,
    traces_adopted: bool,
    metrics_adopted: bool,
    logs_adopted: bool,
) -> None:
    """Log one warning if arguments ask for exporters that an adopted provider makes void."""
    names = {
        "traces_exporter": traces_adopted,
        "metrics_exporter": metrics_adopted,
        "logs_exporter": logs_adopted,
    }
    everything = traces_adopted and metrics_adopted and (logs_adopted or not settings.events)
    names["otlp_endpoint"] = names["spool_dir"] = everything
    ignored = [name for name, void in names.items() if void and settings.is_argument(name)]
    if ignored:
        logger.warning(
            "litespan ignores %s: it uses the OpenTelemetry providers that the application has set. "
            "Add the exporter to those providers, or call litespan.configure() and do not set them.",
            " and ".join(ignored),
        )
