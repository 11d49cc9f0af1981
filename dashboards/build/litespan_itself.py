"""litespan itself: is the telemetry telling the truth?"""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import stat, timeseries
from grafana_foundation_sdk.models import units

from dashboards.build import figures
from dashboards.build.descriptions import COUNTED, NOW
from dashboards.build.house import ITSELF, Page
from dashboards.build.panels import THIRD, WHOLE, WHOLE_NUMBER, About, bars, curves, stats
from dashboards.build.promql import RANGE, RATE, STEP, counted, equals, or_zero, select, share, total
from dashboards.build.targets import Line, lines
from litespan import semconv
from litespan.semconv import Metric

_SERVICE: Final = "service.name"
_INSTANCE: Final = "service.instance.id"
_LOST: Final = (
    COUNTED
    + " Zero is shown where a process told of itself; what is lost while a process ends is in its log only."
)


def _heard_of(window: str) -> str:
    """Return the number of processes that told of themselves in the window."""
    return f"count(last_over_time({select(semconv.RECORDS_OPEN)}[{window}]))"


def _lost(metric: Metric, window: str, *by: str) -> str:
    return or_zero(counted(metric, window, *by), _heard_of(window))


def totals() -> stat.Panel:
    """Return what was lost, in numbers."""
    shown = {
        "Dropped": semconv.DROPPED,
        "Failed exports": semconv.EXPORT_FAILURES,
        "Internal errors": semconv.INTERNAL_ERRORS,
    }
    question = (
        "Was any telemetry lost? Dropped are spans and logs; a failed export of metrics loses nothing, as "
        "the next one brings the sums."
    )
    return stats(
        About(1, "Lost in the time shown", question, _LOST, WHOLE, 4),
        WHOLE_NUMBER,
        *(Line(_lost(metric, RANGE), title) for title, metric in shown.items()),
        Line(_heard_of(RANGE), "Processes"),
        counts=list(shown),
    )


def dropped() -> timeseries.Panel:
    """Return what was lost, by reason."""
    by = (semconv.SIGNAL, semconv.REASON)
    question = (
        "What is lost, and why? queue_full: it came faster than it was sent. export_failed: nobody took it."
    )
    return bars(
        About(2, "Dropped", question, _LOST, THIRD),
        units.Short,
        lines(_lost(semconv.DROPPED, STEP, *by), *by),
    )


def export_failures() -> timeseries.Panel:
    """Return the exports that failed, by error."""
    by = (semconv.SIGNAL, semconv.ERROR_TYPE)
    about = About(3, "Failed exports", "Which signal could not be sent, and with which error?", _LOST, THIRD)
    return bars(about, units.Short, lines(_lost(semconv.EXPORT_FAILURES, STEP, *by), *by))


def internal_errors() -> timeseries.Panel:
    """Return faults of litespan, by place."""
    question = (
        "Where did litespan itself fail? Programs are not disturbed by it, but their telemetry has a hole."
    )
    about = About(4, "Internal errors", question, _LOST, THIRD)
    return bars(about, units.Short, lines(_lost(semconv.INTERNAL_ERRORS, STEP, semconv.PLACE), semconv.PLACE))


def queue() -> timeseries.Panel:
    """Return the spans that wait to be sent."""
    question = (
        "How many spans wait to be sent? A queue that stays at its limit (2048, if not set) loses spans."
    )
    about = About(5, "Export queue", question, NOW)
    return _by_process(about, semconv.EXPORT_QUEUE_SIZE)


def records_open() -> timeseries.Panel:
    """Return the runs, calls and tools that go on."""
    question = "How many runs, agents, calls and tools go on? A line that only rises is a leak."
    return _by_process(About(6, "Open records", question, NOW), semconv.RECORDS_OPEN)


def _by_process(about: About, metric: Metric) -> timeseries.Panel:
    by = (_SERVICE, _INSTANCE)
    return curves(about, units.Short, lines(total(select(metric), *by), *by), calcs=("lastNotNull", "max"))


def blind_spots() -> timeseries.Panel:
    """Return the share of calls that sums of tokens and money do not have."""
    question = "Which share of the calls has no usage, or usage and no price? Sums do not have these calls."
    every = figures.calls(RATE, _SERVICE)
    return curves(
        About(7, "Share of calls that sums do not have", question, COUNTED),
        units.PercentUnit,
        lines(share(figures.usage_missing(RATE, _SERVICE), every), _SERVICE, note="without usage"),
        lines(share(figures.unpriced(RATE, _SERVICE), every), _SERVICE, note="without a price"),
    )


def folded() -> timeseries.Panel:
    """Return the share of calls that lost their model's name."""
    other = figures.calls(RATE, _SERVICE, where=(equals(semconv.REQUEST_MODEL, semconv.OTHER),))
    every = figures.calls(RATE, _SERVICE)
    question = (
        "Which share of the calls is counted under the model 'other', because there were too many names? "
        "Sums stay whole, the split by model does not."
    )
    about = About(8, "Share of calls without their model's name", question, COUNTED)
    return curves(about, units.PercentUnit, lines(share(or_zero(other, every), every), _SERVICE))


def page() -> Page:
    """Return the dashboard for whoever runs the telemetry."""
    return Page(
        ITSELF,
        "litespan: itself",
        "Whether the telemetry tells the truth: what was dropped, failed, waits or is not known.",
        {
            "What is lost": [
                totals(),
                dropped(),
                export_failures(),
                internal_errors(),
                queue(),
                records_open(),
            ],
            "What is not known": [blind_spots(), folded()],
        },
    )
