"""Measurements that were taken and are recorded together: when they are many, and when metrics are collected.

Recording one takes locks, and looks for its bucket and for its place among the exemplars. For many with the
same attributes that is done once, by code that is still in the processor's caches. Nobody sees a difference:
before metrics are collected, all that was taken is recorded.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Final, Protocol

from opentelemetry.trace import SpanContext

from litespan.guard import guard

# Measurements that wait at most. To record them takes a fraction of a millisecond.
MOST: Final = 256
# Seconds. Who waits longer for a recording to end waits for itself: a log handler that collects metrics, say.
PATIENCE: Final = 1.0


class Series(Protocol):
    """Records measurements of one attribute set."""

    def record_all(self, measurements: list[Measurement]) -> None:
        """Record measurements of this series, the oldest first."""
        ...


# An amount, when it was taken (nanoseconds since the Unix epoch), and in which span.
Measurement = tuple[Series, float, int, SpanContext]


class Measurements:
    """What waits to be recorded for one meter provider. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._waiting: list[Measurement] = []
        self._recording = threading.Lock()

    def keep(self, measurement: Measurement) -> None:
        """Keep a measurement until it is recorded with others."""
        waiting = self._waiting
        waiting.append(measurement)
        # Not if somebody is at it, who may be in this very thread: this may be a finalizer.
        if len(waiting) >= MOST and self._recording.acquire(blocking=False):
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
            together: defaultdict[Series, list[Measurement]] = defaultdict(list)
            for measurement in taken:
                together[measurement[0]].append(measurement)
            for series, measurements in together.items():
                with guard("measurements"):
                    series.record_all(measurements)
        finally:
            self._recording.release()

    def reset_after_fork(self) -> None:
        """Forget the parent's measurements in a forked child; the thread that recorded some is not there."""
        self._waiting.clear()
        self._recording = threading.Lock()
