"""OTLP collectors on loopback, over HTTP and gRPC, that decode what arrives with the official messages."""

from __future__ import annotations

import contextlib
import gzip
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, NamedTuple

import grpc
from google.protobuf import any_pb2
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import (
    LogsServiceServicer,
    add_LogsServiceServicer_to_server,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import (
    MetricsServiceServicer,
    add_MetricsServiceServicer_to_server,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.fakes.ports import free_port

# A number is the HTTP status of all answers; 413 goes to requests of more than ``limit`` items only.
Mode = Literal["ok", "black_hole", "400", "401", "404", "413", "429", "500", "503"]
Protocol = Literal["http/protobuf", "grpc"]


class Received:
    """What a collector got: requests, their items, and the headers of each request (lower-case names)."""

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self.endpoint = ""
        self.retry_after: str | None = None
        self.retry_info: Callable[[int], tuple[str, bytes]] = retry_in_details
        self.limit = 1
        self.rejected = 0
        self.refused = 0
        self.connections: list[socket.socket] = []
        self.headers: list[dict[str, str]] = []
        self.trace_requests: list[ExportTraceServiceRequest] = []
        self.metric_requests: list[ExportMetricsServiceRequest] = []
        self.log_requests: list[ExportLogsServiceRequest] = []
        self.arrived = threading.Event()
        self.released = threading.Event()

    def spans(self) -> list[Span]:
        """Return all spans, in the order of their arrival."""
        return [
            span
            for request in self.trace_requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def metrics(self) -> list[Metric]:
        """Return all metrics, in the order of their arrival: a metric comes again with each export."""
        return [
            metric
            for request in self.metric_requests
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]

    def logs(self) -> list[LogRecord]:
        """Return all log records, in the order of their arrival."""
        return [
            record
            for request in self.log_requests
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    def sum_of(self, name: str) -> float:
        """Return the value of a counter, summed over its attributes, as of the last export that has it."""
        newest = [metric for metric in self.metrics() if metric.name == name][-1]
        return sum(point.as_int or point.as_double for point in newest.sum.data_points)

    def refuses(self, items: int) -> bool:
        """Say whether a request is refused, and count it then."""
        refused = self.mode.isdecimal() and (self.mode != "413" or items > self.limit)
        self.refused += refused
        return refused

    def hold(self) -> None:
        """Note an arrival; in the mode ``black_hole``, keep the client waiting until the collector stops."""
        self.arrived.set()
        if self.mode == "black_hole":
            self.released.wait(30)


@contextmanager
def collector(
    protocol: Protocol = "http/protobuf", mode: Mode = "ok", port: int = 0, received: Received | None = None
) -> Iterator[Received]:
    """Run a collector; its ``endpoint`` is a base URL. When it stops, its connections end.

    One that comes back takes the ``port`` and what was ``received`` before.
    """
    received = received or Received(mode)
    stop = (_start_grpc if protocol == "grpc" else _start_http)(received, port)
    try:
        yield received
    finally:
        received.released.set()
        stop()


def retry_in_details(seconds: int) -> tuple[str, bytes]:
    """Return the trailer in which OTLP, and so a Collector, asks for time over gRPC."""
    detail = any_pb2.Any()
    detail.Pack(RetryInfo(retry_delay=Duration(seconds=seconds)))
    return "grpc-status-details-bin", Status(details=[detail]).SerializeToString()


def retry_alone(seconds: int) -> tuple[str, bytes]:
    """Return the trailer in which others do."""
    info = RetryInfo(retry_delay=Duration(seconds=seconds))
    return "google.rpc.retryinfo-bin", info.SerializeToString()


def dead_endpoint() -> str:
    """Return the base URL of a port on which nothing listens."""
    return f"http://127.0.0.1:{free_port()}"


def _start_http(received: Received, port: int) -> Callable[[], object]:
    class Handler(_HttpHandler):
        store = received

    server = _HttpServer(("127.0.0.1", port), Handler)
    received.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()
        while received.connections:
            # A process that dies takes its connections with it; here, threads would keep them.
            with contextlib.suppress(OSError):
                received.connections.pop().shutdown(socket.SHUT_RDWR)

    return stop


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print what went wrong, but not that a client was killed."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _HttpHandler(BaseHTTPRequestHandler):
    store: Received
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.store.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.store.hold()
        status, answer = self._keep(body)
        self.send_response(status)
        if self.store.retry_after:
            self.send_header("Retry-After", self.store.retry_after)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def setup(self) -> None:
        """Note the connection."""
        super().setup()
        self.store.connections.append(self.connection)

    def _keep(self, body: bytes) -> tuple[int, bytes]:
        """Return status and body of the answer."""
        kind = _KINDS.get(self.path)
        if kind is None:
            return 404, b""
        request = kind.request.FromString(body)
        if self.store.refuses(_count(request)):
            return int(self.store.mode), b""
        kind.requests(self.store).append(request)
        return 200, kind.response(self.store.rejected).SerializeToString()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


class _Kind(NamedTuple):
    """The messages of one signal, and where its requests are kept."""

    request: Any
    response: Callable[[int], Any]
    requests: Callable[[Received], list[Any]]


def _traces_answer(rejected: int) -> ExportTraceServiceResponse:
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = rejected
    return answer


def _metrics_answer(rejected: int) -> ExportMetricsServiceResponse:
    answer = ExportMetricsServiceResponse()
    answer.partial_success.rejected_data_points = rejected
    return answer


def _logs_answer(rejected: int) -> ExportLogsServiceResponse:
    answer = ExportLogsServiceResponse()
    answer.partial_success.rejected_log_records = rejected
    return answer


_KINDS = {
    "/v1/traces": _Kind(ExportTraceServiceRequest, _traces_answer, lambda store: store.trace_requests),
    "/v1/metrics": _Kind(ExportMetricsServiceRequest, _metrics_answer, lambda store: store.metric_requests),
    "/v1/logs": _Kind(ExportLogsServiceRequest, _logs_answer, lambda store: store.log_requests),
}


def _count(request: Any) -> int:
    """Return the number of spans, metrics or log records in a request."""
    if isinstance(request, ExportTraceServiceRequest):
        return sum(len(s.spans) for r in request.resource_spans for s in r.scope_spans)
    if isinstance(request, ExportMetricsServiceRequest):
        return sum(len(s.metrics) for r in request.resource_metrics for s in r.scope_metrics)
    return sum(len(s.log_records) for r in request.resource_logs for s in r.scope_logs)


def _start_grpc(received: Received, port: int) -> Callable[[], object]:
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    add_TraceServiceServicer_to_server(_Traces(received), server)
    add_MetricsServiceServicer_to_server(_Metrics(received), server)
    add_LogsServiceServicer_to_server(_Logs(received), server)
    received.endpoint = f"http://127.0.0.1:{server.add_insecure_port(f'127.0.0.1:{port}')}"
    server.start()
    return lambda: server.stop(0).wait()


_CODES = {
    "400": grpc.StatusCode.INVALID_ARGUMENT,
    "401": grpc.StatusCode.UNAUTHENTICATED,
    "404": grpc.StatusCode.UNIMPLEMENTED,
    "413": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "429": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "500": grpc.StatusCode.INTERNAL,
    "503": grpc.StatusCode.UNAVAILABLE,
}


def _admit(received: Received, request: Any, context: grpc.ServicerContext) -> None:
    received.headers.append({str(key).lower(): str(value) for key, value in context.invocation_metadata()})
    received.hold()
    if received.refuses(_count(request)):
        if received.retry_after:
            context.set_trailing_metadata((received.retry_info(int(received.retry_after)),))
        details = "Received message larger than max" if received.mode == "413" else "not now"
        context.abort(_CODES[received.mode], details)


class _Service:
    """What the services of all signals do with a request."""

    path: str

    def __init__(self, received: Received) -> None:
        self._received = received

    def Export(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the service's name for it
        kind = _KINDS[self.path]
        _admit(self._received, request, context)
        kind.requests(self._received).append(request)
        return kind.response(self._received.rejected)


class _Traces(_Service, TraceServiceServicer):
    path = "/v1/traces"


class _Metrics(_Service, MetricsServiceServicer):
    path = "/v1/metrics"


class _Logs(_Service, LogsServiceServicer):
    path = "/v1/logs"
