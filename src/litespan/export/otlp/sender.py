"""A sender for a target, whatever its protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from litespan.export.choice import GRPC
from litespan.export.otlp.answer import Answer
from litespan.export.otlp.options import OtlpOptions


class Sender(Protocol):
    """Something that sends export requests of one signal."""

    def send(self, payload: bytes) -> Answer:
        """Try once to send a request, given as protobuf."""

    def close(self) -> None:
        """Close connections."""


def sender_of(protocol: str) -> Callable[[str, str, OtlpOptions], Sender]:
    """Return what makes a sender of a signal to an endpoint; only the library that it needs is imported."""
    if protocol == GRPC:
        from litespan.export.otlp.grpc_sender import GrpcSender

        return GrpcSender
    from litespan.export.otlp.http_sender import HttpSender

    return HttpSender
