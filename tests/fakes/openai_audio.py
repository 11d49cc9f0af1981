"""OpenAI's audio endpoints: `POST /v1/audio/speech` and `POST /v1/audio/transcriptions`."""

from __future__ import annotations

from collections.abc import Sequence

from litespan.testing.openai_common import OpenAIErrors, read_request
from litespan.testing.openai_wire import OpenAIWire
from litespan.testing.reply import Reply
from litespan.testing.wire import Arrival, Endpoint, Part, Request, encode

SPOKEN = b"canary audio" * 200
"""What every speech sounds like: samples of 16 bits, and easy to find where they must not be."""


class Speech(OpenAIErrors):
    """The speech endpoint: audio for a text."""

    operation = "speech"
    path = "/v1/audio/speech"

    def read(self, arrival: Arrival) -> Request:
        """Understand a request; the text is its message."""
        return read_request(arrival, self.operation, [arrival.json.get("input")])

    def whole(self, request: Request, reply: Reply) -> Part:
        """Write the audio as one body; the reply's text has no part in it."""
        return Part(SPOKEN)

    def events(self, request: Request, reply: Reply) -> list[Part]:
        """There is one body, which the client reads in pieces."""
        return [self.whole(request, reply)]


class Transcriptions(OpenAIErrors):
    """The transcription endpoint: the reply's text for whatever audio came in a form."""

    operation = "transcription"
    path = "/v1/audio/transcriptions"

    def read(self, arrival: Arrival) -> Request:
        """Understand a request; the size of the file is its message."""
        return read_request(arrival, self.operation, [arrival.json.get("file")])

    def whole(self, request: Request, reply: Reply) -> Part:
        """Write the text as one body."""
        return Part(encode({"text": reply.text}))

    def events(self, request: Request, reply: Reply) -> list[Part]:
        """There is one body."""
        return [self.whole(request, reply)]


class AudioWire(OpenAIWire):
    """The OpenAI wire with its audio endpoints."""

    def __init__(self) -> None:
        super().__init__()
        self.endpoints: Sequence[Endpoint] = (*self.endpoints, Speech(), Transcriptions())
