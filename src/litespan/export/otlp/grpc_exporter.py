"""OpenTelemetry's exporters over gRPC, and what they do not tell of a receiver's answer.

They take a batch of which the receiver has refused a part for one that has arrived whole, and of a refusal
they say only that it failed (opentelemetry 1.45.1).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

import grpc

from litespan.export.ledger import ExportLedger
from litespan.export.otlp.answer import note
from litespan.export.otlp.grpc_sender import of_error
from litespan.export.otlp.requests_pb import NAMES

# Where an exporter keeps its connection, the client on it, and what makes that client.
_PARTS: Final = frozenset({"_channel", "_client", "_stub"})

T = TypeVar("T")


def telling(
    exporter: Callable[..., T], signal: str, endpoint: str | None, ledger: ExportLedger
) -> Callable[[], T]:
    """Return what makes an exporter that tells the ledger, if it is built as the one that was tried."""

    def make() -> T:
        made = exporter(endpoint=endpoint)
        parts = vars(made)
        if parts.keys() >= _PARTS:
            # It connects anew when the receiver was away, and makes another client then.
            parts["_stub"] = partial(_client, parts["_stub"], signal, ledger)
            parts["_client"] = parts["_stub"](parts["_channel"])
        return made

    return make


def _client(stub: Callable[[Any], Any], signal: str, ledger: ExportLedger, channel: Any) -> Any:
    client = stub(channel)
    export = client.Export

    def read(*args: Any, **kwargs: Any) -> Any:
        try:
            answer = export(*args, **kwargs)
        except grpc.RpcError as error:
            note(of_error(error), ledger)
            raise
        ledger.reject_part(getattr(answer.partial_success, NAMES[signal].rejected))
        return answer

    client.Export = read
    return client
