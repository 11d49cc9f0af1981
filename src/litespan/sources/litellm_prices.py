"""Which entries of LiteLLM's price table hold prices that the program itself has registered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from litespan.price_table import number

_FILE: Final = "model_prices_and_context_window_backup.json"
# `litellm.register_model` leaves it in entries of models that LiteLLM knows (litellm 1.83.0).
_MARK: Final = "key"


def is_registered(key: str, entry: Mapping[str, Any]) -> bool:
    """Say whether the program gave an entry of the table its prices, with ``litellm.register_model``.

    A Router registers its models too, and changes no price by that: so the prices must also differ from those
    that LiteLLM came with. Of a model that it came without this cannot be told. The file with them is read
    when the first marked entry is asked for, which takes tens of milliseconds.
    """
    known = _packaged().get(key) if _MARK in entry else None
    return known is not None and _amounts(entry) != known


@cache
def _packaged() -> Mapping[str, Mapping[str, float]]:
    """Return the prices in the table that is part of LiteLLM's package; none where the file is not there."""
    try:
        table = json.loads(files("litellm").joinpath(_FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    return {key: _amounts(entry) for key, entry in table.items()}


def _amounts(entry: Mapping[str, Any]) -> Mapping[str, float]:
    """Return the prices of an entry; registering writes out as 0 or null what was absent."""
    found = {name: number(value) for name, value in entry.items() if "cost" in name}
    return {name: amount for name, amount in found.items() if amount}
