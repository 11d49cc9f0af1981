"""A LiteLLM proxy, as `litellm_proxy/...` calls it.

Followed is the page "Response Headers" of LiteLLM's proxy: `x-litellm-response-cost` is what the call cost in
USD. The head of a stream goes out before that is known, with 0. The usage is LiteLLM's own, with the tokens
that were written to a cache in `prompt_tokens_details.cache_creation_tokens`.
"""

from __future__ import annotations

import pytest

from litespan.testing import ServedUsage
from tests.fakes.proxy_wire import ProxyWire, billed
from tests.ledger.wires.agreement import call, every_mode
from tests.ledger.wires.cases import ANSWER, Case, Scenario, agrees, every_scenario

CASE = Case(ProxyWire, "litellm_proxy/my-alias", "litellm_proxy")


@every_scenario()
async def test_figures_are_the_providers(happens: Scenario) -> None:
    """Whatever happens to a call, its tokens and its cost are what the provider served."""
    await happens(CASE)


@every_mode
async def test_cache_writes(mode: dict[str, bool]) -> None:
    """Tokens that the model behind the proxy wrote to its cache have their class and their price."""
    await agrees(CASE, ANSWER.but(usage=ServedUsage(1200, 90, 300, 500)), **mode)


async def test_cost_of_the_proxy_goes_before_the_table() -> None:
    """The proxy knows what it charges."""
    with CASE.serving(ANSWER.but(headers=billed(0.25, stream=False))) as (provider, capture):
        await call(**CASE.to(provider))

        [span] = capture.named("chat")
        attributes = span.attributes or {}
        cost = (attributes["gen_ai.usage.cost.amount"], attributes["gen_ai.usage.cost.source"])
        assert (0.25, "provider") == cost
        assert 0.25 == capture.total("litespan.cost")


async def test_zero_of_a_stream_is_not_known() -> None:
    """The proxy's 0 is no price: the table decides."""
    await agrees(CASE, ANSWER.but(headers=billed(0.25, stream=True)), stream=True)


@pytest.mark.parametrize("cost", ["-1", "nan", "inf", "much", ""])
async def test_cost_that_is_none(cost: str) -> None:
    """A header that holds no amount is ignored."""
    await agrees(CASE, ANSWER.but(headers={"x-litellm-response-cost": cost}))
