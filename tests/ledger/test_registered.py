"""Prices that a program registers with LiteLLM, beside those that LiteLLM came with."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import litellm
import pytest

from litespan.pricing import PriceBook
from litespan.records import ModelCall, Usage
from litespan.settings import Settings
from litespan.sources.litellm_prices import is_registered

ASKED, ANSWERED = "gpt-4o", "gpt-4o-2024-05-13"  # listed, at prices that differ
OWN = {"input_cost_per_token": 0.25, "output_cost_per_token": 0.5}


@pytest.fixture(autouse=True)
def table() -> Iterator[None]:
    """Put LiteLLM's table back as it was."""
    before = copy.deepcopy(litellm.model_cost)
    yield
    litellm.model_cost.clear()
    litellm.model_cost.update(before)


def cost(model: str = ASKED, answered: str = ANSWERED) -> float | None:
    """Price a call of 4 and 2 tokens."""
    book = PriceBook(Settings(), litellm.model_cost.get, "LiteLLM's table", is_registered)
    call = ModelCall(model=model, litellm_provider="openai", response_model=answered, usage=Usage(4, 2))
    found = book.cost(call)
    return None if found is None else found.amount


def listed(key: str) -> float:
    """Work out by hand what an entry of the table charges."""
    entry = litellm.model_cost[key]
    return float(4 * entry["input_cost_per_token"] + 2 * entry["output_cost_per_token"])


def test_listed_version_is_what_is_billed() -> None:
    """Without a registration the dated version that answered has its own price."""
    assert listed(ASKED) != listed(ANSWERED) == cost()


@pytest.mark.parametrize("name", [ASKED, f"openai/{ASKED}"])
def test_registered_price_goes_before_a_listed_version(name: str) -> None:
    """What the program registered for the name that it asks for holds, whatever version answers."""
    litellm.register_model({name: {**OWN, "litellm_provider": "openai", "mode": "chat"}})

    assert 2.0 == cost() == cost(answered=ASKED)


def test_version_may_have_a_registered_price_of_its_own() -> None:
    """A price registered for the version alone holds for the version."""
    litellm.register_model({ANSWERED: {**OWN, "litellm_provider": "openai", "mode": "chat"}})

    assert 2.0 == cost()


def test_router_registers_no_price() -> None:
    """A Router writes its models into the table; that is no reason to price a version as the short name."""
    params: dict[str, Any] = {"model": f"openai/{ASKED}", "api_key": "k"}
    litellm.Router([{"model_name": "fast", "litellm_params": params}])

    assert "key" in litellm.model_cost[ASKED]  # what a registration leaves there
    assert listed(ANSWERED) == cost()


def test_entries_of_all_models_are_litellms_own() -> None:
    """Registering a model without a price makes none of the table's prices look like the program's."""
    names = [name for name in litellm.model_cost if name.startswith(("gpt-", "claude-", "gemini/"))]
    litellm.register_model({name: {"tpm": 1} for name in names})

    marked = [name for name in names if "key" in litellm.model_cost[name]]
    assert len(marked) > 100
    assert not [name for name in marked if is_registered(name, litellm.model_cost[name])]
