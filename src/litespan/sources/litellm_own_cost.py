"""What a provider says itself that a call cost, in the usage of its answer: pure, in USD."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from litespan.price_table import number
from litespan.sources.litellm_usage import read

_TICKS_PER_USD: Final = 10**10
_NAMES: Final = ("cost", "cost_in_usd_ticks", "estimated_cost")
# Where LiteLLM (1.110.2) keeps the provider's `cost` when it puts a figure of its own in that place.
_REPLACED: Final = "upstream_usage_cost"


def own_cost(found: Callable[[str], Any], hidden: Any) -> float | None:
    """Return the cost in a usage, all fees included; ``None`` where it tells none. ``found`` reads it.

    OpenRouter and gateways like it have a number in ``cost``, Perplexity a table of it whose sum is
    ``total_cost``, xAI ``cost_in_usd_ticks``, DeepInfra ``estimated_cost``. LiteLLM passes all of them on.
    ``hidden`` is what it keeps beside the answer.
    """
    cost, told_ticks, estimated = map(found, _NAMES)
    if cost is not None and isinstance(hidden, dict) and _REPLACED in hidden:
        cost = hidden[_REPLACED]
    if cost is told_ticks is estimated is None:
        return None  # of nearly every provider
    if isinstance(cost, dict):
        return number(cost.get("total_cost"))
    told = number(cost)
    if told is not None:
        behind = _billed_behind(found)
        return None if behind is None else number(told + behind)
    ticks = number(told_ticks)
    return ticks / _TICKS_PER_USD if ticks is not None else number(estimated)


def _billed_behind(found: Callable[[str], Any]) -> float | None:
    """Return what the provider behind OpenRouter bills to a user's own key; ``None`` if it is not told."""
    if found("is_byok") is not True:
        return 0.0
    return number(read(found("cost_details"), "upstream_inference_cost"))
