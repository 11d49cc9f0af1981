"""What a fake model answers, in words that no wire owns.

A `Reply` says what the model produced, what the provider reports and bills for it, and what goes wrong on
the way. The wires turn it into bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

Mark = Literal["finish", "usage", "done"]
"""A place in a stream: the finish reason, the final usage, the end marker."""


_EXCLUSIVE = ("error_after", "cut_after", "cut_before", "raw_body", "hang", "stall_after")


@dataclass(frozen=True, slots=True)
class ServedUsage:
    """Tokens of one call, as a provider counts them.

    `input_tokens` includes the three cache parts, `output_tokens` includes the reasoning. Cache writes are
    split by lifetime: `cache_write_tokens` live five minutes, `cache_write_1h_tokens` one hour.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: ServedUsage) -> ServedUsage:
        """Add two usages, field by field."""
        return ServedUsage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.cache_write_1h_tokens + other.cache_write_1h_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
        )


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model asks for. Without an `id` the wire makes one from the call's number."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderError:
    """A failed answer: HTTP status and what the provider's error body says."""

    status: int = 500
    code: str | None = "server_error"
    message: str = "The fake provider was told to fail."
    type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Reply:
    """One scripted answer.

    What the model produces:
        text, tool_calls, reasoning, refusal: parts of the answer.
        finish_reason: in OpenAI's words (`stop`, `length`, `tool_calls`, `content_filter`); derived if None.
        model: the model name in the answer; the requested one if None.
        embedding: the vector given for each input of an embeddings call.

    What the provider reports:
        usage: the tokens; None means that the provider reports none.
        cost: USD, written as `usage.cost` by the OpenAI chat wire, the way some gateways do.
        system_fingerprint, service_tier, logprobs: the fields of those names, where the wire has them.
        headers: extra response headers.

    How it travels:
        delay: seconds before the first byte of the response, its headers included.
        chunk_delay: seconds between two events of a stream.
        pieces: how many deltas a stream makes of each text.
        chunked: False gives a body that only the closing of the connection ends.

    What goes wrong:
        error: a failed answer, with its HTTP status.
        error_after: the status is 200 instead, and the error comes inside the stream after that many events.
        cut_after: the connection closes after that many stream events.
        cut_before: the connection closes just before that place of the stream. Where a wire has no end
            marker, `done` is the end of the body: all events arrive, the proper end does not.
        raw_body: sent in place of the answer, with `text/html` unless `headers` say otherwise.
        hang: no byte is ever sent; ends when the client goes.
        stall_after: the stream stops after that many events; ends when the client goes.

    A cut of an answer that is no stream sends the headers and half of the body. Raises ValueError for faults
    that exclude each other.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str = ""
    refusal: str | None = None
    finish_reason: str | None = None
    model: str | None = None
    embedding: tuple[float, ...] = (0.25, -0.5, 1.0)
    usage: ServedUsage | None = ServedUsage(input_tokens=12, output_tokens=7)
    cost: float | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    logprobs: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    chunk_delay: float = 0.0
    pieces: int = 3
    chunked: bool = True
    error: ProviderError | None = None
    error_after: int | None = None
    cut_after: int | None = None
    cut_before: Mark | None = None
    raw_body: bytes | None = None
    hang: bool = False
    stall_after: int | None = None

    def __post_init__(self) -> None:
        """Refuse faults that exclude each other."""
        values = {name: getattr(self, name) for name in _EXCLUSIVE}
        chosen = [name for name, value in values.items() if value is not None and value is not False]
        if len(chosen) > 1:
            raise ValueError(f"a reply can have only one of these faults: {', '.join(chosen)}")
        if self.error_after is not None and self.error is None:
            raise ValueError("error_after needs an error")

    def __repr__(self) -> str:
        """Show what differs from an empty reply."""
        blank = Reply()
        names = [item.name for item in fields(self) if getattr(self, item.name) != getattr(blank, item.name)]
        return f"Reply({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    @classmethod
    def says(cls, text: str, **fields: Any) -> Reply:
        """Answer with text."""
        return cls(text=text, **fields)

    @classmethod
    def calls(cls, *tool_calls: ToolCall, **fields: Any) -> Reply:
        """Ask for tools; several are asked for in parallel."""
        return cls(tool_calls=tool_calls, **fields)

    @classmethod
    def refuses(cls, refusal: str, **fields: Any) -> Reply:
        """Decline to answer."""
        return cls(refusal=refusal, **fields)

    @classmethod
    def fails(
        cls,
        status: int,
        *,
        code: str | None = None,
        message: str = "The fake provider was told to fail.",
        type: str | None = None,
        retry_after: float | None = None,
        **fields: Any,
    ) -> Reply:
        """Fail with an HTTP status. `retry_after` is in seconds; it fills both headers that clients read."""
        headers = dict(fields.pop("headers", {}))
        if retry_after is not None:
            headers["retry-after"] = str(math.ceil(retry_after))
            headers["retry-after-ms"] = str(round(retry_after * 1000))
        error = ProviderError(status, code, message, type)
        return cls(error=error, headers=headers, **fields)

    @classmethod
    def garbage(cls, body: bytes = b"<html><body>Bad gateway</body></html>", **fields: Any) -> Reply:
        """Answer 200 with a body that is no JSON."""
        return cls(raw_body=body, **fields)

    @classmethod
    def hangs(cls, **fields: Any) -> Reply:
        """Never answer."""
        return cls(hang=True, **fields)

    def but(self, **changes: Any) -> Reply:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    @property
    def finish(self) -> str:
        """The finish reason, given or derived from the parts."""
        if self.finish_reason is not None:
            return self.finish_reason
        return "tool_calls" if self.tool_calls else "stop"

    @property
    def billed(self) -> ServedUsage | None:
        """What the provider bills: the usage, whether or not it arrives. A failed answer bills nothing."""
        refused_at_once = self.error is not None and self.error_after is None
        return None if refused_at_once else self.usage
