"""Agents & tools: tools, handoffs and guardrails."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import heatmap, table, timeseries
from grafana_foundation_sdk.models import units

from dashboards.build import figures
from dashboards.build.descriptions import BUCKETS, COUNTED, EXEMPLARS
from dashboards.build.latency import quantiles
from dashboards.build.panels import WHOLE, WHOLE_NUMBER, About, bars, curves, heat_map
from dashboards.build.promql import RANGE, STEP, counted, equals, or_zero, quantile, share
from dashboards.build.tables import Key, rows
from dashboards.build.targets import Column, lines
from litespan import semconv

_TOOL: Final = semconv.TOOL_NAME
_GUARDRAIL: Final = semconv.GUARDRAIL_NAME
_TRIPPED: Final = equals(semconv.GUARDRAIL_TRIGGERED, "true")


def durations() -> timeseries.Panel:
    """Return how long tools take."""
    about = About(10, "Duration of tools", "How long does each tool take?", BUCKETS)
    return curves(about, units.Seconds, *quantiles(semconv.TOOL_DURATION, _TOOL))


def spread() -> heatmap.Panel:
    """Return how the durations of tools spread."""
    question = "How do the durations of tool calls spread, and which call was that slow?"
    about = About(11, "Durations of tool calls", question, EXEMPLARS)
    return heat_map(about, units.Seconds, semconv.TOOL_DURATION)


def failures() -> timeseries.Panel:
    """Return the tool calls that failed, by tool and error."""
    by = (_TOOL, semconv.ERROR_TYPE)
    failed = counted(semconv.TOOL_DURATION, STEP, *by, where=(figures.FAILED,), part="count")
    every = counted(semconv.TOOL_DURATION, STEP, part="count")
    question = "Which tools fail, when, and with which error?"
    about = About(12, "Failures of tools", question, COUNTED)
    return bars(about, units.Short, lines(or_zero(failed, every), *by))


def side_by_side() -> table.Panel:
    """Return the tools by use, latency and failures."""
    every = counted(semconv.TOOL_DURATION, RANGE, _TOOL, part="count")
    failed = counted(semconv.TOOL_DURATION, RANGE, _TOOL, where=(figures.FAILED,), part="count")
    return rows(
        About(13, "Tools", "Which tool is used most, slow or fails?", f"{COUNTED} {BUCKETS}"),
        [Key("Tool", _TOOL)],
        [
            Column("Calls", every, WHOLE_NUMBER),
            Column("p50", quantile(0.5, semconv.TOOL_DURATION, RANGE, _TOOL), units.Seconds),
            Column("p95", quantile(0.95, semconv.TOOL_DURATION, RANGE, _TOOL), units.Seconds),
            Column("Failed", share(or_zero(failed, every), every), units.PercentUnit, 1),
        ],
    )


def handoffs() -> table.Panel:
    """Return who handed over to whom."""
    by = (semconv.HANDOFF_SOURCE, semconv.HANDOFF_TARGET)
    about = About(20, "Handoffs", "Which agent handed over to which, and how often?", COUNTED)
    return rows(
        about,
        [Key("From", by[0]), Key("To", by[1])],
        [Column("Handoffs", counted(semconv.HANDOFFS, RANGE, *by), WHOLE_NUMBER)],
    )


def guardrails() -> table.Panel:
    """Return what guardrails checked and stopped."""
    checks = counted(semconv.GUARDRAILS, RANGE, _GUARDRAIL)
    trips = or_zero(counted(semconv.GUARDRAILS, RANGE, _GUARDRAIL, where=(_TRIPPED,)), checks)
    return rows(
        About(21, "Guardrails", "Which guardrails trip, and how often?", COUNTED),
        [Key("Guardrail", _GUARDRAIL)],
        [
            Column("Trips", trips, WHOLE_NUMBER),
            Column("Checks", checks, WHOLE_NUMBER),
            Column("Share", share(trips, checks), units.PercentUnit, 1),
        ],
    )


def trips() -> timeseries.Panel:
    """Return the trips of guardrails over time."""
    tripped = counted(semconv.GUARDRAILS, STEP, _GUARDRAIL, where=(_TRIPPED,))
    checks = counted(semconv.GUARDRAILS, STEP, _GUARDRAIL)
    about = About(22, "Guardrail trips", "When did which guardrail stop a run?", COUNTED, WHOLE)
    return bars(about, units.Short, lines(or_zero(tripped, checks), _GUARDRAIL))
