"""Tokens & cost: what is spent, on what, and how much of it is not known."""

from __future__ import annotations

from dashboards.build import cost_of_calls, cost_of_runs, tokens
from dashboards.build.house import COST, Page
from litespan import semconv


def page() -> Page:
    """Return the dashboard for whoever pays."""
    return Page(
        COST,
        "litespan: tokens & cost",
        "What agents and model calls cost, on what the money goes, and how many calls the sums do not have.",
        {
            "Spend, and the calls that are not in it": [
                cost_of_calls.today(),
                cost_of_calls.this_month(),
                cost_of_calls.time_shown(),
                cost_of_calls.run_rate(),
            ],
            "Where the money goes": [
                cost_of_calls.spend_by(5, "model", semconv.REQUEST_MODEL),
                cost_of_calls.spend_by(6, "agent", semconv.AGENT_NAME),
                cost_of_calls.spend_by(7, "workflow", semconv.WORKFLOW_NAME),
                cost_of_calls.spend_by(8, "provider", semconv.PROVIDER_NAME),
                cost_of_calls.spend_by(9, "class of token", semconv.TOKEN_CLASS),
                cost_of_calls.spend_by_source(),
                cost_of_calls.dearest_models(),
            ],
            "Runs and calls": [
                cost_of_runs.trend(),
                cost_of_runs.spread(),
                cost_of_runs.against_its_week(),
                cost_of_calls.spread(),
            ],
            "Tokens": [
                tokens.totals(),
                tokens.by_class(),
                tokens.of_a_call(),
                tokens.saved(),
                tokens.cache_hit_share(),
                tokens.reasoning_share(),
            ],
            "What is not known": [tokens.without_price(), tokens.without_usage()],
        },
    )
