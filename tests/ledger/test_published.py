"""Calls whose arithmetic is special cost what the published prices say."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import litellm
import pytest
import tomli

from litespan.pricing import PriceBook
from litespan.providers import split_model
from litespan.records import ModelCall, Usage
from litespan.settings import Settings
from litespan.testing import ServedUsage
from tests.ledger import rates
from tests.versions import installed

PUBLISHED: list[dict[str, Any]] = tomli.loads(
    Path(__file__).with_name("published.toml").read_text(encoding="utf-8")
)["published"]


def billed(entry: dict[str, Any]) -> Decimal:
    """Work out the provider's bill from its published prices."""
    told = {name: Decimal(rate) / 10**6 for name, rate in entry["rates"].items()}
    told.setdefault("reasoning", told["output"])
    served = dict(entry["usage"])
    # A served usage counts the writes of each lifetime apart.
    served["cache_write_tokens"] = served.get("cache_write_tokens", 0) - served.get(
        "cache_write_1h_tokens", 0
    )
    counts = zip(rates.Rates._fields, rates.parts(ServedUsage(**served)), strict=True)
    return sum((told[name] * count for name, count in counts if count), Decimal(0))


@pytest.mark.parametrize("entry", PUBLISHED, ids=lambda entry: f"{entry['model']}: {entry['why']}")
def test_the_bill_by_hand(entry: dict[str, Any]) -> None:
    """The figure that was worked out by hand is the one that the prices give."""
    assert billed(entry) == Decimal(entry["cost"])
    assert entry["source"]


@pytest.mark.skipif(installed("litellm") != (1, 83, 0), reason="prices change with LiteLLM's table")
@pytest.mark.parametrize("entry", PUBLISHED, ids=lambda entry: f"{entry['model']}: {entry['why']}")
def test_litespan_charges_the_bill(entry: dict[str, Any]) -> None:
    """The cost from LiteLLM's table is the provider's bill."""
    provider, model = split_model(
        entry["model"], {str(getattr(p, "value", p)) for p in litellm.provider_list}, None
    )
    book = PriceBook(Settings(), litellm.model_cost.get, "LiteLLM's table")
    call = ModelCall(
        model=model,
        litellm_provider=provider,
        usage=Usage(**entry["usage"]),
        service_tier=entry.get("service_tier"),
    )

    cost = book.cost(call)

    assert cost is not None
    assert math.isclose(cost.amount, Decimal(entry["cost"]), rel_tol=1e-12)
