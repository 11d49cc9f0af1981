"""What the variants of a benchmark are: which tracing each of them has, and who writes its telemetry."""

from __future__ import annotations

from typing import Final

from agents import set_trace_processors, set_tracing_disabled

import litespan
from benchmarks.floor import Floor
from benchmarks.telemetry import least_processor, providers

BY_HAND: Final = frozenset({"floor", "both", "both_unsampled"})
_UNSAMPLED: Final = frozenset({"unsampled", "both_unsampled"})


def set_up(variant: str) -> None:
    """Set up what traces in a variant; what is written by hand is not part of it."""
    if variant in ("litespan", "content", "unsampled"):
        content = "SPAN_ONLY" if variant == "content" else "NO_CONTENT"
        litespan.instrument(*providers(sampled=variant not in _UNSAMPLED), capture_content=content)
    elif variant in ("sdk", "both", "both_unsampled"):
        set_trace_processors([least_processor()])
    else:
        set_tracing_disabled(True)


def floor_of(variant: str) -> Floor:
    """Return what a variant that is written by hand writes its telemetry with."""
    return Floor(*providers(sampled=variant not in _UNSAMPLED))
