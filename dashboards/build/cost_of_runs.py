"""Tokens & cost: what a run costs, and whether it gets dearer."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import heatmap, table, timeseries
from grafana_foundation_sdk.models import units

from dashboards.build import filters
from dashboards.build.descriptions import BUCKETS, EXEMPLARS
from dashboards.build.house import AGENTS
from dashboards.build.panels import WHOLE_NUMBER, About, curves, heat_map
from dashboards.build.promql import RANGE, RATE, WEEK, counted, mean, quantile, share
from dashboards.build.tables import Key, Link, rows
from dashboards.build.targets import Column, lines
from litespan import semconv

_WORKFLOW: Final = semconv.WORKFLOW_NAME


def trend() -> timeseries.Panel:
    """Return the cost of a run over time."""
    question = "What does one run cost, and does it get dearer? Runs without a known price are left out."
    return curves(
        About(11, "Cost of a run", question, BUCKETS),
        units.Dollars,
        lines(mean(semconv.RUN_COST, RATE, _WORKFLOW), _WORKFLOW, note="mean"),
        lines(quantile(0.5, semconv.RUN_COST, RATE, _WORKFLOW), _WORKFLOW, note="p50"),
        lines(quantile(0.95, semconv.RUN_COST, RATE, _WORKFLOW), _WORKFLOW, note="p95"),
    )


def spread() -> heatmap.Panel:
    """Return how the costs of runs spread."""
    question = "How do the costs of runs spread, and which run was that dear?"
    return heat_map(About(12, "Costs of runs", question, EXEMPLARS), units.Dollars, semconv.RUN_COST)


def against_its_week() -> table.Panel:
    """Return the cost of a run now and in the last seven days."""
    now, week = mean(semconv.RUN_COST, RANGE, _WORKFLOW), mean(semconv.RUN_COST, WEEK, _WORKFLOW)
    question = "What does a run of each workflow cost in the time shown, compared with its last seven days?"
    agents = Link("Agents and tools of this workflow", AGENTS, filters.WORKFLOW)
    return rows(
        About(13, "Cost of a run by workflow", question, BUCKETS),
        [Key("Workflow", _WORKFLOW, agents)],
        [
            Column("Mean", now, units.Dollars),
            Column("p95", quantile(0.95, semconv.RUN_COST, RANGE, _WORKFLOW), units.Dollars),
            Column("Mean of 7 days", week, units.Dollars),
            Column("Mean against 7 days", share(now, f"({week})"), units.PercentUnit, 0),
            Column(
                "Runs with a price", counted(semconv.RUN_COST, RANGE, _WORKFLOW, part="count"), WHOLE_NUMBER
            ),
        ],
    )
