"""Latency & reliability: what fails, is tried again or never ends."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import stat, timeseries
from grafana_foundation_sdk.models import units

from dashboards.build import figures
from dashboards.build.descriptions import COUNTED, NOW
from dashboards.build.panels import WHOLE, WHOLE_NUMBER, About, bars, curves, stats
from dashboards.build.promql import RANGE, RATE, STEP, counted, equals, or_zero, select, share_of_all, total
from dashboards.build.targets import Line, lines
from litespan import records, semconv

_MODEL: Final = (semconv.PROVIDER_NAME, semconv.REQUEST_MODEL)
_ENDS: Final = {
    records.OK: "Ended well",
    records.ERROR: "Failed",
    records.CANCELLED: "Cancelled",
    records.ABANDONED: "Abandoned",
    records.INCOMPLETE: "Incomplete",
}


def ends() -> stat.Panel:
    """Return how calls ended, in numbers."""
    question = (
        "How did the calls end? Cancelled: the program gave up. Abandoned: nobody read the stream to its "
        "end. Incomplete: the stream was cut."
    )
    shown = [Line(_ended(outcome), title) for outcome, title in _ENDS.items()]
    troubles = [title for outcome, title in _ENDS.items() if outcome != records.OK]
    return stats(
        About(10, "Ends of calls", question, COUNTED, WHOLE, 4), WHOLE_NUMBER, *shown, counts=troubles
    )


def _ended(outcome: str) -> str:
    return or_zero(figures.calls(RANGE, where=(equals(semconv.OUTCOME, outcome),)), figures.calls(RANGE))


def outcomes() -> timeseries.Panel:
    """Return how calls ended, over time."""
    about = About(11, "Outcomes of calls", "When did calls end in which way?", COUNTED)
    return bars(about, units.Short, lines(figures.calls(STEP, semconv.OUTCOME), semconv.OUTCOME))


def error_rate() -> timeseries.Panel:
    """Return the share of failed calls by kind of error."""
    kind, metric = semconv.ERROR_TYPE, semconv.OPERATION_DURATION
    every = counted(metric, RATE, part="count")
    failed = or_zero(counted(metric, RATE, kind, where=(figures.FAILED,), part="count"), every)
    about = About(12, "Error rate", "Which share of the calls fails, and with which error?", COUNTED)
    return curves(about, units.PercentUnit, lines(share_of_all(failed, every), kind))


def retries() -> timeseries.Panel:
    """Return the HTTP requests that a call took."""
    question = (
        "How many HTTP requests does a call take? Above one, it was tried again inside LiteLLM or a client."
    )
    exactness = "Requests are counted where their number is known; calls of which it is not make it too low."
    about = About(13, "Requests per call", question, exactness)
    return curves(about, units.Short, lines(figures.requests_per_call(RATE, *_MODEL), *_MODEL))


def in_flight() -> timeseries.Panel:
    """Return the calls that wait for their answer."""
    question = (
        "How many calls wait for an answer or read a stream right now? A line that never falls is a leak."
    )
    about = About(14, "Calls in flight", question, NOW)
    return curves(
        about,
        units.Short,
        lines(total(select(semconv.CALLS_ACTIVE), *_MODEL), *_MODEL),
        calcs=("lastNotNull", "max"),
    )
