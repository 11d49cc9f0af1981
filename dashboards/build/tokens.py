"""Tokens & cost: the panels about tokens, and about what is not known."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import stat, timeseries
from grafana_foundation_sdk.models import units

from dashboards.build import figures
from dashboards.build.cost_of_calls import CENTS
from dashboards.build.descriptions import BUCKETS, COUNTED, PRICED
from dashboards.build.panels import QUARTER, WHOLE, WHOLE_NUMBER, About, bars, curves, stats
from dashboards.build.promql import RANGE, RATE, STEP, counted, or_zero, quantile
from dashboards.build.targets import Line, lines
from litespan import semconv

_MODEL: Final = (semconv.PROVIDER_NAME, semconv.REQUEST_MODEL)
_WIDE: Final = 9


def totals() -> stat.Panel:
    """Return the tokens, and beside them the calls that are not in the sums."""
    question = (
        "How many tokens did providers report, and of how many calls is that not known? Input includes cache "
        "reads and writes, output includes reasoning."
    )
    return stats(
        About(20, "Tokens in the time shown", question, COUNTED, WHOLE, 4),
        WHOLE_NUMBER,
        Line(figures.input_tokens(RANGE), "Input"),
        Line(figures.output_tokens(RANGE), "Output"),
        Line(figures.cache_reads(RANGE), "of the input: from the cache"),
        Line(figures.reasoning_tokens(RANGE), "of the output: reasoning"),
        *(Line(count, name) for name, count in figures.blind_spots()),
        counts=[name for name, _ in figures.blind_spots()],
    )


def by_class() -> timeseries.Panel:
    """Return the tokens over time in classes that do not overlap."""
    question = (
        "Of which kind are the tokens? The kinds do not overlap here: input without what the cache read and "
        "wrote, output without reasoning."
    )
    uncached = " - ".join((figures.input_tokens(STEP), figures.cache_reads(STEP), figures.cache_writes(STEP)))
    return bars(
        About(21, "Tokens by class", question, COUNTED),
        units.Short,
        Line(uncached, "input"),
        Line(figures.cache_reads(STEP), "cache read"),
        Line(figures.cache_writes(STEP), "cache write"),
        Line(f"{figures.output_tokens(STEP)} - {figures.reasoning_tokens(STEP)}", "output"),
        Line(figures.reasoning_tokens(STEP), "reasoning"),
    )


def of_a_call() -> timeseries.Panel:
    """Return how long inputs and answers are."""
    question = "How long are inputs and answers, and do they grow? Calls that failed are left out."
    kind = semconv.TOKEN_TYPE
    return curves(
        About(22, "Tokens of a call", question, BUCKETS),
        units.Short,
        lines(quantile(0.5, semconv.TOKEN_USAGE, RATE, kind), kind, note="p50"),
        lines(quantile(0.95, semconv.TOKEN_USAGE, RATE, kind), kind, note="p95"),
    )


def saved() -> stat.Panel:
    """Return what the prompt cache saved."""
    question = (
        "What did the providers' prompt caches save: the full input price minus what was paid? It is below "
        "zero where writing to the cache cost more than reading from it saved."
    )
    return stats(
        About(23, "Saved by the cache", question, PRICED, QUARTER),
        units.Dollars,
        Line(figures.savings(RANGE), "Saved"),
        *(Line(count, name) for name, count in figures.blind_spots()),
        decimals=CENTS,
        counts=[name for name, _ in figures.blind_spots()],
    )


def cache_hit_share() -> timeseries.Panel:
    """Return the share of input that came from the cache."""
    question = "Which share of the input tokens came from the providers' prompt caches?"
    about = About(24, "Cache hit share", question, COUNTED, _WIDE)
    return curves(about, units.PercentUnit, lines(figures.cache_hit_share(RATE, *_MODEL), *_MODEL)).max(1)


def reasoning_share() -> timeseries.Panel:
    """Return the share of output that was reasoning."""
    question = "Which share of the output tokens was spent on reasoning?"
    about = About(25, "Reasoning share", question, COUNTED, _WIDE)
    return curves(about, units.PercentUnit, lines(figures.reasoning_share(RATE, *_MODEL), *_MODEL)).max(1)


def without_price() -> timeseries.Panel:
    """Return the calls that are missing in sums of money."""
    question = (
        "Which models' calls used tokens and have no cost? Sums of money do not have them; give the model a "
        "price."
    )
    about = About(30, figures.UNPRICED, question, COUNTED)
    return bars(about, units.Short, lines(figures.unpriced(STEP, *_MODEL), *_MODEL))


def without_usage() -> timeseries.Panel:
    """Return the calls that are missing in sums of tokens and money."""
    question = "Why did the usage of calls not arrive, or not whole? Sums do not have what is missing."
    missing = counted(semconv.CALLS_USAGE_MISSING, STEP, semconv.REASON)
    about = About(31, figures.USAGE_MISSING, question, COUNTED)
    return bars(about, units.Short, lines(or_zero(missing, figures.calls(STEP)), semconv.REASON))
