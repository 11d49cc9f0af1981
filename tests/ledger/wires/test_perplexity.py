"""Perplexity's chat completions.

Followed are the pages "Create Chat Completion" and "Pricing": `usage.cost.total_cost` is the bill in USD,
with fees for searches that no rate per token gives. Deep research counts `reasoning_tokens` beside
`completion_tokens` and beside `total_tokens`, and `citation_tokens` beside `prompt_tokens`. A stream has the
usage so far in every chunk, unasked.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.perplexity_wire import PerplexityWire
from tests.flow import figures
from tests.ledger.wires.agreement import call, every_mode
from tests.ledger.wires.cases import ANSWER, Case, Scenario, every_scenario

CASE = Case(PerplexityWire, "perplexity/sonar-deep-research", "perplexity")
# LiteLLM's usage has a number where Perplexity has a table of costs; it says so when it copies the answer.
pytestmark = pytest.mark.filterwarnings("ignore:.*PydanticSerializationUnexpectedValue.*")


@every_scenario("tool", "tool, streamed")
async def test_figures_are_the_providers(happens: Scenario) -> None:
    """Whatever happens to a call, its tokens are what the provider served; it has no tools."""
    await happens(CASE)


@every_mode
async def test_own_cost(mode: dict[str, Any]) -> None:
    """The bill is Perplexity's own sum, fees included, and the reasoning is part of the output."""
    with CASE.serving(ANSWER.but(cost=0.125)) as (provider, capture):
        await call(**CASE.to(provider, **mode))

        [span] = capture.named("chat")
        attributes = span.attributes or {}
        cost = (attributes["gen_ai.usage.cost.amount"], attributes["gen_ai.usage.cost.source"])
        assert (0.125, "provider") == cost
        assert 0.125 == capture.total("litespan.cost")
        assert (1200, 90, 0, 0, 40) == figures.of_spans([span]) == figures.of_metrics(capture)
