"""Whether the application has OpenTelemetry providers of its own; how litespan's become the global ones."""

from __future__ import annotations

import logging
from typing import Final

from opentelemetry import _logs, metrics, trace

from litespan.identity import IdentityMap

logger = logging.getLogger("litespan")

# Providers built here are not the application's: after a shutdown the old ones are still the global ones.
_built: Final[IdentityMap[None]] = IdentityMap()


def application_tracer_provider() -> trace.TracerProvider | None:
    """Return the global tracer provider that the application has set, or None if it has set none."""
    provider = trace.get_tracer_provider()
    return provider if _is_of_application(provider) else None


def application_meter_provider() -> metrics.MeterProvider | None:
    """Return the global meter provider that the application has set, or None if it has set none."""
    provider = metrics.get_meter_provider()
    return provider if _is_of_application(provider) else None


def application_logger_provider() -> _logs.LoggerProvider | None:
    """Return the global logger provider that the application has set, or None if it has set none."""
    provider = _logs.get_logger_provider()
    return provider if _is_of_application(provider) else None


def make_tracer_provider_global(provider: trace.TracerProvider) -> None:
    """Let the program's own spans join litespan's pipeline, if the global place is free."""
    _built[provider] = None
    if _is_free(trace.get_tracer_provider(), "spans"):
        trace.set_tracer_provider(provider)


def make_meter_provider_global(provider: metrics.MeterProvider) -> None:
    """The same for metrics."""
    _built[provider] = None
    if _is_free(metrics.get_meter_provider(), "metrics"):
        metrics.set_meter_provider(provider)


def make_logger_provider_global(provider: _logs.LoggerProvider) -> None:
    """The same for log records."""
    _built[provider] = None
    if _is_free(_logs.get_logger_provider(), "log records"):
        _logs.set_logger_provider(provider)


def _is_of_application(provider: object) -> bool:
    return provider not in _built and not is_of_api(provider)


def is_of_api(provider: object) -> bool:
    """Say whether a provider is one of the API's, which keep nothing."""
    # That package holds only proxies and no-ops; the proxy of the meters has no public name.
    return type(provider).__module__.startswith(
        ("opentelemetry.trace", "opentelemetry.metrics", "opentelemetry._logs")
    )


def stands_in(provider: object) -> bool:
    """Say whether a provider is the API's own, which hands on what it has made once a global one is set."""
    # A no-op was set by the application.
    no_op = (trace.NoOpTracerProvider, metrics.NoOpMeterProvider, _logs.NoOpLoggerProvider)
    return is_of_api(provider) and not isinstance(provider, no_op)


def _is_free(current: object, kind: str) -> bool:
    # OpenTelemetry lets the global provider be set once.
    if current in _built:
        logger.warning(
            "OpenTelemetry keeps the first global provider of a process, and that one has been shut down: "
            "litespan's own %s go to the new one, those of your own code do not.",
            kind,
        )
    return stands_in(current)
