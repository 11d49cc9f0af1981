"""What calls are grouped by, and what is counted of them."""

from __future__ import annotations

from typing import Final

from litespan import records

DIMENSIONS: Final = ("model", "agent", "workflow", "user", "provider", "day")
# Classes of tokens. Cache reads and writes are parts of the input, reasoning is a part of the output.
TOKENS: Final = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)
UNKNOWN: Final = "unknown"
OUTCOMES: Final = (
    records.OK,
    records.ERROR,
    records.CANCELLED,
    records.ABANDONED,
    records.INCOMPLETE,
    records.BLOCKED,
    UNKNOWN,
)
