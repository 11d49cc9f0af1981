"""Send export requests over gRPC, one attempt at a time."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

from litespan.export.ledger import LOGS, METRICS, NOT_FOUND, REJECTED, TRACES, UNAUTHORIZED
from litespan.export.otlp.answer import Answer, Verdict
from litespan.export.otlp.options import OtlpOptions, read_pem
from litespan.export.otlp.requests_pb import rejected_items

_METHODS: Final = {
    TRACES: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    METRICS: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    LOGS: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
# https://opentelemetry.io/docs/specs/otlp/#failures lists the codes that pass.
_PASSING: Final = (
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
)
_LOSSES: Final = {
    grpc.StatusCode.UNAUTHENTICATED: UNAUTHORIZED,
    grpc.StatusCode.PERMISSION_DENIED: UNAUTHORIZED,
    grpc.StatusCode.UNIMPLEMENTED: NOT_FOUND,
}
_STATUS: Final = "grpc-status-details-bin"
_RETRY_INFO: Final = "google.rpc.retryinfo-bin"  # some send it alone


class GrpcSender:
    """Calls one receiver, such as ``http://localhost:4317``. Used by one thread at a time."""

    def __init__(self, signal: str, endpoint: str, options: OtlpOptions) -> None:
        self._signal = signal
        self._options = options
        parts = urlsplit(endpoint)
        self._address = parts.netloc or endpoint
        plain = parts.scheme == "http" if options.insecure is None else options.insecure
        self._secure = parts.scheme == "https" or not plain
        self._channel = self._open()

    def send(self, payload: bytes) -> Answer:
        """Try once; what the receiver or the network does becomes the answer."""
        call: Any = self._channel.unary_unary(_METHODS[self._signal])
        try:
            body = call(payload, timeout=self._options.timeout, metadata=tuple(self._options.headers.items()))
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                # A channel waits longer and longer before it connects again; a new one does so at once.
                failed, self._channel = self._channel, self._open()
                failed.close()
            return of_error(error)
        except ValueError:
            return Answer(Verdict.LATER, "ChannelClosed")
        return Answer(Verdict.SENT, rejected=rejected_items(self._signal, body))

    def close(self) -> None:
        """Close the connection, which ends an attempt that runs."""
        self._channel.close()

    def _open(self) -> grpc.Channel:
        gzip = self._options.compression == "gzip"
        compression = grpc.Compression.Gzip if gzip else grpc.Compression.NoCompression
        if not self._secure:
            return grpc.insecure_channel(self._address, compression=compression)
        return grpc.secure_channel(self._address, self._credentials(), compression=compression)

    def _credentials(self) -> grpc.ChannelCredentials:
        options = self._options
        return grpc.ssl_channel_credentials(
            read_pem(options.certificate), read_pem(options.client_key), read_pem(options.client_certificate)
        )


def of_error(error: Any) -> Answer:
    """Judge the status of a failed call."""
    code = error.code()
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in (error.details() or ""):
        return Answer(Verdict.SPLIT, code.name)
    if code in _PASSING:
        return Answer(Verdict.LATER, code.name, wait=_wait(error))
    return Answer(Verdict.NEVER, code.name, loss=_LOSSES.get(code, REJECTED))


def _wait(error: Any) -> float | None:
    """Return the seconds that a receiver asks for; None where it asks for none that can be read."""
    trailers = dict(error.trailing_metadata() or ())
    try:
        if _STATUS in trailers and (info := _in_details(Status.FromString(trailers[_STATUS]))):
            return _seconds(info)
        if _RETRY_INFO in trailers:
            return _seconds(RetryInfo.FromString(trailers[_RETRY_INFO]))
    except DecodeError:
        pass
    return None


def _in_details(status: Any) -> Any:
    """Return the wish among the details of a status, which is where OTLP has it; None if there is none."""
    info = RetryInfo()
    return next((info for detail in status.details if detail.Unpack(info)), None)


def _seconds(info: Any) -> float:
    return float(info.retry_delay.seconds + info.retry_delay.nanos / 1e9)
