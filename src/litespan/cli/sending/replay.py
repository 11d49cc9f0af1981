"""Send the requests of files, wait for a receiver that is away, and count what became of them."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Final

from litespan.cli.sending.sources import Request, Source
from litespan.export.choice import otlp_target
from litespan.export.ledger import LOGS, METRICS, NOT_FOUND, TRACES, UNAUTHORIZED
from litespan.export.otlp.answer import Answer
from litespan.export.otlp.delivery import Delivery
from litespan.export.otlp.options import otlp_options
from litespan.export.otlp.sender import sender_of
from litespan.export.spool.pause import Pause
from litespan.settings import Settings

# Of what cannot be read; the rest is counted.
_MOST_TOLD: Final = 20
# Seconds between two writes of a journal.
_NOTE_EVERY: Final = 1.0
ITEMS: Final = {TRACES: "span", METRICS: "data point", LOGS: "log record"}


class StoppedError(Exception):
    """Nothing more can be sent now; the message says why."""


class Counts:
    """What became of the items of one signal."""

    def __init__(self) -> None:
        self.sent = 0
        self.refused: Counter[str] = Counter()

    def succeed(self, items: int) -> None:
        """Count items that were sent."""
        self.sent += items

    def reject(self, reason: str, items: int, error_type: str) -> None:
        """Count a request that is refused for good."""
        self.refused[f"{reason}, {error_type}"] += items

    def drop(self, reason: str, items: int) -> None:
        """Count items that are refused out of a request that is taken."""
        self.refused[reason] += items


class Replay:
    """Sends by one protocol to one receiver.

    Args:
        settings: endpoint and protocol.
        headers: sent along, besides those of OpenTelemetry's variables.
        patience: seconds for which a receiver that is away is waited for.
        report: gets lines for a person.
    """

    def __init__(
        self, settings: Settings, headers: Mapping[str, str], patience: float, report: Callable[[str], None]
    ) -> None:
        self.counts = {signal: Counts() for signal in ITEMS}
        # For journals: without user-info and query, which may hold a secret.
        self.receiver = otlp_target(TRACES, settings, {}).shown
        self._patience = patience
        self._report = report
        self.broken = 0
        self._deliveries: dict[str, Delivery] = {}
        for signal, counts in self.counts.items():
            target = otlp_target(signal, settings, {})
            options = otlp_options(signal, os.environ)
            options = options._replace(headers={**options.headers, **headers})
            make = partial(sender_of(target.protocol), signal, target.endpoint, options)
            self._deliveries[signal] = Delivery(signal, make, counts)

    def send(self, sources: Iterable[Source], advance: Callable[[int], None]) -> None:
        """Send what the sources have; a StoppedError if the receiver stays away or lets nobody in."""
        try:
            for source in sources:
                self._send_one(source, advance)
        finally:
            for delivery in self._deliveries.values():
                delivery.close()

    def _send_one(self, source: Source, advance: Callable[[int], None]) -> None:
        try:
            with _noting(source, self._report) as note:
                for request in source.requests():
                    self._deliver(request)
                    advance(note(request.end))
        except OSError as error:
            self._leave_out(f"{source.path} cannot be read from here on ({_reason(error)})")

    def _leave_out(self, problem: str) -> None:
        self.broken += 1
        if self.broken <= _MOST_TOLD:
            self._report(f"{problem}.")

    def _deliver(self, request: Request) -> None:
        if request.problem:
            self._leave_out(request.problem)
            return
        begin, pause = time.monotonic(), Pause()
        while answer := self._deliveries[request.signal].deliver(request, request.part):
            pause.fail(answer.wait)
            self._wait(answer, pause.left(), begin + self._patience - time.monotonic())
        for name in self.counts[request.signal].refused:
            if name.startswith((UNAUTHORIZED, NOT_FOUND)):
                raise StoppedError(f"The receiver refuses everything ({name}).")

    def _wait(self, answer: Answer, seconds: float, left: float) -> None:
        if seconds > left:
            raise StoppedError(f"The receiver cannot be reached ({answer.error_type}).")
        self._report(f"The receiver is away ({answer.error_type}); trying again in {seconds:.0f} s.")
        time.sleep(seconds)


@contextmanager
def _noting(source: Source, report: Callable[[str], None]) -> Iterator[Callable[[int], int]]:
    """Yield what takes the end of each request and returns its bytes; the source is told now and then.

    Where it cannot note that, as in a folder that is read-only, this is said once.
    """
    end, told, told_at = source.start, source.start, time.monotonic()
    failed = False

    def note(place: int) -> int:
        nonlocal end, told, told_at
        step, end = place - end, place
        if time.monotonic() - told_at > _NOTE_EVERY:
            mark_sent()
            told, told_at = end, time.monotonic()
        return step

    def mark_sent() -> None:
        nonlocal failed
        try:
            source.mark_sent(end)
        except OSError as error:
            if not failed:
                folder = os.path.dirname(os.path.abspath(source.path))
                report(
                    f"How far {source.path} was sent cannot be noted in {folder} ({_reason(error)}): "
                    "another call sends the same again."
                )
            failed = True

    try:
        yield note
    finally:
        # Also after Ctrl-C: what has gone out need not go again.
        if end > told:
            mark_sent()
        source.close()


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
