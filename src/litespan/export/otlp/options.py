"""OpenTelemetry's variables about how to send, such as headers and certificates, for one signal."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeVar

from opentelemetry.util.re import parse_env_headers

from litespan.settings import ConfigurationError

PREFIX: Final = "OTEL_EXPORTER_OTLP"
COMPRESSIONS: Final = ("none", "gzip", "deflate")
_DEFAULT_TIMEOUT: Final = 10.0

T = TypeVar("T")


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
        ConfigurationError: on an unknown compression, a timeout that is no number above 0, or a file that
            cannot be read.
    """

    def read(name: str, parse: Callable[[str, str], T], default: T) -> T:
        variable = given(environ, signal, name)
        return default if variable is None else parse(variable, environ[variable].strip())

    return OtlpOptions(
        headers=read("HEADERS", _headers, {}),
        timeout=read("TIMEOUT", _timeout, _DEFAULT_TIMEOUT),
        compression=read("COMPRESSION", _compression, "none"),
        certificate=read("CERTIFICATE", _file, None),
        client_certificate=read("CLIENT_CERTIFICATE", _file, None),
        client_key=read("CLIENT_KEY", _file, None),
        insecure=read("INSECURE", _flag, None),
    )


def given(environ: Mapping[str, str], signal: str, name: str) -> str | None:
    """Return which variable gives this: the signal's own, else the common one; None if none is set."""
    for variable in (f"{PREFIX}_{signal.upper()}_{name}", f"{PREFIX}_{name}"):
        if environ.get(variable, "").strip():
            return variable
    return None


def _headers(_: str, text: str) -> Mapping[str, str]:
    return parse_env_headers(text, liberal=True)


def _timeout(variable: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ConfigurationError(f"{variable}={text!r} must be a number of seconds greater than 0.")
    return seconds


def _compression(variable: str, text: str) -> str:
    if text.lower() not in COMPRESSIONS:
        raise ConfigurationError(
            f"{variable}={text!r} is not valid. Valid values: {', '.join(COMPRESSIONS)}."
        )
    return text.lower()


def _file(variable: str, path: str) -> str:
    # Not opened: over HTTP, it may also be a folder of certificates.
    if not os.access(path, os.R_OK):
        raise ConfigurationError(
            f"{variable}={path!r} cannot be read. Name a PEM file that is there and that this user may read."
        )
    return path


def _flag(_: str, text: str) -> bool:
    return text.lower() == "true"
