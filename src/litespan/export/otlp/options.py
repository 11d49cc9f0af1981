"""OpenTelemetry's variables about how to send, such as headers and certificates, for one signal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from opentelemetry.util.re import parse_env_headers

from litespan.settings import ConfigurationError

COMPRESSIONS: Final = ("none", "gzip", "deflate")
_DEFAULT_TIMEOUT: Final = 10.0


class OtlpOptions(NamedTuple):
    """How to send.

    Attributes:
        headers: sent along; names in lower case.
        timeout: seconds for one attempt.
        compression: ``none``, ``gzip`` or ``deflate``.
        certificate: path of the certificates to trust; None for the usual ones.
        client_certificate: path of the certificate to show.
        client_key: path of its key.
        insecure: gRPC without TLS; None leaves it to the endpoint's scheme.
    """

    headers: Mapping[str, str]
    timeout: float = _DEFAULT_TIMEOUT
    compression: str = "none"
    certificate: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    insecure: bool | None = None


def otlp_options(signal: str, environ: Mapping[str, str]) -> OtlpOptions:
    """Read the variables of a signal, such as ``OTEL_EXPORTER_OTLP_TRACES_HEADERS``, then the common ones.

    Raises:
        ConfigurationError: on an unknown compression, or a timeout that is no number above 0.
    """

    def value(name: str) -> str | None:
        own, common = f"OTEL_EXPORTER_OTLP_{signal.upper()}_{name}", f"OTEL_EXPORTER_OTLP_{name}"
        return environ.get(own, "").strip() or environ.get(common, "").strip() or None

    insecure = value("INSECURE")
    return OtlpOptions(
        headers=parse_env_headers(value("HEADERS") or "", liberal=True),
        timeout=_timeout(value("TIMEOUT")),
        compression=_compression(value("COMPRESSION")),
        certificate=value("CERTIFICATE"),
        client_certificate=value("CLIENT_CERTIFICATE"),
        client_key=value("CLIENT_KEY"),
        insecure=None if insecure is None else insecure.lower() == "true",
    )


def _timeout(text: str | None) -> float:
    try:
        seconds = float(text) if text else _DEFAULT_TIMEOUT
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ConfigurationError(
            f"OTEL_EXPORTER_OTLP_TIMEOUT={text!r} must be a number of seconds greater than 0."
        )
    return seconds


def _compression(text: str | None) -> str:
    name = (text or "none").lower()
    if name not in COMPRESSIONS:
        raise ConfigurationError(
            f"OTEL_EXPORTER_OTLP_COMPRESSION={text!r} is not valid. Valid values: {', '.join(COMPRESSIONS)}."
        )
    return name
