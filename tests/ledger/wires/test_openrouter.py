"""OpenRouter's chat completions.

Followed is the page "Usage Accounting": `usage.cost` is what was charged to the account, in USD credits;
`cost_details.upstream_inference_cost` is what the provider behind bills to the user's own key (`is_byok`);
`prompt_tokens_details` tells cached and written tokens. Every answer has it; in a stream it is in the last
chunk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.openai_like import OpenAILikeWire
from tests.fakes.openrouter_wire import OPENROUTER, OpenRouterWire
from tests.ledger.wires.agreement import call, every_mode
from tests.ledger.wires.cases import ANSWER, Case, Scenario, agrees, every_scenario

CASE = Case(OpenRouterWire, "openrouter/anthropic/claude-sonnet-4.5", "openrouter")


@every_scenario()
async def test_figures_are_the_providers(happens: Scenario) -> None:
    """Whatever happens to a call, its tokens and its cost are what the provider served."""
    await happens(CASE)


async def cost_of(case: Case, cost: float | None, mode: dict[str, Any]) -> tuple[object, object]:
    """Make a call of that cost; return the amount and its source on the span."""
    with case.serving(ANSWER.but(cost=cost)) as (provider, capture):
        await call(**case.to(provider, **mode))

        [span] = capture.named("chat")
        attributes = span.attributes or {}
        amount = attributes["gen_ai.usage.cost.amount"]
        assert amount == capture.total("litespan.cost")
        return amount, attributes["gen_ai.usage.cost.source"]


def with_own_key(upstream: Any) -> Case:
    """Return the case of a user who has a key of the provider behind."""
    byok: Callable[[float], dict[str, Any]] = lambda cost: {  # noqa: E731
        "cost": cost, "is_byok": True, "cost_details": {"upstream_inference_cost": upstream},
    }  # fmt: skip
    return replace(CASE, wire=lambda: OpenAILikeWire(replace(OPENROUTER, cost=byok)))


@every_mode
async def test_own_cost(mode: dict[str, Any]) -> None:
    """What OpenRouter charges goes before the price table."""
    assert (0.125, "provider") == await cost_of(CASE, 0.125, mode)


@every_mode
async def test_cost_with_a_key_of_the_provider_behind(mode: dict[str, Any]) -> None:
    """Who brings a key pays OpenRouter's fee and the provider's bill: the cost is both together."""
    assert (0.625, "provider") == await cost_of(with_own_key(0.5), 0.125, mode)


@every_mode
@pytest.mark.parametrize("upstream", [None, "unknown", -1.0])
async def test_bill_behind_that_is_not_told(upstream: object, mode: dict[str, Any]) -> None:
    """OpenRouter's fee alone is not the cost: without the bill of the provider behind the table decides."""
    await agrees(with_own_key(upstream), ANSWER.but(cost=0.125), **mode)
