"""Agents & tools: what agents do, and whether they get anywhere."""

from __future__ import annotations

from dashboards.build import agents, tools
from dashboards.build.house import AGENTS, Page


def page() -> Page:
    """Return the dashboard for whoever writes the agents."""
    return Page(
        AGENTS,
        "litespan: agents & tools",
        "What runs, agents and tools do: calls and tools per run, loops, handoffs, guardrails and failures.",
        {
            "Runs": [
                agents.totals(),
                agents.outcomes(),
                agents.calls_per_run(),
                agents.loops(),
                agents.calls_of_an_agent(),
            ],
            "Agents": [agents.side_by_side(), agents.durations()],
            "Tools": [tools.durations(), tools.spread(), tools.failures(), tools.side_by_side()],
            "Handoffs and guardrails": [tools.handoffs(), tools.guardrails(), tools.trips()],
        },
    )
