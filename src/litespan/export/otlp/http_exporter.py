"""OpenTelemetry's exporters over HTTP, and what they do not tell of a receiver's answer.

They take a redirection for success although nothing has arrived, and a batch of which the receiver has
refused a part for one that has arrived whole. Of a refusal they say only that it failed (opentelemetry
1.45.1).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, Final, TypeVar

import requests

from litespan.export.ledger import ExportLedger
from litespan.export.otlp.answer import note, of_status
from litespan.export.otlp.requests_pb import rejected_items

# Names what makes a session of the program's own, which is left as it is.
_PROVIDER: Final = "OTEL_PYTHON_EXPORTER_OTLP_HTTP_{}CREDENTIAL_PROVIDER"

T = TypeVar("T")


def telling(
    exporter: Callable[..., T], signal: str, endpoint: str | None, ledger: ExportLedger
) -> Callable[[], T]:
    """Return what makes an exporter that tells the ledger; it fails where the receiver points elsewhere."""
    names = (_PROVIDER.format(""), _PROVIDER.format(f"{signal.upper()}_"))

    def make() -> T:
        own = any(os.environ.get(name) for name in names)
        return exporter(endpoint=endpoint, session=None if own else _session(signal, ledger))

    return make


def _session(signal: str, ledger: ExportLedger) -> requests.Session:
    session = requests.Session()
    session.hooks["response"].append(partial(_read, signal, ledger))
    return session


def _read(signal: str, ledger: ExportLedger, response: requests.Response, **_: Any) -> None:
    status = response.status_code
    rejected = rejected_items(signal, response.content) if response.ok else 0
    note(of_status(status, rejected=rejected), ledger)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise requests.RequestException(f"the receiver redirects ({status})")
