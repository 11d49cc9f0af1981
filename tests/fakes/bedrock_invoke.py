"""Bedrock's InvokeModel with Claude: Anthropic's bodies behind Amazon's paths and frames."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

from litespan.testing.reply import ProviderError, Reply
from litespan.testing.wire import Arrival, Part, Request, encode
from tests.fakes.anthropic_wire import Messages
from tests.fakes.event_stream import event, exception


class Invoke(Messages):
    """One of the two endpoints that take a model's own request and give its own answer."""

    def __init__(self, *, stream: bool) -> None:
        super().__init__()
        self._stream = stream
        self.path = "/model/{model}/invoke-with-response-stream" if stream else "/model/{model}/invoke"

    def read(self, arrival: Arrival) -> Request:
        """Understand a request; its path tells the model and the wish for a stream."""
        request = super().read(arrival)
        return replace(request, wire="bedrock", model=arrival.match["model"], stream=self._stream)

    def events(self, request: Request, reply: Reply) -> list[Part]:
        """Write Anthropic's events, each in a frame of its own."""
        return [replace(part, data=_framed(part.data)) for part in super().events(request, reply)]

    def error(self, error: ProviderError) -> bytes:
        """Write the body of a failed answer."""
        return encode({"message": error.message})

    def error_event(self, error: ProviderError) -> bytes:
        """Write the frame with which a stream fails half way."""
        return exception(error)


def _framed(server_sent: bytes) -> bytes:
    document = server_sent.partition(b"data: ")[2].strip()
    return event("chunk", {"bytes": b64encode(document).decode()})
