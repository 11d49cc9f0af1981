"""Why LiteLLM's arithmetic and litespan's differ: each cause is told from the entry of the table alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

UNEXPECTED: Final = "unexpected"

_INPUT: Final = "input_cost_per_token"
_OUTPUT: Final = "output_cost_per_token"
_READ: Final = "cache_read_input_token_cost"
_WRITE: Final = "cache_creation_input_token_cost"


class Difference(NamedTuple):
    """One entry and one shape of usage, with both figures in USD; ``None`` stands for no figure."""

    key: str
    entry: Mapping[str, Any]
    shape: str
    tier: str | None
    ours: float | None
    theirs: float | None

    @property
    def agrees(self) -> bool:
        """Whether both say the same; no figure agrees with none."""
        if self.ours is None or self.theirs is None:
            return self.ours is self.theirs
        return math.isclose(self.ours, self.theirs, rel_tol=1e-9)

    def lists(self, key: str) -> bool:
        """Whether the entry has a price other than 0 under that key."""
        return bool(self.entry.get(key))

    @property
    def owner(self) -> str:
        """The provider of the entry."""
        return str(self.entry.get("litellm_provider"))

    @property
    def claude(self) -> bool:
        """Whether the model is Anthropic's, on any cloud."""
        return "claude" in self.key.lower()

    @property
    def unpriced(self) -> bool:
        """Whether litespan has no figure where LiteLLM has one."""
        return self.ours is None

    @property
    def higher(self) -> bool:
        """Whether litespan's figure is the higher one."""
        return self.ours is not None and self.theirs is not None and self.ours > self.theirs

    @property
    def lower(self) -> bool:
        """Whether litespan's figure is the lower one."""
        return self.ours is not None and self.theirs is not None and self.ours < self.theirs


def _has_fee(d: Difference) -> bool:
    searches = d.owner == "perplexity" or "-search" in d.key
    return d.lists("input_cost_per_request") or (searches and d.lists("search_context_cost_per_query"))


def _is_half_priced(d: Difference) -> bool:
    return not d.entry.get("tiered_pricing") and not (d.lists(_INPUT) and d.lists(_OUTPUT))


def _lacks_tier(d: Difference) -> bool:
    return d.tier is not None and not (d.lists(f"{_INPUT}_{d.tier}") and d.lists(f"{_OUTPUT}_{d.tier}"))


def _lacks_audio(d: Difference) -> bool:
    return d.shape.startswith("audio") and not d.lists(f"{d.shape.partition('_')[2]}_cost_per_audio_token")


def _lacks_long_price(d: Difference, key: str) -> bool:
    return (
        d.shape.startswith("long")
        and any(name.startswith(f"{_INPUT}_above_") for name in d.entry)
        and not any(name.startswith(f"{key}_above_") for name in d.entry)
    )


def _has_known_size(d: Difference) -> bool:
    return any(d.lists(f"{_INPUT}_above_{size}_tokens") for size in ("128k", "200k", "272k"))


# In this order: the first that applies is the cause.
_CAUSES: Final[Mapping[str, Callable[[Difference], bool]]] = {
    "litellm_finds_no_entry": lambda d: d.theirs is None,
    "zero_is_not_free": lambda d: d.unpriced and d.theirs == 0,
    "fee_per_call": lambda d: d.unpriced and _has_fee(d),
    "one_side_without_price": lambda d: d.unpriced and _is_half_priced(d),
    "tier_without_price": lambda d: d.unpriced and _lacks_tier(d),
    "tier_reads_without_price": lambda d: (
        d.unpriced and d.shape == "priority_cached" and not d.lists(f"{_READ}_{d.tier}")
    ),
    "audio_without_price": lambda d: d.unpriced and _lacks_audio(d),
    "writes_without_price": lambda d: (
        d.unpriced and d.shape.startswith("writes") and not d.claude and not d.lists(f"{_WRITE}_above_1hr")
    ),
    "long_reads_without_price": lambda d: (
        d.unpriced and d.shape == "long_cached" and _lacks_long_price(d, _READ)
    ),
    "steps_only_for_dashscope": lambda d: (
        d.higher and bool(d.entry.get("tiered_pricing")) and d.owner != "dashscope"
    ),
    "steps_as_bands": lambda d: d.higher and bool(d.entry.get("tiered_pricing")) and "long" in d.shape,
    "reads_under_another_key": lambda d: d.higher and "cached" in d.shape and d.lists(f"{_INPUT}_cache_hit"),
    "reads_are_free": lambda d: d.higher and "cached" in d.shape and not d.lists(_READ),
    "hour_writes_are_free": lambda d: (
        d.higher and d.shape == "writes_1h" and not d.lists(f"{_WRITE}_above_1hr")
    ),
    "claude_writes_are_free": lambda d: d.higher and d.claude and not d.lists(_WRITE),
    "tiers_are_dropped": lambda d: (
        d.higher and d.tier is not None and d.owner.startswith(("azure", "vertex_ai"))
    ),
    "tiers_of_long_input_are_dropped": lambda d: d.higher and d.shape == "long_priority",
    "unknown_sizes_are_dropped": lambda d: d.higher and d.shape == "long" and not _has_known_size(d),
    "reads_at_full_price": lambda d: d.lower and "cached" in d.shape and d.owner.startswith("fireworks_ai"),
    "xai_reasoning_twice": lambda d: d.lower and d.shape == "reasoning" and d.owner == "xai",
}


def cause_of(difference: Difference) -> str:
    """Return the first cause that explains a difference."""
    return next((name for name, applies in _CAUSES.items() if applies(difference)), UNEXPECTED)
