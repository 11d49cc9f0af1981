"""OpenTelemetry's exporters over HTTP, which take a page that they were led to for success.

Most redirections turn a POST into a GET, so nothing has arrived there. Two keep it a POST, and are followed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, TypeVar

import requests

_STAYS_POST: Final = (HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT)
# Names what makes a session of the program's own, which is left as it is.
_PROVIDER: Final = "OTEL_PYTHON_EXPORTER_OTLP_HTTP_{}CREDENTIAL_PROVIDER"

T = TypeVar("T")


def refusing_redirects(exporter: Callable[..., T], signal: str, endpoint: str | None) -> Callable[[], T]:
    """Return what makes an exporter whose export fails where a redirection loses the data."""
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
    followed = response.is_redirect and response.status_code in _STAYS_POST
    if HTTPStatus.MULTIPLE_CHOICES <= response.status_code < HTTPStatus.BAD_REQUEST and not followed:
        raise requests.RequestException(f"the receiver redirects ({response.status_code})")
