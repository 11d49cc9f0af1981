"""Which entries of LiteLLM's price table hold prices that the program itself has put there."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from litespan.price_table import number
from litespan.pricing import Owner
from litespan.sources.litellm_table import read_packaged

_LOADER: Final = "litellm.litellm_core_utils.get_model_cost_map"
# `litellm.register_model` leaves it in entries of models that LiteLLM knows (litellm 1.83.0).
_MARK: Final = "key"


def owner(key: str, entry: Mapping[str, Any]) -> Owner:
    """Say who gave an entry of the table its prices: LiteLLM, or the program, as with ``register_model``.

    A Router registers its models too, and changes no price by that: so those of a listed model must also
    differ from what LiteLLM came with. Where LiteLLM fetched a newer table, a name without the mark may be
    one of that. The file with what it came with is read when this is first asked, which takes tens of
    milliseconds; where it cannot be read, nothing is the program's.
    """
    packaged = _packaged()
    marked = _MARK in entry
    if key in packaged:
        return Owner.CHANGED if marked and _amounts(entry) != packaged[key] else Owner.LITELLM
    return Owner.ADDED if packaged and (marked or _is_packaged_in_use()) else Owner.LITELLM


def _is_packaged_in_use() -> bool:
    """Say whether LiteLLM's table was the one of its package when it was imported."""
    try:
        source = sys.modules[_LOADER].get_model_cost_map_source_info()["source"]
    except (AttributeError, LookupError):
        return False
    return bool(source == "local")


@cache
def _packaged() -> Mapping[str, Mapping[str, float]]:
    """Return the prices in the table that is part of LiteLLM's package; none where the file is not there."""
    return {key: _amounts(entry) for key, entry in read_packaged().items()}


def _amounts(entry: Mapping[str, Any]) -> Mapping[str, float]:
    """Return the prices of an entry; registering writes out as 0 or null what was absent."""
    found = {name: number(value) for name, value in entry.items() if "cost" in name}
    return {name: amount for name, amount in found.items() if amount}
