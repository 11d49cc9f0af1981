"""Measurements that were taken and are recorded together: when they are many, and when metrics are collected.

Recording takes locks, looks for the sums and series of its attributes, and for buckets and exemplars. For
many records with the same attributes that is done once, by code that is still in the processor's caches.
Nobody sees a difference: before metrics are collected, all that was taken is recorded.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from litespan.guard import guard

# Records whose measurements wait at most. To record them takes a fraction of a millisecond.
MOST: Final = 256
_MOST_ITEMS: Final = 3 * MOST
# Seconds. Who waits longer for a recording to end waits for itself: a log handler that collects metrics, say.
PATIENCE: Final = 1.0

# What the records of a group have in common, and what each of them has of its own.
Common = tuple[Any, ...]
Own = tuple[Any, ...]
# Records the measurements of a group, the oldest first.
Write = Callable[[Common, list[Own]], None]


class Measurements:
    """What waits to be recorded for one meter provider. Every method may be called from any thread.

    ``at_once``: nothing waits, as nobody would say when metrics are collected.
    """

    def __init__(self, *, at_once: bool = False) -> None:
        self.at_once = at_once
        # Three items for each record, not a tuple of them, and equal ones once: what waits lives long
        # enough for the garbage collector to look at it.
        self._waiting: list[Any] = []
        self._commons: dict[Common, Common] = {}
        self._recording = threading.Lock()

    def of(self, write: Write) -> Callable[[Common, Own], None]:
        """Return what keeps measurements that one function records."""
        return partial(self.keep, write)

    def keep(self, write: Write, common: Common, own: Own) -> None:
        """Keep what was measured of one record until it is recorded with others of its group."""
        if self.at_once:
            write(common, [own])
            return
        common = self._commons.setdefault(common, common)  # what cannot be grouped fails here, and alone
        waiting = self._waiting
        waiting.extend((write, common, own))
        # Not if somebody is at it, who may be in this very thread: this may be a finalizer.
        if len(waiting) >= _MOST_ITEMS and self._recording.acquire(blocking=False):
            self._record()

    def record(self) -> None:
        """Record all that waits, after who is at it; what cannot be recorded now will be the next time."""
        if self._recording.acquire(timeout=PATIENCE):
            self._record()

    def _record(self) -> None:
        """Record all that waits, and release the lock that the caller has taken."""
        try:
            # Two steps of a list, each of them whole: what others add in between stays.
            taken = self._waiting[:]
            del self._waiting[: len(taken)]
            self._commons.clear()
            groups: defaultdict[tuple[Write, Common], list[Own]] = defaultdict(list)
            for write, common, own in zip(*[iter(taken)] * 3, strict=True):
                groups[write, common].append(own)
            for (write, common), owns in groups.items():
                with guard("measurements"):
                    write(common, owns)
        finally:
            self._recording.release()

    def reset_after_fork(self) -> None:
        """Forget the parent's measurements in a forked child; the thread that recorded some is not there."""
        self._waiting.clear()
        self._commons.clear()
        self._recording = threading.Lock()
