"""Totals on agents and the root: own calls on an agent, everything once on the root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from agents import Agent, Runner

import litespan
from litespan.testing import Capture, Provider, Reply, ServedUsage
from tests.flow.models import litespan_model
from tests.flow.team import build_team, play, run_team

USAGE = ServedUsage(input_tokens=1000, output_tokens=100, cache_read_tokens=400, reasoning_tokens=30)
PRICE = {"input": 1.0, "cache_read": 0.5, "output": 10.0}
COST = (600 * 1.0 + 400 * 0.5 + 100 * 10.0) / 1e6
SUMS = ("model_calls", "tool_calls", "input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens")


def attributes_of(capture: Capture, name: str) -> Mapping[str, Any]:
    """Return the attributes of the one span of that name."""
    [span] = [span for span in capture.spans if span.name == name]
    return span.attributes or {}


def sums(attributes: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the counts among the totals."""
    return tuple(attributes[f"litespan.total.{name}"] for name in SUMS)


def sums_of(calls: int, tools: int) -> tuple[int, ...]:
    """Return what that many calls and tools add up to."""
    return (calls, tools, *(calls * tokens for tokens in (1000, 100, 400, 30)))


def priced(provider: Provider, name: str) -> litespan.LitellmModel:
    """Return a model with a price of its own."""
    return litespan.LitellmModel(f"openai/{name}", base_url=provider.base_url, api_key="k", price=PRICE)


@pytest.mark.parametrize("number", [1, 2], ids=["whole", "streamed"])
async def test_agents_have_their_own_calls_and_the_root_has_all(provider: Provider, number: int) -> None:
    """Each call is counted on the agent that made it and on the root, a sub-agent's not on its caller."""
    provider.respond = lambda request: play(request).but(usage=USAGE)
    with Capture(deterministic=True) as capture:
        await run_team(build_team(lambda name: priced(provider, name)), number)

        triage, expert, writer = (
            attributes_of(capture, f"invoke_agent {name}") for name in ("Triage", "Expert", "Writer")
        )
        root = attributes_of(capture, f"invoke_workflow flow {number}")
        assert [sums_of(2, 3), sums_of(1, 0), sums_of(1, 0)] == [sums(a) for a in (triage, expert, writer)]
        assert sums_of(4, 3) == sums(root)
        costs = [a["litespan.total.cost"] for a in (triage, expert, writer)]
        assert pytest.approx([2 * COST, COST, COST]) == costs
        assert pytest.approx(sum(costs)) == root["litespan.total.cost"]
        assert pytest.approx(sum(costs)) == capture.total("litespan.cost")
        assert 2000 == triage["gen_ai.usage.input_tokens"]
        assert "gen_ai.usage.input_tokens" not in root


async def test_metrics_of_agents_count_their_own_calls(provider: Provider) -> None:
    """The histograms of calls and tools of an agent leave its sub-agents out."""
    provider.respond = play
    with Capture() as capture:
        await run_team(build_team(lambda name: litespan_model(provider, name)), 1)

        for agent, calls, tools in (("Triage", 2, 3), ("Expert", 1, 0), ("Writer", 1, 0)):
            assert calls == capture.total("gen_ai.invoke_agent.inference_calls", gen_ai__agent__name=agent)
            assert tools == capture.total("gen_ai.invoke_agent.tool_calls", gen_ai__agent__name=agent)
            assert calls == capture.total("litespan.calls", gen_ai__agent__name=agent)


@pytest.mark.parametrize(
    ("output_price", "band"),
    [(0, "0"), (0.5, "<0.01"), (20, "0.01-0.1"), (500, "0.1-1"), (5_000, "1-10"), (500_000, ">10")],
)
async def test_root_has_a_cost_band(provider: Provider, output_price: float, band: str) -> None:
    """The root's cost falls into one of a few bands of USD, as text."""
    provider.default = Reply.says("ok", usage=ServedUsage(input_tokens=10, output_tokens=1000))
    price = {"input": 0, "output": output_price}
    model = litespan.LitellmModel("openai/gpt-4o", base_url=provider.base_url, api_key="k", price=price)
    with Capture() as capture:
        await Runner.run(Agent[None](name="A", model=model), "hi")

        root = attributes_of(capture, "invoke_workflow A")
        assert band == root["litespan.cost.band"]
        assert pytest.approx(output_price / 1000) == root["litespan.total.cost"]


async def test_unknown_prices_give_no_cost(provider: Provider) -> None:
    """A run of a model without a known price has no cost and the band `unknown`, but its tokens."""
    with Capture() as capture:
        await Runner.run(Agent[None](name="A", model=litespan_model(provider, "my-own-model")), "hi")

        root = attributes_of(capture, "invoke_workflow A")
        assert "litespan.total.cost" not in root
        assert "unknown" == root["litespan.cost.band"]
        assert provider.delivered().input_tokens == root["litespan.total.input_tokens"]
