"""Try an endpoint over gRPC, and what a bare connection says where gRPC only says that it failed."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from litespan.cli.checks.answers import Answer, Kind
from litespan.cli.checks.tls_trial import try_tls
from litespan.cli.checks.wires import Wire
from litespan.export.ledger import LOGS, METRICS, TRACES
from litespan.export.otlp.options import read_pem

if TYPE_CHECKING:
    import grpc

# Once there is a connection, HTTP/2 takes as long as one more exchange.
_READY_SECONDS: Final = 1.0
# gRPC reads them in small letters only.
_PROXIES: Final = ("grpc_proxy", "https_proxy", "http_proxy")
_DIRECT: Final = ("no_grpc_proxy", "no_proxy")


def is_proxied(host: str) -> bool:
    """Say whether the environment sends gRPC's connections to this host through a proxy."""
    if not any(os.environ.get(name) for name in _PROXIES):
        return False
    direct = next(filter(None, map(os.environ.get, _DIRECT)), "")
    return not any(host.endswith(name.strip()) for name in direct.split(",") if name.strip())


def try_grpc(wire: Wire, timeout: float, *, credentials: bool = True) -> Answer:
    """Send an export of nothing. ``timeout`` is in seconds. Without ``credentials`` no header is sent."""
    proxied = is_proxied(wire.host)
    fault = None if proxied else try_connection(wire, timeout)
    if fault is not None:
        return fault
    try:
        channel = _channel(wire)
    except OSError:
        return Answer(Kind.UNUSABLE, "a certificate file cannot be read")
    with channel:
        answer = _call(wire, channel, timeout, tuple(wire.headers.items()) if credentials else ())
    if answer.kind is Kind.OTHER_LANGUAGE and proxied:
        return Answer(Kind.PROXY)
    if answer.kind is Kind.OTHER_LANGUAGE and wire.way.tls:
        return try_tls(wire, timeout, verify=True)
    return answer


def try_connection(wire: Wire, timeout: float) -> Answer | None:
    """Connect within ``timeout`` (seconds) and hang up; return what failed."""
    try:
        socket.create_connection((wire.host, wire.port), timeout).close()
    except (socket.gaierror, UnicodeError):
        return Answer(Kind.NO_HOST)
    except ConnectionRefusedError:
        return Answer(Kind.REFUSED)
    except OSError:
        return Answer(Kind.UNREACHABLE)
    return None


def _channel(wire: Wire) -> grpc.Channel:
    import grpc

    if not wire.way.tls:
        return grpc.insecure_channel(wire.address)
    client, key = wire.client or (None, None)
    return grpc.secure_channel(
        wire.address,
        grpc.ssl_channel_credentials(read_pem(wire.certificate), read_pem(key), read_pem(client)),
    )


def _call(wire: Wire, channel: grpc.Channel, timeout: float, metadata: tuple[tuple[str, str], ...]) -> Answer:
    import grpc

    export, request = _service(wire.signal, channel)
    try:
        export(request, timeout=timeout, metadata=metadata)
    except grpc.RpcError as error:
        return _of_code(error.code(), spoken=_is_ready(channel, timeout))
    except ValueError:
        # Its text holds the header.
        return Answer(Kind.UNUSABLE, "a header is not valid")
    return Answer(Kind.ACCEPTED, "gRPC OK")


def _service(signal: str, channel: grpc.Channel) -> tuple[Callable[..., Any], Any]:
    from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

    stubs: dict[str, tuple[Callable[..., Any], Callable[[], Any]]] = {
        TRACES: (TraceServiceStub, traces.ExportTraceServiceRequest),
        METRICS: (MetricsServiceStub, metrics.ExportMetricsServiceRequest),
        LOGS: (LogsServiceStub, logs.ExportLogsServiceRequest),
    }
    stub, request = stubs[signal]
    return stub(channel).Export, request()


def _is_ready(channel: grpc.Channel, timeout: float) -> bool:
    """Say whether the other side speaks HTTP/2: gRPC gives one code for a server's no and for no server."""
    import grpc

    try:
        grpc.channel_ready_future(channel).result(timeout=min(timeout, _READY_SECONDS))
    except grpc.FutureTimeoutError:
        return False
    return True


def _of_code(code: grpc.StatusCode, *, spoken: bool) -> Answer:
    import grpc

    words = f"gRPC {code.name}"
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Answer(Kind.SILENT, words)
    if not spoken:
        return Answer(Kind.OTHER_LANGUAGE, words)
    kinds = {
        grpc.StatusCode.UNAUTHENTICATED: Kind.DENIED,
        grpc.StatusCode.PERMISSION_DENIED: Kind.DENIED,
        grpc.StatusCode.UNIMPLEMENTED: Kind.NO_SUCH_PATH,
        grpc.StatusCode.UNAVAILABLE: Kind.BUSY,
        grpc.StatusCode.RESOURCE_EXHAUSTED: Kind.BUSY,
    }
    return Answer(kinds.get(code, Kind.REJECTED), words)
