"""Agents & tools: runs, loops and agents."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.models import units

from dashboards.build import figures, filters
from dashboards.build.cost_of_calls import CENTS
from dashboards.build.descriptions import BUCKETS, COUNTED
from dashboards.build.house import COST
from dashboards.build.panels import WHOLE, WHOLE_NUMBER, About, bars, curves, stats, warning
from dashboards.build.promql import (
    RANGE,
    RATE,
    STEP,
    WEEK,
    counted,
    differs,
    mean,
    or_zero,
    quantile,
    share,
)
from dashboards.build.tables import Key, Link, rows
from dashboards.build.targets import Column, Line, lines
from litespan import records, semconv

_AGENT: Final = semconv.AGENT_NAME
_WORKFLOW: Final = semconv.WORKFLOW_NAME
_CALLS_PER_RUN: Final = (
    "The calls that agents made, divided by the runs that ended. The calls of a run that still goes on are "
    "in it, the run is not."
)
_LOOPING: Final = 2.0


def totals() -> stat.Panel:
    """Return the runs, and what one takes."""
    not_well = figures.runs(RANGE, where=(differs(semconv.OUTCOME, records.OK),))
    tools = counted(semconv.TOOL_DURATION, RANGE, part="count")
    question = "How many runs were there, how many did not end well, and how many calls does one take?"
    return stats(
        About(1, "Runs in the time shown", question, f"{COUNTED} {_CALLS_PER_RUN}", WHOLE, 4),
        WHOLE_NUMBER,
        Line(figures.runs(RANGE), "Runs"),
        Line(or_zero(not_well, figures.runs(RANGE)), "Runs that did not end well"),
        Line(figures.calls_per_run(RANGE), "Model calls per run"),
        Line(share(or_zero(tools, figures.runs(RANGE)), figures.runs(RANGE)), "Tool calls per run"),
        decimals=1,
        counts=["Runs that did not end well"],
    )


def outcomes() -> timeseries.Panel:
    """Return how runs ended, over time."""
    question = "When did runs end in which way? Blocked: a guardrail tripped."
    about = About(2, "Outcomes of runs", question, COUNTED)
    return bars(about, units.Short, lines(figures.runs(STEP, semconv.OUTCOME), semconv.OUTCOME))


def calls_per_run() -> timeseries.Panel:
    """Return the model calls of a run, over time."""
    about = About(3, "Model calls per run", "Do runs take more calls than they used to?", _CALLS_PER_RUN)
    return curves(about, units.Short, lines(figures.calls_per_run(RATE, _WORKFLOW), _WORKFLOW))


def loops() -> table.Panel:
    """Return the calls of a run now and in the last seven days."""
    now, week = figures.calls_per_run(RANGE, _WORKFLOW), figures.calls_per_run(WEEK, _WORKFLOW)
    question = (
        "Which workflow goes round in circles: how many calls does a run take in the time shown, against its "
        "own last seven days? Orange from twice as many."
    )
    against = "Against 7 days"
    return rows(
        About(4, "Loops", question, _CALLS_PER_RUN),
        [Key("Workflow", _WORKFLOW, Link("Cost of this workflow", COST, filters.WORKFLOW))],
        [
            Column(against, share(now, f"({week})"), units.PercentUnit, 0),
            Column("Calls per run", now, units.Short, 1),
            Column("Of 7 days", week, units.Short, 1),
            Column("Runs", figures.runs(RANGE, _WORKFLOW), WHOLE_NUMBER),
        ],
        {against: warning(_LOOPING)},
    )


def calls_of_an_agent() -> timeseries.Panel:
    """Return how many calls an agent makes before it is done."""
    question = "How many model calls does an agent make before it is done, and which makes far more at times?"
    metric = semconv.AGENT_INFERENCE_CALLS
    return curves(
        About(5, "Model calls of an agent", question, BUCKETS),
        units.Short,
        lines(mean(metric, RATE, _AGENT), _AGENT, note="mean"),
        lines(quantile(0.99, metric, RATE, _AGENT), _AGENT, note="p99"),
    )


def durations() -> timeseries.Panel:
    """Return how long agents take."""
    question = (
        "How long does each agent take, with its calls, its tools and the agents that it uses as tools?"
    )
    metric = semconv.AGENT_DURATION
    return curves(
        About(6, "Duration of agents", question, BUCKETS, WHOLE),
        units.Seconds,
        lines(quantile(0.5, metric, RATE, _AGENT), _AGENT, note="p50"),
        lines(quantile(0.95, metric, RATE, _AGENT), _AGENT, note="p95"),
    )


def side_by_side() -> table.Panel:
    """Return the agents by cost and latency."""
    ended = counted(semconv.AGENT_DURATION, RANGE, _AGENT, part="count")
    failed = counted(semconv.AGENT_DURATION, RANGE, _AGENT, where=(figures.FAILED,), part="count")
    exactness = f"{COUNTED} {BUCKETS} Calls without a price or without usage are not in the cost."
    return rows(
        About(7, "Agents", "Which agent is dear, slow or fails?", exactness, WHOLE, 9),
        [Key("Agent", _AGENT, Link("Cost of this agent", COST, filters.AGENT))],
        [
            Column("Cost", figures.spend(RANGE, _AGENT), units.Dollars, CENTS),
            Column("Invocations", ended, WHOLE_NUMBER),
            Column("Cost of one", share(figures.spend(RANGE, _AGENT), ended), units.Dollars),
            Column("p50", quantile(0.5, semconv.AGENT_DURATION, RANGE, _AGENT), units.Seconds),
            Column("p95", quantile(0.95, semconv.AGENT_DURATION, RANGE, _AGENT), units.Seconds),
            Column("Model calls", mean(semconv.AGENT_INFERENCE_CALLS, RANGE, _AGENT), units.Short, 1),
            Column("Tool calls", mean(semconv.AGENT_TOOL_CALLS, RANGE, _AGENT), units.Short, 1),
            Column("Failed", share(or_zero(failed, ended), ended), units.PercentUnit, 1),
        ],
    )
