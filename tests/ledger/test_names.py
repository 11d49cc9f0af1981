"""Names as programs write them: each is priced by the right entry of the table, or not at all."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import litellm
import pytest
import tomli

from litespan.pricing import PriceBook
from litespan.providers import split_model
from litespan.records import ModelCall, Usage
from litespan.settings import Settings
from tests.versions import installed

TABLE: dict[str, Any] = tomli.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8"))
JUDGED_ON = TABLE.pop("litellm")
ROWS = [row for group in TABLE.values() for row in group["names"]]
USAGE = Usage(1000, 100)


def skip_if_changed(row: dict[str, str]) -> None:
    """Skip a name whose entry another version of LiteLLM lists no more, or gives to another model."""
    if ".".join(map(str, installed("litellm"))) != JUDGED_ON:
        gone = "price" in row and row["price"] not in litellm.model_cost
        if gone or row.get("moves"):
            pytest.skip(f"judged on litellm {JUDGED_ON}; this one lists it no more, or another model as it")


def cost_of(row: dict[str, str]) -> float | None:
    """Price a call of this name, taken apart as a call's name is."""
    provider, model = split_model(
        row["ask"], {str(getattr(p, "value", p)) for p in litellm.provider_list}, None
    )
    answered = row.get("as", model)
    book = PriceBook(Settings(), litellm.model_cost.get, "LiteLLM's table")
    cost = book.cost(ModelCall(model=model, litellm_provider=provider, response_model=answered, usage=USAGE))
    return None if cost is None else cost.amount


def listed(key: str) -> float:
    """Work out by hand what an entry charges for the usage."""
    entry = litellm.model_cost[key]
    return float(1000 * entry["input_cost_per_token"] + 100 * entry["output_cost_per_token"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['ask']} as {row.get('as', 'itself')}")
def test_priced_right_or_not_at_all(row: dict[str, str]) -> None:
    """The cost is the one of the entry in the table, and absent where the table names none."""
    skip_if_changed(row)
    cost = cost_of(row)

    if "price" in row:
        assert cost is not None
        assert math.isclose(cost, listed(row["price"]), rel_tol=1e-12), row["why"]
    else:
        assert cost is None, row["why"]


def test_the_table_of_names_is_broad() -> None:
    """There are many names, each once, with a reason; priced ones and others."""
    assert len(ROWS) > 80
    assert len({(row["ask"], row.get("as")) for row in ROWS}) == len(ROWS)
    assert all(row["why"] for row in ROWS)
    assert 30 < sum("price" in row for row in ROWS) < len(ROWS) - 30


def test_priced_names_could_be_mispriced() -> None:
    """For some names a careless look-up finds another price: by the request alone, or by the answer."""
    differing = [row for row in ROWS if "as" in row and row.get("price", "").endswith(row["as"])]

    assert len(differing) >= 7
