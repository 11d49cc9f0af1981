"""What a receiver answers and OpenTelemetry's own exporters do not read: redirections, and refused items.

They take a redirection over HTTP for success although nothing has arrived, and a batch of which the receiver
has refused a part (OTLP's partial success) for one that has arrived whole (opentelemetry 1.45.1).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, Final, TypeVar

import requests

from litespan.export.otlp.requests_pb import NAMES, rejected_items

# Names what makes a session of the program's own, which is left as it is.
_PROVIDER: Final = "OTEL_PYTHON_EXPORTER_OTLP_HTTP_{}CREDENTIAL_PROVIDER"
# Where the exporters over gRPC keep their connection, the client on it, and what makes that client.
_PARTS: Final = frozenset({"_channel", "_client", "_stub"})

T = TypeVar("T")
Tell = Callable[[int], object]
"""Is told the number of items that a receiver has refused out of a batch that it takes."""


def reading_http(
    exporter: Callable[..., T], signal: str, endpoint: str | None, tell: Tell
) -> Callable[[], T]:
    """Return what makes an exporter over HTTP; its export fails where the receiver points elsewhere."""
    names = (_PROVIDER.format(""), _PROVIDER.format(f"{signal.upper()}_"))

    def make() -> T:
        own = any(os.environ.get(name) for name in names)
        return exporter(endpoint=endpoint, session=None if own else _session(signal, tell))

    return make


def _session(signal: str, tell: Tell) -> requests.Session:
    session = requests.Session()
    session.hooks["response"].append(partial(_read, signal, tell))
    return session


def _read(signal: str, tell: Tell, response: requests.Response, **_: Any) -> None:
    if HTTPStatus.MULTIPLE_CHOICES <= response.status_code < HTTPStatus.BAD_REQUEST:
        raise requests.RequestException(f"the receiver redirects ({response.status_code})")
    if response.ok and response.content:
        tell(rejected_items(signal, response.content))


def reading_grpc(
    exporter: Callable[..., T], signal: str, endpoint: str | None, tell: Tell
) -> Callable[[], T]:
    """Return what makes an exporter over gRPC."""

    def make() -> T:
        made = exporter(endpoint=endpoint)
        parts = vars(made)
        if parts.keys() >= _PARTS:
            # It connects anew when the receiver was away, and makes another client then.
            parts["_stub"] = partial(_client, parts["_stub"], signal, tell)
            parts["_client"] = parts["_stub"](parts["_channel"])
        return made

    return make


def _client(stub: Callable[[Any], Any], signal: str, tell: Tell, channel: Any) -> Any:
    client = stub(channel)
    export = client.Export

    def read(*args: Any, **kwargs: Any) -> Any:
        answer = export(*args, **kwargs)
        tell(getattr(answer.partial_success, NAMES[signal].rejected))
        return answer

    client.Export = read
    return client
