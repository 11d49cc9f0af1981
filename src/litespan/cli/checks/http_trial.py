"""Try an endpoint over HTTP, with the library and the environment that OpenTelemetry's exporter uses."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from litespan.cli.checks.answers import Answer, Kind
from litespan.cli.checks.tls_trial import of_tls_error
from litespan.cli.checks.wires import Wire

if TYPE_CHECKING:
    import requests

_TYPE: Final = {"content-type": "application/x-protobuf", "user-agent": "litespan-doctor"}
_DENIED: Final = (401, 403, 407)
_NO_SUCH_PATH: Final = (404, 405)
_BUSY: Final = (408, 429, 500, 502, 503, 504)


def try_http(
    wire: Wire, timeout: float, path: str | None = None, *, credentials: bool = True, proxies: bool = True
) -> Answer:
    """Send an export of nothing. ``timeout`` is in seconds, for the connection and for the answer.

    Without ``credentials`` neither headers nor user-info is sent and certificates are not checked, so that
    a way can be tried that nobody configured. Without ``proxies`` the environment's are passed by.
    """
    import requests

    session = requests.Session()
    session.trust_env = proxies
    url = wire.url(path) if credentials else wire.shown(path)
    session.verify = wire.certificate or True
    session.cert = wire.client if credentials else None  # type: ignore[assignment] # a key may be in the same file
    headers = {**_TYPE, **(wire.headers if credentials else {})}
    with session:
        try:
            # Variables go before what a session says, but not before what a request says.
            verify = (None if wire.overruled_by else wire.certificate) if credentials else False
            return _of_response(_post(session, url, headers, timeout, verify=verify))
        except requests.exceptions.RequestException as error:
            return _of_error(error)
        except (OSError, ValueError):
            # A file of certificates that is missing or is none, or a header that cannot be sent.
            return Answer(Kind.UNUSABLE, "a certificate file or a header is not usable")


def is_proxied(wire: Wire) -> bool:
    """Say whether the environment sends requests to this host through a proxy."""
    from requests.utils import get_environ_proxies, select_proxy

    return select_proxy(wire.shown(), get_environ_proxies(wire.shown(), no_proxy=None)) is not None


def _post(
    session: requests.Session,
    url: str,
    headers: Mapping[str, str],
    timeout: float,
    *,
    verify: bool | str | None,
) -> requests.Response:
    import warnings

    with warnings.catch_warnings():
        # About certificates that are not checked, which is the intention.
        warnings.simplefilter("ignore")
        return session.post(
            url, data=b"", headers=dict(headers), timeout=timeout, verify=verify, allow_redirects=False
        )


def _of_response(response: requests.Response) -> Answer:
    kind = _kind_of_status(response.status_code)
    html = response.headers.get("content-type", "").startswith("text/html")
    if kind is Kind.ACCEPTED and html:
        kind = Kind.WEB_PAGE
    if kind is Kind.REJECTED and b"HTTPS" in response.content:
        # What servers with TLS say to plain HTTP.
        kind = Kind.OTHER_LANGUAGE
    return Answer(kind, f"HTTP {response.status_code}", _skew(response.headers.get("date")))


def _kind_of_status(status: int) -> Kind:
    if status in _DENIED:
        return Kind.DENIED
    if status in _NO_SUCH_PATH:
        return Kind.NO_SUCH_PATH
    if status in _BUSY:
        return Kind.BUSY
    by_hundred = {2: Kind.ACCEPTED, 3: Kind.REDIRECTED}
    return by_hundred.get(status // 100, Kind.REJECTED)


def _skew(date: str | None) -> float | None:
    try:
        return None if date is None else parsedate_to_datetime(date).timestamp() - time.time()
    except (TypeError, ValueError, OverflowError):
        return None


def _of_error(error: requests.exceptions.RequestException) -> Answer:
    """Sort a failure. Its text is never shown: it holds the URL."""
    causes = list(_causes(error))
    for tls in (cause for cause in causes if isinstance(cause, ssl.SSLError)):
        return of_tls_error(tls)
    for type_, kind in _kinds_of_errors():
        if any(isinstance(cause, type_) for cause in causes):
            return Answer(kind)
    if isinstance(error, ValueError):
        return Answer(Kind.UNUSABLE, "the URL or a header is not valid")
    return Answer(Kind.OTHER_LANGUAGE)


def _kinds_of_errors() -> tuple[tuple[type[BaseException], Kind], ...]:
    """Return what errors mean; the first that fits counts."""
    import requests
    from urllib3.exceptions import NewConnectionError

    return (
        (requests.exceptions.ProxyError, Kind.PROXY),
        (requests.exceptions.ConnectTimeout, Kind.UNREACHABLE),
        (requests.exceptions.Timeout, Kind.SILENT),
        (socket.gaierror, Kind.NO_HOST),
        (ConnectionRefusedError, Kind.REFUSED),
        (NewConnectionError, Kind.UNREACHABLE),
    )


def _causes(error: Any, depth: int = 6) -> Iterator[BaseException]:
    """Yield an error and what is inside it: requests and urllib3 wrap each other's."""
    yield error
    inside = (getattr(error, "reason", None), error.__cause__, error.__context__, *error.args)
    for cause in inside:
        if depth and isinstance(cause, BaseException):
            yield from _causes(cause, depth - 1)
