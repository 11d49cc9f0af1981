"""The lines that mend an endpoint, by what came of trying it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from litespan.cli.checks.answers import Kind
from litespan.cli.checks.endpoints import Trial
from litespan.cli.checks.wires import Way, Wire
from litespan.export.choice import GRPC

_COMMON: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_GRPC_PORT: Final = 4317
_HTTP_PORT: Final = 4318
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def of(trial: Trial) -> tuple[str, ...]:
    """Return what mends it; every value in it is free of secrets."""
    if trial.direct:
        return tuple(_no_proxy(trial))
    return tuple(_REMEDIES[trial.answer.kind](trial))


def _busy(trial: Trial) -> Iterator[str]:
    yield f"Look into the log of the receiver at {trial.wire.address}."


def _denied(trial: Trial) -> Iterator[str]:
    own = f"OTEL_EXPORTER_OTLP_{trial.wire.signal.upper()}_HEADERS"
    sent = ", ".join(sorted(trial.wire.headers)) or "none"
    yield f"export OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20TOKEN'  # or {own}; sent now: {sent}"


def _other_language(trial: Trial) -> Iterator[str]:
    wire, spoken = trial.wire, trial.spoken
    if spoken is None:
        yield f"Look what listens at {wire.address}, or name another: {_example(wire)}"
        return
    if spoken.protocol != wire.way.protocol:
        yield f"export {wire.protocol_variable}={spoken.protocol}{_or_port(wire)}"
    if spoken.tls != wire.way.tls and wire.scheme == spoken.scheme:
        # The scheme is right, so a variable has switched TLS on.
        yield "export OTEL_EXPORTER_OTLP_INSECURE=true"
    elif spoken.tls != wire.way.tls or _lacks_path(wire, spoken):
        yield f"export {wire.variable}={_endpoint(wire, spoken)}"


def _or_port(wire: Wire) -> str:
    return f"  # or the port for {wire.way.words} in {wire.variable}, usually {_usual_port(wire)}"


def _usual_port(wire: Wire) -> int:
    return _GRPC_PORT if wire.way.protocol == GRPC else _HTTP_PORT


def _lacks_path(wire: Wire, spoken: Way) -> bool:
    """Say whether an endpoint for gRPC would be used as it is for HTTP, which needs a path."""
    return wire.way.protocol == GRPC and spoken.protocol != GRPC and wire.variable != _COMMON


def _endpoint(wire: Wire, way: Way) -> str:
    """Return the value for the endpoint's variable when only the way changes."""
    ending = f"/v1/{wire.signal}"
    if way.protocol == GRPC:
        return wire.shown("", way)
    path = wire.path or ending
    return wire.shown(path.removesuffix(ending) if wire.variable == _COMMON else path, way)


def _other_path(trial: Trial) -> Iterator[str]:
    wire, path = trial.wire, trial.path
    own = f"OTEL_EXPORTER_OTLP_{wire.signal.upper()}_ENDPOINT"
    if path is not None:
        stem = path.removesuffix(f"/v1/{wire.signal}")
        if _is_doubled(wire, stem):
            yield f"export {_COMMON}={wire.shown(stem)}  # /v1/{wire.signal} is added to it"
        else:
            yield f"export {own}={wire.shown(path)}"
        return
    if wire.path.endswith("/otlp/v1/metrics"):
        yield "Start Prometheus with --web.enable-otlp-receiver."
    exporter = f"OTEL_{wire.signal.upper()}_EXPORTER"
    yield f"export {exporter}=none  # if it takes no {wire.signal}; else name one that does in {own}"


def _web_page(trial: Trial) -> Iterator[str]:
    if trial.path is not None:
        yield from _other_path(trial)
        return
    receiver = replace(trial.wire, port=_usual_port(trial.wire))
    yield f"Name the receiver's port, not that of a web page; {receiver.port} is usual: {_example(receiver)}"


def _is_doubled(wire: Wire, stem: str) -> bool:
    """Say whether the common endpoint holds the path of a signal, to which a signal's is added."""
    return wire.variable == _COMMON and wire.path.startswith(f"{stem}/v1/") and wire.path.count("/v1/") > 1


def _start(trial: Trial) -> Iterator[str]:
    where = " (in a container, localhost is the container)" if trial.wire.host in _LOOPBACK else ""
    yield f"Start the receiver there, or correct the address{where}: {_example(trial.wire)}"


def _correct(trial: Trial) -> Iterator[str]:
    yield f"Correct the address, or let this machine reach it: {_example(trial.wire)}"


def _example(wire: Wire) -> str:
    port = wire.port if wire.has_port else _usual_port(wire)
    path = "" if wire.variable == _COMMON else wire.path
    return f"export {wire.variable}={wire.way.scheme}://HOST:{port}{path}"


def _trust(trial: Trial) -> Iterator[str]:
    overruling = trial.wire.overruled_by
    if overruling is not None:
        yield f"unset {overruling}  # it goes before OTEL_EXPORTER_OTLP_CERTIFICATE"
        return
    yield "export OTEL_EXPORTER_OTLP_CERTIFICATE=/path/to/ca.pem  # of who signed it, for this host"


def _show_certificate(trial: Trial) -> Iterator[str]:
    yield "export OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=/path/to/client.pem"
    yield "export OTEL_EXPORTER_OTLP_CLIENT_KEY=/path/to/client.key"


def _rejected(trial: Trial) -> Iterator[str]:
    address = trial.wire.address
    yield f"Look into the log of what listens at {address}, or correct the address: {_example(trial.wire)}"


def _unusable(trial: Trial) -> Iterator[str]:
    yield "ls -l $OTEL_EXPORTER_OTLP_CERTIFICATE $OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE  # are they there?"
    yield "Headers in OTEL_EXPORTER_OTLP_HEADERS have to be ASCII."


def _no_proxy(trial: Trial) -> Iterator[str]:
    # gRPC reads it in small letters only.
    name = "no_proxy" if trial.wire.way.protocol == GRPC else "NO_PROXY"
    yield f'export {name}="${name},{trial.wire.host}"  # or correct the proxy'


_REMEDIES: Final[Mapping[Kind, Callable[[Trial], Iterator[str]]]] = {
    Kind.BUSY: _busy,
    Kind.DENIED: _denied,
    Kind.NO_SUCH_PATH: _other_path,
    Kind.REDIRECTED: _other_path,
    Kind.WEB_PAGE: _web_page,
    Kind.REJECTED: _rejected,
    Kind.OTHER_LANGUAGE: _other_language,
    Kind.SILENT: _other_language,
    Kind.UNTRUSTED: _trust,
    Kind.WANTS_CERTIFICATE: _show_certificate,
    Kind.REFUSED: _start,
    Kind.UNREACHABLE: _correct,
    Kind.NO_HOST: _correct,
    Kind.PROXY: _no_proxy,
    Kind.UNUSABLE: _unusable,
}
