"""What is wrong with OpenTelemetry's variables, found before anything is built and any thread started."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Final

from opentelemetry.sdk import environment_variables

from litespan.export.choice import OTLP, exporter_names, metric_interval_ms, otlp_target
from litespan.export.ledger import LOGS, METRICS, TRACES
from litespan.export.otlp.options import otlp_options
from litespan.export.queue_book import check_delay, queue_size
from litespan.setting_checks import ConfigurationError
from litespan.settings import Settings

logger = logging.getLogger("litespan")

_EXEMPLAR_FILTERS: Final = ("trace_based", "always_on", "always_off")
_LIMITS: Final = {
    TRACES: (
        "OTEL_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "OTEL_SPAN_EVENT_COUNT_LIMIT",
        "OTEL_SPAN_LINK_COUNT_LIMIT",
    ),
    LOGS: (
        "OTEL_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    ),
    METRICS: (),
}


def warn_of_unused_spool(signals: Iterable[str], settings: Settings, environ: Mapping[str, str]) -> None:
    """Log a warning if a spool is asked for and none of these signals goes by OTLP."""
    exporters = {name for signal in signals for name in exporter_names(signal, settings, environ)}
    if settings.spool_dir and exporters and OTLP not in exporters:
        logger.warning(
            "litespan does not use spool_dir: only what goes by OTLP is kept there, and this goes to %s. "
            "Set OTEL_EXPORTER_OTLP_ENDPOINT.",
            ", ".join(sorted(exporters)),
        )


def check_sending(signal: str, settings: Settings, environ: Mapping[str, str]) -> None:
    """Check how one signal is to be sent, if it goes by OTLP.

    Raises:
        ConfigurationError: on what OpenTelemetry's exporters would log, leave out or raise at their first
            export; it names the variable.
    """
    if OTLP in exporter_names(signal, settings, environ):
        otlp_target(signal, settings, environ)
        otlp_options(signal, environ)


def check_waiting(signal: str, settings: Settings, environ: Mapping[str, str]) -> None:
    """Check how long, and how many, items of one signal wait before they are sent.

    Raises:
        ConfigurationError: on what OpenTelemetry's processors and readers would raise or fail at; it names
            the variable.
    """
    if signal == METRICS:
        metric_interval_ms(settings, environ)
    else:
        queue_size(environ, signal)
        check_delay(environ, signal)


def check_providing(signal: str, environ: Mapping[str, str]) -> None:
    """Check what the provider of one signal reads when it is made.

    Raises:
        ConfigurationError: on what it would raise at; it names the variable.
    """
    for name in _LIMITS[signal]:
        text = environ.get(name, "").strip()
        # An older SDK does not know all of them. An empty one is no limit.
        if text and not text.isdecimal() and hasattr(environment_variables, name):
            raise ConfigurationError(f"{name}={text!r} must be a whole number, 0 or more.")
    chosen = environ.get(environment_variables.OTEL_METRICS_EXEMPLAR_FILTER, _EXEMPLAR_FILTERS[0])
    if signal == METRICS and chosen not in _EXEMPLAR_FILTERS:
        raise ConfigurationError(
            f"{environment_variables.OTEL_METRICS_EXEMPLAR_FILTER}={chosen!r} is not valid. "
            f"Valid values: {', '.join(_EXEMPLAR_FILTERS)}."
        )
