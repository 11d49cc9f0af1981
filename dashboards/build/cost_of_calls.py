"""Tokens & cost: the panels about money."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import heatmap, stat, table, timeseries
from grafana_foundation_sdk.models import units

from dashboards.build import figures, filters
from dashboards.build.descriptions import EXEMPLARS, PRICED
from dashboards.build.house import LATENCY
from dashboards.build.panels import QUARTER, THIRD, WHOLE, WHOLE_NUMBER, About, bars, heat_map, stats
from dashboards.build.promql import DAY, RANGE, STEP, counted, share
from dashboards.build.tables import Key, Link, rows
from dashboards.build.targets import Column, Line, lines
from litespan import semconv

CENTS: Final = 4
_MODEL: Final = (semconv.PROVIDER_NAME, semconv.REQUEST_MODEL)
_SPEND: Final = "Spend"
_DAYS: Final = 30
_LOW: Final = 5


def _total(about: About, expr: str, window: str = RANGE) -> stat.Panel:
    """Return a sum of money, and beside it the calls that are not in it."""
    blind = [Line(count, name) for name, count in figures.blind_spots(window)]
    return stats(
        about,
        units.Dollars,
        Line(expr, _SPEND),
        *blind,
        decimals=CENTS,
        counts=[count.legend for count in blind],
    )


def today() -> stat.Panel:
    """Return the spend since midnight."""
    question = "What was spent since midnight in the dashboard's time zone, and how many calls are not in it?"
    about = About(1, "Spend today", question, PRICED, QUARTER, _LOW)
    return _total(about, figures.spend(RANGE)).time_from("now/d")


def this_month() -> stat.Panel:
    """Return the spend since the first of the month."""
    question = (
        "What was spent since the first of the month, and how many calls are not in it? It reaches back as "
        "far as data is kept; Prometheus keeps 15 days if it is not told otherwise."
    )
    about = About(2, "Spend this month", question, PRICED, QUARTER, _LOW)
    return _total(about, figures.spend(RANGE)).time_from("now/M")


def time_shown() -> stat.Panel:
    """Return the spend in the dashboard's time."""
    question = "What was spent in the dashboard's time, and how many calls are not in it?"
    return _total(About(3, "Spend in the time shown", question, PRICED, QUARTER, _LOW), figures.spend(RANGE))


def run_rate() -> stat.Panel:
    """Return what 30 days cost if they are like the last 24 hours."""
    question = (
        "What will 30 days cost if they are like the last 24 hours? The counts are the calls of these 24 "
        "hours that are not in it."
    )
    exactness = "An estimate: 30 times the spend of 24 hours. " + PRICED
    about = About(4, "Run rate: 30 days", question, exactness, QUARTER, _LOW)
    return _total(about, f"{_DAYS} * {figures.spend(DAY)}", DAY)


def spend_by(number: int, what: str, attribute: str) -> timeseries.Panel:
    """Return the spend over time by an attribute."""
    question = f"On which {what} is the money spent, and when? The legend has the sums."
    about = About(number, f"Spend by {what}", question, PRICED, THIRD)
    return bars(about, units.Dollars, lines(figures.spend(STEP, attribute), attribute))


def spend_by_source() -> timeseries.Panel:
    """Return the spend by who stated it."""
    question = (
        "How much of the spend did a provider or gateway state (provider), and how much is tokens times "
        "rates (local)?"
    )
    source = semconv.USAGE_COST_SOURCE
    spent = counted(semconv.OPERATION_COST, STEP, source, where=(figures.USD,), part="sum")
    about = About(10, "Spend by source of the price", question, PRICED, THIRD)
    return bars(about, units.Dollars, lines(spent, source))


def spread() -> heatmap.Panel:
    """Return how the costs of calls spread."""
    question = "How do the costs of single calls spread, and which call was that dear?"
    about = About(14, "Costs of calls", question, EXEMPLARS)
    return heat_map(about, units.Dollars, semconv.OPERATION_COST, figures.USD)


def dearest_models() -> table.Panel:
    """Return what each model cost and why."""
    latency = Link("Latency of this model", LATENCY, filters.MODEL)
    return rows(
        About(40, "Dearest models", "Which models cost most, and what makes them dear?", PRICED, WHOLE, 9),
        [Key("Provider", semconv.PROVIDER_NAME), Key("Model", semconv.REQUEST_MODEL, latency)],
        [
            Column(_SPEND, figures.spend(RANGE, *_MODEL), units.Dollars, CENTS),
            Column("Calls", figures.calls(RANGE, *_MODEL), WHOLE_NUMBER),
            Column(
                "Spend per call",
                share(figures.spend(RANGE, *_MODEL), figures.calls(RANGE, *_MODEL)),
                units.Dollars,
            ),
            Column(figures.UNPRICED, figures.unpriced(RANGE, *_MODEL), WHOLE_NUMBER),
            Column(figures.USAGE_MISSING, figures.usage_missing(RANGE, *_MODEL), WHOLE_NUMBER),
            Column("Input tokens", figures.input_tokens(RANGE, *_MODEL), WHOLE_NUMBER),
            Column("Output tokens", figures.output_tokens(RANGE, *_MODEL), WHOLE_NUMBER),
            Column("Cache hit share", figures.cache_hit_share(RANGE, *_MODEL), units.PercentUnit),
            Column("Saved by the cache", figures.savings(RANGE, *_MODEL), units.Dollars, CENTS),
        ],
    )
