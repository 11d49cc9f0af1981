"""Metrics that Prometheus comes and takes; needs the extra ``prometheus``."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader

from litespan.export.forked import leave_to_parent
from litespan.export.ledger import METRICS, Destination
from litespan.export.path import Path
from litespan.setting_checks import ConfigurationError
from litespan.settings import Settings

logger = logging.getLogger("litespan")

# Of what the extra holds: it has no name where litespan itself was installed from a checkout.
INSTALLATION: Final = "pip install 'opentelemetry-exporter-prometheus>=0.66b1' 'prometheus-client>=0.20'"

# What Prometheus is told to promote when metrics are pushed to it: one query serves both ways.
RESOURCE_LABELS: Final = (
    "service.name",
    "service.namespace",
    "service.instance.id",
    "deployment.environment.name",
)


class ScrapePath(Path):
    """Metrics in a Prometheus registry: the application's own, or one that a server of ours shows.

    Raises:
        ConfigurationError: if the extra is missing, the address cannot be bound, or the environment asks for
            exponential histograms, which break every scrape.
    """

    exclusive = True

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        _refuse_exponential_histograms(environ)
        self._prometheus = _import_extra()
        self._registry = settings.prometheus_registry
        self._server: Any = None
        self._shown = "the application's Prometheus registry"
        if self._registry is None:
            self._registry = self._prometheus.SerialRegistry()
            self._server = _serve(self._registry, settings)
            self._shown = f"Prometheus scrapes http://{netloc(settings)}/metrics"
        self._provider: MeterProvider | None = None
        self.reader = self._make_reader()
        super().__init__(METRICS, None)

    @property
    def destination(self) -> Destination:
        """Where the metrics can be seen."""
        return Destination(METRICS, self._shown, "Check that Prometheus scrapes it.")

    def attach(self, provider: MeterProvider) -> None:
        """Remember the provider that the reader was given to."""
        self._provider = provider

    def flush(self) -> bool:
        """Nothing is sent, so there is nothing to do."""
        return True

    def shutdown(self) -> bool:
        """Take the metrics out of the registry and free the port."""
        self._unregister()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        return True

    def interrupt(self) -> None:
        """Free the port at once."""
        if self._server is not None:
            self._server.server_close()

    def reset_after_fork(self) -> None:
        """In a forked child, leave the port to the parent; an adopted registry starts from zero."""
        super().reset_after_fork()
        if self._provider is not None:
            # First, because the program's measurements need its locks.
            leave_to_parent(self._provider, self.reader)
        if self._server is not None:
            # Only this process's copy of the socket; else it would keep the port after the parent's end.
            self._server.socket.close()
            self._server = None
            logger.warning(
                "Process %d was forked from one that serves metrics (%s) and serves none itself. "
                "Send the metrics of worker processes by OTLP: OTEL_METRICS_EXPORTER=otlp.",
                os.getpid(),
                self._shown,
            )
        elif hasattr(self._provider, "add_metric_reader"):
            # On the worker, because a thread of the parent may hold a lock of the registry for ever.
            self.worker.submit(self._replace_reader)

    def _replace_reader(self) -> bool:
        self._unregister()
        self.reader = self._make_reader()
        if self._provider is not None:
            self._provider.add_metric_reader(self.reader)
        return True

    def _make_reader(self) -> MetricReader:
        reader: MetricReader = self._prometheus.make_reader(self._registry, RESOURCE_LABELS)
        return reader

    def _unregister(self) -> None:
        # The program may have shut the provider down itself, which did the same.
        with contextlib.suppress(KeyError):
            self.reader.shutdown()


def _import_extra() -> ModuleType:
    try:
        from litespan.export import prometheus
    except ImportError as error:
        raise ConfigurationError(
            f"The metrics exporter 'prometheus' needs a package that is not installed: {INSTALLATION}"
        ) from error
    if not prometheus.has_labels_of_resource():
        raise ConfigurationError(
            f"The metrics exporter 'prometheus' needs a newer OpenTelemetry exporter: {INSTALLATION}"
        )
    return prometheus


def _serve(registry: Any, settings: Settings) -> Any:
    from prometheus_client import start_http_server

    try:
        server, _ = start_http_server(settings.prometheus_port, settings.prometheus_host, registry)
    except OSError as error:
        raise ConfigurationError(
            f"Metrics cannot be served on {netloc(settings)} ({error.strerror or type(error).__name__}). "
            "Each process needs a port of its own: set prometheus_port or OTEL_EXPORTER_PROMETHEUS_PORT "
            "(and prometheus_host or OTEL_EXPORTER_PROMETHEUS_HOST for another address)."
        ) from error
    return server


def netloc(settings: Settings) -> str:
    """Return host and port of what is offered to Prometheus, as URLs write them."""
    host = settings.prometheus_host
    return f"[{host}]:{settings.prometheus_port}" if ":" in host else f"{host}:{settings.prometheus_port}"


def _refuse_exponential_histograms(environ: Mapping[str, str]) -> None:
    chosen = environ.get(OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION, "").strip().lower()
    if chosen == "base2_exponential_bucket_histogram":
        raise ConfigurationError(
            f"{OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION}={chosen}: the metrics exporter "
            "'prometheus' cannot show exponential histograms. Unset it, or send metrics by otlp."
        )
