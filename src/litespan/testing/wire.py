"""What a wire is: the translation between HTTP bodies and `Request` / `Reply`. Pure, no I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from litespan.testing.reply import Mark, ProviderError, Reply, ServedUsage

FINISH: frozenset[Mark] = frozenset({"finish"})
USAGE: frozenset[Mark] = frozenset({"usage"})
END: frozenset[Mark] = frozenset({"done"})
LAST: frozenset[Mark] = frozenset({"finish", "usage"})
"""An event that tells both at once, as on wires without a separate usage event."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One HTTP request as it came in. The repr hides what can hold keys or prompts."""

    number: int
    path: str
    match: Mapping[str, str]
    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    json: Mapping[str, Any] = field(repr=False)

    def request(  # noqa: PLR0913 - keywords only, each one a field of the request
        self,
        *,
        wire: str,
        operation: str,
        model: str,
        stream: bool,
        wants_usage: bool = False,
        messages: Sequence[Any] = (),
        tools: Sequence[Any] = (),
    ) -> Request:
        """Make the request out of it that a wire has read: what all wires read alike is filled in."""
        return Request(
            number=self.number,
            wire=wire,
            operation=operation,
            path=self.path,
            model=model,
            stream=stream,
            wants_usage=wants_usage,
            attempt=int(self.headers.get("x-stainless-retry-count", "0")) + 1,
            messages=messages,
            tools=tools,
            headers=self.headers,
            query=self.query,
            json=self.json,
        )


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read by a wire.

    `number` counts the provider's requests from 1. `attempt` is 1 plus the client's own retry count (header
    `x-stainless-retry-count`), so 1 for clients that do not send it. `wants_usage` tells whether the client
    asked for the usage of a stream. Header names are in lower case. The repr hides what can hold keys or
    prompts.
    """

    number: int
    wire: str
    operation: str
    path: str
    model: str
    stream: bool
    wants_usage: bool
    attempt: int
    messages: Sequence[Any] = field(repr=False)
    tools: Sequence[Any] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(repr=False)
    json: Mapping[str, Any] = field(repr=False)

    def without_payload(self) -> Request:
        """Return a copy that holds no message, tool, header, query or body."""
        return replace(self, messages=(), tools=(), headers={}, query={}, json={})


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a response body, and what the client knows of the usage once it has read it."""

    data: bytes
    usage: ServedUsage | None = None
    marks: frozenset[Mark] = frozenset()


class Endpoint(Protocol):
    """One operation of a wire."""

    @property
    def operation(self) -> str:
        """`chat`, `embeddings`, `text_completion` or `responses`."""

    @property
    def path(self) -> str:
        """The path of its POST requests, as an aiohttp route pattern."""

    def read(self, arrival: Arrival) -> Request:
        """Understand a request."""

    def whole(self, request: Request, reply: Reply) -> Part:
        """Write the answer as one body."""

    def events(self, request: Request, reply: Reply) -> list[Part]:
        """Write the answer as the events of a stream."""

    def error(self, error: ProviderError) -> bytes:
        """Write the body of a failed answer."""

    def error_event(self, error: ProviderError) -> bytes:
        """Write the event with which a stream fails half way."""


class Wire(Protocol):
    """A provider's API: its endpoints under one base URL."""

    @property
    def name(self) -> str:
        """The name that `Provider.url` takes."""

    @property
    def base_path(self) -> str:
        """What a LiteLLM `api_base` holds after host and port."""

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """The operations that it serves."""


def encode(document: Any) -> bytes:
    """Write JSON the way providers do: compact, UTF-8."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def server_sent(document: Any, event: str | None = None) -> bytes:
    """Write one server-sent event."""
    prefix = b"" if event is None else b"event: " + event.encode() + b"\n"
    return prefix + b"data: " + encode(document) + b"\n\n"


def split(text: str, pieces: int) -> list[str]:
    """Cut a text into at most that many pieces of about equal length, none of them empty."""
    size = max(1, -(-len(text) // max(1, pieces)))
    return [text[start : start + size] for start in range(0, len(text), size)]
