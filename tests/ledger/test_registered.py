"""Prices that a program registers with LiteLLM, beside those that LiteLLM came with."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import litellm
import pytest
from litellm.litellm_core_utils import get_model_cost_map

from litespan.pricing import Owner, PriceBook
from litespan.records import ModelCall, Usage
from litespan.settings import Settings
from litespan.sources.litellm_prices import owner
from litespan.sources.litellm_table import read_packaged
from litespan.testing import Capture, Provider, Reply, ServedUsage

ASKED, ANSWERED = "gpt-4o", "gpt-4o-2024-05-13"  # listed, at prices that differ
OWN = {"input_cost_per_token": 0.25, "output_cost_per_token": 0.5}
FREE = dict.fromkeys(OWN, 0.0)


@pytest.fixture(autouse=True)
def table() -> Iterator[None]:
    """Put LiteLLM's table back as it was."""
    before = copy.deepcopy(litellm.model_cost)
    yield
    litellm.model_cost.clear()
    litellm.model_cost.update(before)
    litellm.utils._invalidate_model_cost_lowercase_map()  # and what it remembers of it


def cost(model: str = ASKED, answered: str = ANSWERED, provider: str = "openai") -> float | None:
    """Price a call of 4 and 2 tokens."""
    book = PriceBook(Settings(), litellm.model_cost.get, "LiteLLM's table", owner)
    call = ModelCall(model=model, litellm_provider=provider, response_model=answered, usage=Usage(4, 2))
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


@pytest.mark.parametrize("times", [1, 2], ids=["once", "again"])
@pytest.mark.parametrize("provider", ["openai", "azure"])
def test_price_of_a_name_of_the_programs_own(provider: str, times: int) -> None:
    """Whatever a private name or a deployment answers as, the program knows what it costs."""
    for _ in range(times):  # LiteLLM leaves its mark from the second time on
        litellm.register_model({f"{provider}/my-own": {**OWN, "litellm_provider": provider, "mode": "chat"}})

    assert 2.0 == cost("my-own", provider=provider) == cost("my-own", "my-own", provider)
    assert 2.0 == cost("my-own", "claude-sonnet-4-5-20250929", provider)


@pytest.mark.parametrize("model", ["my-own", ASKED])
async def test_price_in_the_call_itself(model: str) -> None:
    """The price that a call brings along holds, whether the table lists the name or not."""
    with Provider() as provider, Capture() as capture:
        provider.default = Reply.says("Hi", usage=ServedUsage(4, 2))
        target = {"model": f"openai/{model}", "api_base": provider.base_url, "api_key": "k"}
        await litellm.acompletion(messages=[{"role": "user", "content": "Hi"}], **target, **OWN)

        assert 2.0 == capture.total("litespan.cost")


async def test_call_that_the_program_says_is_free() -> None:
    """A price of 0 that a call brings along is one; in the table it would only say that none is known."""
    with Provider() as provider, Capture() as capture:
        target = {"model": "openai/my-own", "api_base": provider.base_url, "api_key": "k"}
        await litellm.acompletion(messages=[{"role": "user", "content": "Hi"}], **target, **FREE)

        assert (0.0, 0) == (capture.total("litespan.cost"), capture.total("litespan.calls.unpriced"))
        [span] = capture.named("chat")
        assert 0.0 == (span.attributes or {})["gen_ai.usage.cost.amount"]


@pytest.mark.parametrize("model", ["my-own", ASKED])
@pytest.mark.parametrize("place", ["litellm_params", "model_info"])
async def test_price_of_a_deployment(place: str, model: str) -> None:
    """The price that a Router was given for a deployment, in either place, holds for its calls."""
    with Provider() as provider, Capture() as capture:
        provider.default = Reply.says("Hi", usage=ServedUsage(4, 2))
        target = {"model": f"openai/{model}", "api_base": provider.base_url, "api_key": "k"}
        deployment: dict[str, Any] = {"model_name": "fast", "litellm_params": target, "model_info": {}}
        deployment[place].update(OWN)
        router: Any = litellm.Router([deployment])
        await router.acompletion("fast", [{"role": "user", "content": "Hi"}])

        assert 2.0 == capture.total("litespan.cost")


def test_listed_version_of_a_name_of_the_programs_own() -> None:
    """A version that is listed itself goes before the price of a name that LiteLLM does not list."""
    litellm.register_model({"my-own": {**OWN, "litellm_provider": "openai"}})
    litellm.model_cost["my-own-2026-01-01"] = litellm.model_cost[ASKED]

    assert listed(ASKED) == cost("my-own", "my-own-2026-01-01")


def test_a_name_of_a_fetched_table_is_not_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What LiteLLM's package lacks may be one of LiteLLM's newer names, if it fetched its table."""
    source = {"source": "remote"}
    monkeypatch.setattr(get_model_cost_map, "get_model_cost_map_source_info", lambda: source)
    litellm.register_model({"my-own": {**OWN, "litellm_provider": "openai"}})

    assert cost("my-own") is None
    litellm.register_model({"my-own": {"litellm_provider": "openai"}})
    assert 2.0 == cost("my-own")


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
    assert {Owner.LITELLM} == {owner(name, litellm.model_cost[name]) for name in marked}


def test_table_of_the_package_is_litellms() -> None:
    """Where LiteLLM is not imported, every name has the price that LiteLLM itself gives it, aliases too."""
    packaged = read_packaged()
    # Read anew: other tests may have changed the one in use.
    own = litellm.get_model_cost_map(url=litellm.model_cost_map_url)

    assert len(own) > 2000
    for key, entry in own.items():
        assert prices_of(entry) == prices_of(packaged[key]), key


def prices_of(entry: dict[str, Any]) -> dict[str, Any]:
    """Return what an entry says of cost."""
    return {name: value for name, value in entry.items() if "cost" in name}
