"""The knowledge of which items OpenTelemetry's batch processors lost."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from opentelemetry.sdk.environment_variables import (
    OTEL_BLRP_MAX_EXPORT_BATCH_SIZE,
    OTEL_BLRP_MAX_QUEUE_SIZE,
    OTEL_BLRP_SCHEDULE_DELAY,
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE,
    OTEL_BSP_MAX_QUEUE_SIZE,
    OTEL_BSP_SCHEDULE_DELAY,
)

from litespan.export.ledger import LOGS, QUEUE_FULL, TRACES, ExportLedger
from litespan.setting_checks import ConfigurationError, parse_wait

# Threads that hand items over at the same moment.
_THREADS: Final = 64

_VARIABLES: Final = {
    TRACES: (OTEL_BSP_MAX_QUEUE_SIZE, OTEL_BSP_MAX_EXPORT_BATCH_SIZE),
    LOGS: (OTEL_BLRP_MAX_QUEUE_SIZE, OTEL_BLRP_MAX_EXPORT_BATCH_SIZE),
}
_DELAYS: Final = {TRACES: OTEL_BSP_SCHEDULE_DELAY, LOGS: OTEL_BLRP_SCHEDULE_DELAY}


class QueueSize(NamedTuple):
    """Items that the queue holds at most, and items in one export."""

    queue: int
    batch: int


def queue_size(environ: Mapping[str, str], signal: str = TRACES) -> QueueSize:
    """Read OpenTelemetry's variables, such as ``OTEL_BSP_MAX_QUEUE_SIZE``, for ``traces`` or ``logs``.

    A queue that is smaller than the default batch makes the batch smaller too.

    Raises:
        ConfigurationError: if a value is no whole number above 0, or the batch is larger than the queue.
    """
    queue_variable, batch_variable = _VARIABLES[signal]
    queue = _count(environ, queue_variable, 2048)
    batch = _count(environ, batch_variable, min(512, queue))
    if batch > queue:
        raise ConfigurationError(
            f"{batch_variable}={batch} must not be larger than {queue_variable}={queue}."
        )
    return QueueSize(queue, batch)


def check_delay(environ: Mapping[str, str], signal: str = TRACES) -> None:
    """Check the variable of how long items wait in the queue, which OpenTelemetry's processor reads itself.

    Raises:
        ConfigurationError: if it is no whole number of milliseconds above 0, or more than Python can wait.
    """
    parse_wait(_DELAYS[signal], _count(environ, _DELAYS[signal], 1), 1000)


def _count(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or int(text) == 0:
        raise ConfigurationError(f"{name}={text!r} must be a whole number greater than 0.")
    return int(text)


class _Entry(NamedTuple):
    """An item; how many items the queue had taken when it came (``before``) and when it was in (``at``)."""

    item: object
    before: int
    at: int


class QueueBook:
    """A book of the items that went into a batch processor and have not come out.

    The batch processor drops its oldest items when its queue is full, and has no public count of them. The
    queue keeps its order, so an item that was in before another one came, and is still in the book when that
    one comes out, is lost. No lock is held around the batch processor's own code: it logs, and a log handler
    may make items.
    """

    def __init__(self, ledger: ExportLedger, size: QueueSize) -> None:
        self._ledger = ledger
        self._size = size
        self._capacity = sum(size) + _THREADS
        self.reset()

    def reset(self) -> None:
        """Forget the parent's items in a forked child; the inherited lock may be held."""
        # Re-entrant: the garbage collector may end a span in the middle of the book-keeping.
        self._lock = threading.RLock()
        # By identity; the entry holds the item, so that no other item can get the same identity meanwhile.
        self._entering: dict[int, _Entry] = {}
        self._inside: dict[int, _Entry] = {}
        self._entered = 0
        self._counted_early = 0

    def waiting(self) -> int:
        """Return the number of items that came and were not handed to the exporter yet."""
        with self._lock:
            return min(len(self._inside) + len(self._entering), self._size.queue)

    def position(self) -> int:
        """Return the number of items that the queue has taken so far."""
        return self._entered

    def coming(self, item: object) -> None:
        """Note that an item is about to be queued."""
        with self._lock:
            self._entering[id(item)] = _Entry(item, self._entered, 0)

    def entered(self, item: object) -> None:
        """Note that the queue has taken an item; count what is lost because the queue overflows."""
        with self._lock:
            lost = self._enter(item)
        self._count_lost(lost)

    def handed_over(self, items: Iterable[object]) -> None:
        """Note that items come out of the queue."""
        with self._lock:
            entries = [self._entering.pop(id(i), None) or self._inside.pop(id(i), None) for i in items]
            # Called lost by an overflow while they were on their way out: as many of the others are lost.
            self._counted_early += entries.count(None)
            lost = self._forget_before(max((entry.before for entry in entries if entry), default=0))
        self._count_lost(lost)

    def emptied(self, position: int) -> None:
        """Note that nothing that was in at a position is in the queue any more."""
        with self._lock:
            lost = self._forget_before(position)
        self._count_lost(lost)

    def _enter(self, item: object) -> int:
        entry = self._entering.pop(id(item), None)
        if entry is None:
            # It has come out already.
            return 0
        self._inside[id(item)] = entry._replace(at=self._entered)
        self._entered += 1
        return self._forget_before(self._oldest() + 1) if len(self._inside) > self._capacity else 0

    def _oldest(self) -> int:
        return next(iter(self._inside.values())).at

    def _forget_before(self, position: int) -> int:
        """Strike the items that were in before ``position``; return how many of them are newly lost."""
        lost = 0
        while self._inside and self._oldest() < position:
            del self._inside[next(iter(self._inside))]
            lost += 1
        counted = min(lost, self._counted_early)
        self._counted_early -= counted
        return lost - counted

    def _count_lost(self, items: int) -> None:
        # Outside the lock: the first loss is logged.
        if items:
            self._ledger.drop(QUEUE_FULL, items)
