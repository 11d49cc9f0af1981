"""OTLP collectors on loopback, over HTTP and gRPC, that decode what arrives with the official messages."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import grpc
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

Mode = Literal["ok", "black_hole", "503"]
Protocol = Literal["http/protobuf", "grpc"]


class Received:
    """What a collector got: requests, their items, and the headers of each request (lower-case names)."""

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self.endpoint = ""
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

    def hold(self) -> None:
        """Note an arrival; in the mode ``black_hole``, keep the client waiting until the collector stops."""
        self.arrived.set()
        if self.mode == "black_hole":
            self.released.wait(30)


@contextmanager
def collector(protocol: Protocol = "http/protobuf", mode: Mode = "ok") -> Iterator[Received]:
    """Run a collector; its ``endpoint`` is a base URL. It refuses everything in the mode ``503``."""
    received = Received(mode)
    stop = (_start_grpc if protocol == "grpc" else _start_http)(received)
    try:
        yield received
    finally:
        received.released.set()
        stop()


def dead_endpoint() -> str:
    """Return the base URL of a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def _start_http(received: Received) -> Callable[[], object]:
    class Handler(_HttpHandler):
        store = received

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    received.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


class _HttpHandler(BaseHTTPRequestHandler):
    store: Received
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.store.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.store.hold()
        status = 503 if self.store.mode == "503" else self._keep(body)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _keep(self, body: bytes) -> int:
        if self.path == "/v1/traces":
            self.store.trace_requests.append(ExportTraceServiceRequest.FromString(body))
        elif self.path == "/v1/metrics":
            self.store.metric_requests.append(ExportMetricsServiceRequest.FromString(body))
        elif self.path == "/v1/logs":
            self.store.log_requests.append(ExportLogsServiceRequest.FromString(body))
        else:
            return 404
        return 200

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


def _start_grpc(received: Received) -> Callable[[], object]:
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    add_TraceServiceServicer_to_server(_Traces(received), server)
    add_MetricsServiceServicer_to_server(_Metrics(received), server)
    add_LogsServiceServicer_to_server(_Logs(received), server)
    received.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    return lambda: server.stop(0).wait()


def _admit(received: Received, context: grpc.ServicerContext) -> None:
    received.headers.append({str(key).lower(): str(value) for key, value in context.invocation_metadata()})
    received.hold()
    if received.mode == "503":
        context.abort(grpc.StatusCode.UNAVAILABLE, "not now")


class _Traces(TraceServiceServicer):
    def __init__(self, received: Received) -> None:
        self._received = received

    def Export(  # noqa: N802 - the name in the service's definition
        self, request: ExportTraceServiceRequest, context: grpc.ServicerContext
    ) -> ExportTraceServiceResponse:
        _admit(self._received, context)
        self._received.trace_requests.append(request)
        return ExportTraceServiceResponse()


class _Metrics(MetricsServiceServicer):
    def __init__(self, received: Received) -> None:
        self._received = received

    def Export(  # noqa: N802 - the name in the service's definition
        self, request: ExportMetricsServiceRequest, context: grpc.ServicerContext
    ) -> ExportMetricsServiceResponse:
        _admit(self._received, context)
        self._received.metric_requests.append(request)
        return ExportMetricsServiceResponse()


class _Logs(LogsServiceServicer):
    def __init__(self, received: Received) -> None:
        self._received = received

    def Export(  # noqa: N802 - the name in the service's definition
        self, request: ExportLogsServiceRequest, context: grpc.ServicerContext
    ) -> ExportLogsServiceResponse:
        _admit(self._received, context)
        self._received.log_requests.append(request)
        return ExportLogsServiceResponse()
