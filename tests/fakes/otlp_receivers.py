"""Receivers of OTLP that are set up otherwise than the program: TLS, credentials, odd paths, silence."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import trustme
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse


class Certificates:
    """An authority, and certificates that it signed for 127.0.0.1: a server's and a client's."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        server, client = authority.issue_cert("127.0.0.1"), authority.issue_cert("somebody@example.org")
        self.authority = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.authority)
        self.client = folder / "client.pem"
        client.private_key_and_cert_chain_pem.write_to_path(self.client)
        self.server = server
        self._ca = authority

    def context(self, *, of_clients: bool = False) -> ssl.SSLContext:
        """Return what a server needs; ``of_clients``: it wants a certificate of each client."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.configure_cert(context)
        if of_clients:
            self._ca.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def of_grpc(self) -> grpc.ServerCredentials:
        """Return what a gRPC server needs."""
        key = self.server.private_key_pem.bytes()
        chain = b"".join(blob.bytes() for blob in self.server.cert_chain_pems)
        return grpc.ssl_server_credentials([(key, chain)])


@dataclass
class Manners:
    """How an HTTP receiver behaves.

    ``statuses`` are by path, with ``status`` for all others; ``ahead`` is in seconds.
    """

    status: int = 404
    statuses: Mapping[str, int] = field(default_factory=dict)
    content_type: str = "application/x-protobuf"
    token: str | None = None
    ahead: float = 0
    tls: ssl.SSLContext | None = None


@dataclass
class Visits:
    """A receiver's address (host and port), and the path and headers of every request that it saw."""

    address: str
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


ALL_SIGNALS = {"/v1/traces": 200, "/v1/metrics": 200, "/v1/logs": 200}


@contextmanager
def http_receiver(manners: Manners) -> Iterator[Visits]:
    """Run a receiver over HTTP."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(manners))
    if manners.tls is not None:
        server.socket = manners.tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    with _serving(server) as visits:
        yield visits


@contextmanager
def _serving(server: ThreadingHTTPServer) -> Iterator[Visits]:
    server.daemon_threads = True
    visits = server.visits = Visits(f"127.0.0.1:{server.server_address[1]}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield visits
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(manners: Manners) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                self.close_connection = True  # a client that does not like the certificate hangs up

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            visits: Visits = self.server.visits  # type: ignore[attr-defined]
            visits.paths.append(self.path)
            visits.headers.append({name.lower(): value for name, value in self.headers.items()})
            body = b"<html>" if "html" in manners.content_type else b""
            self.send_response(_status(manners, self.path, self.headers.get("authorization")))
            self.send_header("Content-Type", manners.content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def date_time_string(self, timestamp: float | None = None) -> str:
            import time

            return formatdate(time.time() + manners.ahead, usegmt=True)

        def log_message(self, format: str, *args: Any) -> None:
            """Print nothing."""

    return Handler


def _status(manners: Manners, path: str, authorization: str | None) -> int:
    if manners.token is not None and authorization != f"Bearer {manners.token}":
        return 401
    return manners.statuses.get(path.partition("?")[0], manners.status)


@contextmanager
def odd_receiver(answer: bytes, drip: bytes = b"", pause: float = 0.0) -> Iterator[Visits]:
    """Answer each request with these bytes; then with the ``drip``, at a ``pause`` (seconds), for ever."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            visits.paths.append(self.path)
            with suppress(OSError):  # the client has had enough
                self.wfile.write(answer)
                while drip and not stopped.wait(pause):
                    self.wfile.write(drip)

        def log_message(self, format: str, *args: Any) -> None:
            """Print nothing."""

    stopped = threading.Event()
    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as visits:
        try:
            yield visits
        finally:
            stopped.set()


@contextmanager
def grpc_receiver(
    certificates: Certificates | None = None, code: grpc.StatusCode = grpc.StatusCode.OK
) -> Iterator[str]:
    """Run a receiver of traces over gRPC that answers with one code; yields host and port."""
    server = grpc.server(ThreadPoolExecutor(max_workers=2))

    def export(request: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_code(code)
        return ExportTraceServiceResponse().SerializeToString()

    service = "opentelemetry.proto.collector.trace.v1.TraceService"
    handlers: dict[str, Any] = {"Export": grpc.unary_unary_rpc_method_handler(export)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    if certificates is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", certificates.of_grpc())
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait()


@contextmanager
def silent_receiver() -> Iterator[str]:
    """Listen and never answer; yields host and port. The kernel takes the connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
