"""Where a host is when a model call begins: what one source knows and another one asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litespan.records import ModelCall, Record


@dataclass(slots=True, eq=False, repr=False)
class Position:
    """Where the host is right now, in the Agents SDK's own tracing.

    ``record`` is what a call made now belongs under. ``span_id`` is set where the SDK has opened a
    generation span for this very call and nobody has claimed it. ``call`` is set where that span has a record
    already, which the call may claim. ``beside``: ``record`` is a model call whose stream the program may
    have left to go on beside it, so only what that call itself makes belongs under it.
    """

    record: Record | None = None
    trace_id: str | None = None
    span_id: str | None = None
    call: ModelCall | None = None
    beside: bool = False
    allows_content: bool = True
    disabled: bool = False

    def annotate(self, facts: Mapping[str, Any]) -> None:
        """Add facts to the SDK's span, where it has one for a call made here."""
