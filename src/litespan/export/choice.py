"""Which exporters the settings and the environment ask for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.sdk.environment_variables import (
    OTEL_EXPORTER_OTLP_ENDPOINT,
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT,
    OTEL_EXPORTER_OTLP_LOGS_PROTOCOL,
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT,
    OTEL_EXPORTER_OTLP_METRICS_PROTOCOL,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,
    OTEL_METRIC_EXPORT_INTERVAL,
)

from litespan.content_parts import safe_url
from litespan.export.ledger import LOGS, METRICS, TRACES
from litespan.setting_checks import ConfigurationError, parse_wait
from litespan.settings import PROTOCOLS, Settings, check_exporters

OTLP: Final = "otlp"
CONSOLE: Final = "console"
FILE: Final = "litespan_file"
PROMETHEUS: Final = "prometheus"
NONE: Final = "none"
HTTP: Final = "http/protobuf"
GRPC: Final = "grpc"

_ENDPOINT: Final = {
    TRACES: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    METRICS: OTEL_EXPORTER_OTLP_METRICS_ENDPOINT,
    LOGS: OTEL_EXPORTER_OTLP_LOGS_ENDPOINT,
}
_PROTOCOL: Final = {
    TRACES: OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,
    METRICS: OTEL_EXPORTER_OTLP_METRICS_PROTOCOL,
    LOGS: OTEL_EXPORTER_OTLP_LOGS_PROTOCOL,
}
_DEFAULT_ENDPOINT: Final = {GRPC: "http://localhost:4317", HTTP: "http://localhost:4318"}


def exporter_names(signal: str, settings: Settings, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the exporters for ``traces``, ``metrics`` or ``logs``; empty if the choice is ``none``.

    Without a choice: OTLP if an endpoint is set, else the file. Never an unasked connection to localhost.

    Raises:
        ConfigurationError: if the signal's variable names an exporter that litespan does not know.
    """
    chosen = _choices(settings)[signal]
    if chosen is None:
        endpoint = settings.otlp_endpoint or environ.get(_ENDPOINT[signal])
        return (OTLP,) if endpoint else (FILE,)
    return tuple(name for name in check_exporters(f"{signal}_exporter", chosen) if name != NONE)


def files_by_default(settings: Settings, environ: Mapping[str, str]) -> bool:
    """Tell whether a signal goes to a file because nobody chose anything."""
    return any(
        choice is None and exporter_names(signal, settings, environ) == (FILE,)
        for signal, choice in _choices(settings).items()
        if signal != LOGS or settings.events
    )


def _choices(settings: Settings) -> dict[str, tuple[str, ...] | None]:
    return {
        TRACES: settings.traces_exporter,
        METRICS: settings.metrics_exporter,
        LOGS: settings.logs_exporter,
    }


@dataclass(frozen=True)
class OtlpTarget:
    """Where and how one signal goes by OTLP.

    Attributes:
        protocol: ``http/protobuf`` or ``grpc``.
        endpoint: the full URL in force.
        argument: the same if it came from an argument; None lets OpenTelemetry's exporter read its variables.
    """

    protocol: str
    endpoint: str
    argument: str | None

    @property
    def shown(self) -> str:
        """The endpoint without user-info and query, which may hold a secret."""
        # What is no URL is cut by hand: gRPC takes `host:port`, and errors quote what is malformed.
        return safe_url(self.endpoint) or self.endpoint.rpartition("@")[2].partition("?")[0]


def otlp_target(signal: str, settings: Settings, environ: Mapping[str, str]) -> OtlpTarget:
    """Resolve protocol and endpoint: argument, then the signal's variable, then the common one.

    Raises:
        ConfigurationError: on an unknown protocol, or an endpoint that is no http(s) URL where one is needed.
    """
    protocol = _protocol(signal, settings, environ)
    path = "" if protocol == GRPC else f"/v1/{signal}"
    if settings.otlp_endpoint and settings.is_argument("otlp_endpoint"):
        argument = settings.otlp_endpoint.rstrip("/") + path
        name, target = "otlp_endpoint", OtlpTarget(protocol, argument, argument)
    elif own := environ.get(_ENDPOINT[signal]):
        name, target = _ENDPOINT[signal], OtlpTarget(protocol, own, None)
    else:
        base = environ.get(OTEL_EXPORTER_OTLP_ENDPOINT) or _DEFAULT_ENDPOINT[protocol]
        name, target = OTEL_EXPORTER_OTLP_ENDPOINT, OtlpTarget(protocol, base.rstrip("/") + path, None)
    _check_url(name, target)
    return target


def _protocol(signal: str, settings: Settings, environ: Mapping[str, str]) -> str:
    own = environ.get(_PROTOCOL[signal], "").strip()
    if not own or settings.is_argument("otlp_protocol"):
        return settings.otlp_protocol
    if own not in PROTOCOLS:
        raise ConfigurationError(
            f"{_PROTOCOL[signal]}={own!r} is not valid. Valid values: {', '.join(PROTOCOLS)}."
        )
    return own


def _check_url(name: str, target: OtlpTarget) -> None:
    try:
        parts = urlsplit(target.endpoint)
        _ = parts.port
    except ValueError:  # its text may hold a piece of a password
        raise ConfigurationError(
            f"{name}: the OTLP endpoint {target.shown!r} is no URL: look at its port. "
            "Example: http://localhost:4318."
        ) from None
    is_http = target.endpoint.lower().startswith(("http://", "https://")) and parts.hostname
    if target.protocol != GRPC and not is_http:
        raise ConfigurationError(
            f"{name}: the OTLP endpoint {target.shown!r} is no URL: it must start with http:// or https:// "
            "and a host, for example http://localhost:4318."
        )


def metric_interval_ms(settings: Settings, environ: Mapping[str, str]) -> float:
    """Return the time between two exports of metrics in milliseconds.

    OpenTelemetry's own variable goes before litespan's, but not before an argument.

    Raises:
        ConfigurationError: if that variable is no number above 0; OpenTelemetry's reader would raise.
    """
    own = environ.get(OTEL_METRIC_EXPORT_INTERVAL, "").strip()
    if own and not settings.is_argument("metric_interval"):
        return parse_wait(OTEL_METRIC_EXPORT_INTERVAL, own, 1000)
    return settings.metric_interval * 1000


def file_path(signal: str, settings: Settings) -> str:
    """Return the absolute path of a signal's file, so that a later change of directory does not move it."""
    files = {TRACES: settings.traces_file, METRICS: settings.metrics_file, LOGS: settings.logs_file}
    return os.path.abspath(files[signal])
