"""What litespan may cost, and the words of the tables."""

from __future__ import annotations

from typing import Final

FULL: Final = 1.25  # of the floor and the SDK's tracing
UNSAMPLED: Final = 0.5  # of litespan with everything sampled
PROGRAM: Final = 1.10  # of a run without telemetry
CHUNK: Final = 2.0  # microseconds
IMPORT: Final = 60.0  # milliseconds
PRICE: Final = 10.0  # microseconds

WHOLE_BATCHES: Final = 128  # runs of the hot loop; litespan records its measurements once in some 43
CHUNKS: Final = 2000  # of the stream that is measured

LABELS: Final = {
    "none": "no telemetry",
    "sdk": "the SDK's tracing alone",
    "floor": "written by hand (`benchmarks/floor.py`)",
    "both": "written by hand, with the SDK's tracing",
    "both_unsampled": "the same, nothing sampled",
    "litespan": "litespan",
    "content": "litespan, with content on spans",
    "unsampled": "litespan, nothing sampled",
}
