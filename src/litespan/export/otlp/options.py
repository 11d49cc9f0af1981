"""OpenTelemetry's variables about how to send, such as headers and certificates, for one signal."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeVar

from opentelemetry.util.re import parse_env_headers

from litespan.setting_checks import ConfigurationError, parse_wait

PREFIX: Final = "OTEL_EXPORTER_OTLP"
COMPRESSIONS: Final = ("none", "gzip", "deflate")
_DEFAULT_TIMEOUT: Final = 10.0
# RFC 9110: a name is a token; text is of Latin-1 and has no line break.
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TEXT: Final = re.compile(r"[^\0\r\n\u0100-\U0010ffff]*")
OF_HEADERS: Final = "a name has no spaces, and a value is text of Latin-1 on one line"

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
        ConfigurationError: on headers that are not name=value, an unknown compression, a timeout that is no
            number above 0, or a file that cannot be read. It quotes no header, which may be a secret.
    """

    def read(name: str, parse: Callable[[str, str], T], default: T) -> T:
        variable = given(environ, signal, name)
        return default if variable is None else parse(variable, environ[variable].strip())

    return OtlpOptions(
        headers=read("HEADERS", _headers, {}),
        timeout=read("TIMEOUT", parse_wait, _DEFAULT_TIMEOUT),
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


def read_pem(path: str | None) -> bytes | None:
    """Return what a file of certificates or keys holds; None where none is named.

    Raises:
        OSError: if it cannot be read.
    """
    if path is None:
        return None
    with open(path, "rb") as file:
        return file.read()


def unread_headers(text: str) -> int:
    """Count the entries of a variable of headers that are malformed, which OpenTelemetry leaves out."""
    entries = [entry for entry in text.split(",") if entry.strip()]
    # OpenTelemetry logs a malformed header as it is, and it may be a secret.
    logger = logging.getLogger("opentelemetry.util.re")
    before, logger.disabled = logger.disabled, True
    try:
        return sum(not parse_env_headers(entry, liberal=True) for entry in entries)
    finally:
        logger.disabled = before


def is_header(name: str, value: str) -> bool:
    """Say whether HTTP can carry a header."""
    return bool(_NAME.fullmatch(name) and _TEXT.fullmatch(value))


def _headers(variable: str, text: str) -> Mapping[str, str]:
    if broken := unread_headers(text):
        raise ConfigurationError(
            f"{variable}: {broken} of its entries cannot be read, because they are not name=value. "
            f"Example: {variable}='name=value,other=value'; %20 is a space, %2C a comma."
        )
    headers = parse_env_headers(text, liberal=True)
    if not all(is_header(name, value) for name, value in headers.items()):
        raise ConfigurationError(f"{variable} has a header that HTTP cannot carry: {OF_HEADERS}.")
    return headers


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
