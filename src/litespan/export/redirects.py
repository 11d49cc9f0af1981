"""OpenTelemetry's exporters over HTTP, which take a redirection for success although nothing has arrived."""

from __future__ import annotations

import os
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, TypeVar

import requests

# Names what makes a session of the program's own, which is left as it is.
_PROVIDER: Final = "OTEL_PYTHON_EXPORTER_OTLP_HTTP_{}CREDENTIAL_PROVIDER"

T = TypeVar("T")


def refusing_redirects(exporter: Callable[..., T], signal: str, endpoint: str | None) -> Callable[[], T]:
    """Return what makes an exporter whose export fails where the receiver points elsewhere."""
    names = (_PROVIDER.format(""), _PROVIDER.format(f"{signal.upper()}_"))

    def make() -> T:
        own = any(os.environ.get(name) for name in names)
        return exporter(endpoint=endpoint, session=None if own else _session())

    return make


def _session() -> requests.Session:
    session = requests.Session()
    session.hooks["response"].append(_refuse)
    return session


def _refuse(response: requests.Response, *_: Any, **__: Any) -> None:
    if HTTPStatus.MULTIPLE_CHOICES <= response.status_code < HTTPStatus.BAD_REQUEST:
        raise requests.RequestException(f"the receiver redirects ({response.status_code})")
