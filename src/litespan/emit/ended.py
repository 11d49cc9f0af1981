"""What several emitters read of a record that has ended."""

from __future__ import annotations

from litespan.records import Record


def seconds_of(record: Record) -> float:
    """Return how long a record took, in seconds; 0 where its end is not known or before its start."""
    end_ns = record.end_ns
    return 0.0 if end_ns is None or end_ns < record.start_ns else (end_ns - record.start_ns) / 1e9


def error_of(record: Record) -> str | None:
    """Return the type of what a record failed with."""
    return None if record.failure is None else record.failure.type
