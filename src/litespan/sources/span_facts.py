"""What litespan adds to the Agents SDK's own span of a model call, for other trace processors."""

from __future__ import annotations

from typing import Any

from litespan.records import ModelCall


def of_call(call: ModelCall) -> dict[str, Any]:
    """Return what the SDK's span cannot know: the cost, and the time to the first chunk in seconds."""
    facts: dict[str, Any] = {}
    if call.cost is not None:
        facts["cost"] = call.cost.amount
        facts["currency"] = call.cost.currency
    if call.time_to_first_chunk is not None:
        facts["time_to_first_chunk"] = call.time_to_first_chunk
    return facts
