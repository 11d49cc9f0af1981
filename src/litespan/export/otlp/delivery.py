"""One batch on its way: attempted, split where it is too large, and what became of it counted."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from litespan.export.ledger import REJECTED, TOO_LARGE
from litespan.export.otlp.answer import Answer, Verdict
from litespan.export.otlp.requests_pb import Part, halves
from litespan.export.otlp.sender import Sender


class Tally(Protocol):
    """What is told of each part: its items were sent, refused as a whole, or refused one by one."""

    def succeed(self, items: int) -> None:
        """Count items that were sent."""

    def reject(self, reason: str, items: int, error_type: str) -> None:
        """Count a request that is refused for good."""

    def drop(self, reason: str, items: int) -> None:
        """Count items that are refused out of a request that is taken."""


class Delivery:
    """Sends batches of one signal; of one that was split, it remembers which parts have gone."""

    def __init__(self, signal: str, make_sender: Callable[[], Sender], tally: Tally) -> None:
        self._make_sender = make_sender
        self._sender: Sender | None = None
        self._signal = signal
        self._tally = tally
        self._lock = threading.Lock()
        self._key: object = None
        self._parts: deque[Part] = deque()

    def deliver(self, key: object, part: Part) -> Answer | None:
        """Send a batch; None if nothing of it is left to send, else the answer that says to try later.

        The ``key`` tells a batch that is tried again from the next one.
        """
        if self._key != key:
            self._key = key
            self._parts = deque([part])
        answer = self._send_all(self._parts)
        if answer is None:
            self._key = None
        return answer

    def items_left(self) -> int:
        """Return the number of items of the batch that were neither sent nor refused."""
        return sum(part.items for part in self._parts)

    def send_once(self, part: Part) -> int:
        """Send a batch that lies nowhere; return the number of its items that should be tried later."""
        parts = deque([part])
        self._send_all(parts)
        return sum(left.items for left in parts)

    def close(self) -> None:
        """Close connections."""
        if self._sender is not None:
            self._sender.close()

    def _send_all(self, parts: deque[Part]) -> Answer | None:
        while parts:
            answer = self._send(parts[0].payload)
            if answer.verdict is Verdict.LATER:
                return answer
            part = parts.popleft()
            if answer.verdict is Verdict.SPLIT:
                parts.extendleft(reversed(self._split(part, answer)))
            else:
                self._count(part, answer)
        return None

    def _send(self, payload: bytes) -> Answer:
        with self._lock:
            try:
                self._sender = self._sender or self._make_sender()
                return self._sender.send(payload)
            except OSError as error:
                # The file of a certificate is gone; it may be being renewed.
                return Answer(Verdict.LATER, type(error).__name__)

    def _split(self, part: Part, answer: Answer) -> list[Part]:
        smaller = halves(self._signal, part.payload)
        if not smaller:
            self._tally.reject(TOO_LARGE, part.items, answer.error_type)
        return smaller

    def _count(self, part: Part, answer: Answer) -> None:
        if answer.verdict is Verdict.NEVER:
            self._tally.reject(answer.loss, part.items, answer.error_type)
            return
        # A receiver that cannot count may say more than it was sent, or less than nothing.
        rejected = min(max(answer.rejected, 0), part.items)
        self._tally.succeed(part.items - rejected)
        if rejected:
            self._tally.drop(REJECTED, rejected)
