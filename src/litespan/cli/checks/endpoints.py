"""Try the endpoint of a signal as configured; where that fails, really try what would work in its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from litespan.cli.checks import http_trial
from litespan.cli.checks.answers import SPOKEN, Answer, Kind
from litespan.cli.checks.grpc_trial import try_grpc
from litespan.cli.checks.tls_trial import speaks_http2, try_tls
from litespan.cli.checks.wires import Way, Wire
from litespan.export.choice import GRPC, HTTP

# Who speaks a protocol says so at once; only silence takes time.
_OTHER_WAY_SECONDS: Final = 2.0
_WAYS: Final = (Way(HTTP, tls=False), Way(GRPC, tls=False), Way(HTTP, tls=True), Way(GRPC, tls=True))
# Where receivers take OTLP when it is not at the root: Prometheus and Mimir, Grafana's gateways, others.
_PREFIXES: Final = ("", "/api/v1/otlp", "/otlp", "/opentelemetry")
_BY_A_PROXY: Final = frozenset({Kind.PROXY, Kind.BUSY, Kind.DENIED, Kind.UNREACHABLE, Kind.SILENT})


@dataclass(frozen=True, slots=True)
class Trial:
    """What is known of one signal's endpoint after trying it.

    Attributes:
        wire: how it is configured.
        answer: what came of it.
        spoken: another way that the other side speaks; None if none was found or looked for.
        path: another path that is there, for HTTP.
        direct: whether it answers when the environment's proxy is passed by.
    """

    wire: Wire
    answer: Answer
    spoken: Way | None = None
    path: str | None = None
    direct: bool = False


def try_endpoint(wire: Wire, timeout: float) -> Trial:
    """Try an endpoint. Takes a few times ``timeout`` (seconds) where nobody answers."""
    answer = _try_as_configured(wire, timeout)
    if answer.kind in _BY_A_PROXY and _answers_directly(wire, timeout):
        return Trial(wire, answer, direct=True)
    if answer.kind in (Kind.OTHER_LANGUAGE, Kind.SILENT):
        return Trial(wire, answer, spoken=_spoken(wire, min(timeout, _OTHER_WAY_SECONDS)))
    if answer.kind in (Kind.NO_SUCH_PATH, Kind.WEB_PAGE, Kind.REDIRECTED):
        return Trial(wire, answer, path=_path(wire, timeout))
    return Trial(wire, answer)


def _try_as_configured(wire: Wire, timeout: float) -> Answer:
    if wire.way.protocol == GRPC:
        return try_grpc(wire, timeout)
    answer = http_trial.try_http(wire, timeout)
    if answer.kind is Kind.OTHER_LANGUAGE and wire.way.tls:
        # A server that wants the client's certificate may hang up before its reason has been read.
        return try_tls(wire, timeout, verify=False)
    return answer


def _answers_directly(wire: Wire, timeout: float) -> bool:
    if wire.way.protocol == GRPC or not http_trial.is_proxied(wire):
        return False
    return http_trial.try_http(wire, timeout, credentials=False, proxies=False).kind in SPOKEN


def _spoken(wire: Wire, timeout: float) -> Way | None:
    """Return another way that is spoken there. Nothing secret is sent that way: nobody configured it."""
    for way in _WAYS:
        if way != wire.way and _speaks(replace(wire, way=way), timeout):
            return way
    return None


def _speaks(wire: Wire, timeout: float) -> bool:
    if wire.way.protocol == HTTP:
        return http_trial.try_http(wire, timeout, credentials=False).kind in SPOKEN
    if wire.way.tls:
        # Its certificate need not be trusted here, which gRPC itself cannot be told.
        return speaks_http2(wire, timeout)
    return try_grpc(wire, timeout, credentials=False).kind in SPOKEN


def _path(wire: Wire, timeout: float) -> str | None:
    if wire.way.protocol == GRPC:
        return None
    absent = (Kind.NO_SUCH_PATH, Kind.WEB_PAGE, Kind.REDIRECTED, Kind.REJECTED)
    for path in other_paths(wire.path, wire.signal):
        kind = http_trial.try_http(wire, timeout, path).kind
        if kind in SPOKEN and kind not in absent:
            return path
    return None


def other_paths(path: str, signal: str) -> Iterator[str]:
    """Yield where else a receiver may take this signal: without what was doubled, then at usual paths."""
    stem = path.rstrip("/")
    while (shorter := _without_signal(stem)) != stem:
        stem = shorter
    paths = (f"{start}/v1/{signal}" for start in (stem, *_PREFIXES))
    yield from dict.fromkeys(other for other in paths if other != path)


def _without_signal(path: str) -> str:
    for ending in ("/v1/traces", "/v1/metrics", "/v1/logs"):
        path = path.removesuffix(ending)
    return path
