"""An OTLP receiver that keeps what programs send, as they sent it."""

from __future__ import annotations

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Receiver:
    """Listens on a free port of this machine for the time of a ``with`` block.

    Attributes:
        url: the base URL for programs (OTLP over HTTP).
        bodies: the requests' bodies by path, in the order in which they came.
    """

    def __init__(self) -> None:
        self.bodies: dict[str, list[bytes]] = {"/v1/traces": [], "/v1/metrics": []}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def traces(self) -> list[ExportTraceServiceRequest]:
        """The requests with spans."""
        return [ExportTraceServiceRequest.FromString(body) for body in self.bodies["/v1/traces"]]

    @property
    def metrics(self) -> list[ExportMetricsServiceRequest]:
        """The requests with metrics."""
        return [ExportMetricsServiceRequest.FromString(body) for body in self.bodies["/v1/metrics"]]

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                bodies[self.path].append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Keep the terminal for the figures."""

        return Handler
