"""Ids and a clock that give the same values in every run, so that whole traces can be compared."""

from __future__ import annotations

import itertools
import threading
from typing import Final

from opentelemetry.sdk.trace.id_generator import IdGenerator

START_NS: Final = 1_700_000_000_000_000_000
STEP_NS: Final = 1_000_000


class CountingIdGenerator(IdGenerator):
    """Trace and span ids that count up from 1."""

    def __init__(self) -> None:
        self._traces = itertools.count(1)
        self._spans = itertools.count(1)

    def generate_trace_id(self) -> int:
        """Return the next trace id."""
        return next(self._traces)

    def generate_span_id(self) -> int:
        """Return the next span id."""
        return next(self._spans)


class SteppingClock:
    """A clock that moves on by one millisecond at each look; nanoseconds since the Unix epoch."""

    def __init__(self) -> None:
        self._now = START_NS
        self._lock = threading.RLock()

    def __call__(self) -> int:
        """Return the time and move on."""
        with self._lock:
            self._now += STEP_NS
            return self._now
