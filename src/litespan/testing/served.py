"""What a provider remembers of the requests it served."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Literal

from litespan.testing.reply import Reply, ServedUsage
from litespan.testing.wire import Request

Outcome = Literal["open", "finished", "cut", "client_left", "stopped"]


@dataclass(slots=True)
class Served:
    """One served request.

    `started` and `ended` are seconds since the epoch. `status` is None until the head of the response goes
    out. `outcome` is `open` while the response is under way; `finished` means that every byte was written;
    `cut` that the reply asked for a cut; `client_left` that the client closed first; `stopped` that the
    provider did.

    `usage_delivered` is the last usage that was written to the client: on a cut stream possibly a partial
    one, on a wire that reports as it goes. All figures are set before the bytes go out that tell the client,
    so a client that has an answer finds them.
    """

    request: Request
    reply: Reply
    started: float
    status: int | None = None
    ended: float | None = None
    outcome: Outcome = "open"
    usage_delivered: ServedUsage | None = None

    @property
    def wire(self) -> str:
        """Name of the wire."""
        return self.request.wire

    @property
    def operation(self) -> str:
        """`chat`, `embeddings`, `text_completion` or `responses`."""
        return self.request.operation

    @property
    def model(self) -> str:
        """The requested model."""
        return self.request.model

    @property
    def stream(self) -> bool:
        """Whether the client asked for a stream."""
        return self.request.stream

    @property
    def asked_for_usage(self) -> bool:
        """Whether the client asked for the usage of the stream."""
        return self.request.wants_usage

    def close(self, outcome: Outcome) -> None:
        """Settle how the response ended; the first word counts."""
        if self.outcome == "open":
            self.outcome = outcome
            self.ended = time.time()

    @property
    def billed(self) -> ServedUsage | None:
        """What the provider bills, delivered or not; None if it knows none or the answer failed."""
        return self.reply.billed


@dataclass(slots=True)
class Memory:
    """All served requests in order of arrival. Safe under threads."""

    keep_payloads: bool = True
    _calls: list[Served] = field(default_factory=list)
    _arrived: int = 0
    _open: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def next_number(self) -> int:
        """Give an arriving request its number."""
        with self._changed:
            self._arrived += 1
            return self._arrived

    def begin(self, request: Request, reply: Reply) -> Served:
        """Note a request."""
        kept = request if self.keep_payloads else request.without_payload()
        served = Served(kept, reply, time.time())
        with self._changed:
            self._calls.append(served)
            self._open += 1
            self._changed.notify_all()
        return served

    def end(self, served: Served) -> None:
        """Note that nothing more happens to a request."""
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def calls(self, model: str | None = None) -> list[Served]:
        """Return the requests so far, all or those for one model."""
        with self._changed:
            return [served for served in self._calls if model is None or served.model == model]

    def clear(self) -> None:
        """Forget the requests so far and count from 1 again; those under way still end."""
        with self._changed:
            self._calls.clear()
            self._arrived = 0

    def wait_for_calls(self, count: int, timeout: float) -> bool:
        """Wait until that many requests have arrived; False after ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._calls) >= count, timeout)

    def wait_until_idle(self, timeout: float) -> bool:
        """Wait until no request is under way; False after ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._open == 0, timeout)


def total(usages: list[ServedUsage | None]) -> ServedUsage:
    """Add up the usages that are known."""
    return sum((usage for usage in usages if usage is not None), ServedUsage())
