"""What the variants of a benchmark are: which tracing each of them has, and who writes its telemetry."""

from __future__ import annotations

from functools import cache
from typing import Final

from agents import set_trace_processors, set_tracing_disabled

import litespan
from benchmarks.floor import Floor
from benchmarks.telemetry import least_processor, providers

BY_HAND: Final = frozenset({"floor", "both", "both_unsampled"})
_BY_LITESPAN: Final = frozenset({"litespan", "content", "unsampled"})
_WITHOUT_TRACING: Final = frozenset({"none", "floor"})
_UNSAMPLED: Final = frozenset({"unsampled", "both_unsampled"})

# A program that is switched between variants has the providers of each of them once.
_providers: Final = cache(providers)


def set_up(variant: str) -> None:
    """Set up what traces in a variant; what is written by hand is not part of it."""
    set_tracing_disabled(variant in _WITHOUT_TRACING)
    if variant in _BY_LITESPAN:
        content = "SPAN_ONLY" if variant == "content" else "NO_CONTENT"
        litespan.instrument(*_providers(sampled=variant not in _UNSAMPLED), capture_content=content)
    elif variant not in _WITHOUT_TRACING:
        set_trace_processors([least_processor()])


def take_down(variant: str) -> None:
    """Undo :func:`set_up`."""
    if variant in _BY_LITESPAN:
        litespan.uninstrument()


def floor_of(variant: str) -> Floor:
    """Return what a variant that is written by hand writes its telemetry with."""
    return Floor(*providers(sampled=variant not in _UNSAMPLED))
