"""Latency & reliability: how long calls and runs take, and how they fail."""

from __future__ import annotations

from dashboards.build import latency, reliability
from dashboards.build.house import LATENCY, Page


def page() -> Page:
    """Return the dashboard for whoever is called when it is slow or broken."""
    return Page(
        LATENCY,
        "litespan: latency & reliability",
        "How long model calls and runs take, how they fail, and the traces of the slow ones.",
        {
            "How calls end": [
                reliability.ends(),
                reliability.outcomes(),
                reliability.error_rate(),
                reliability.retries(),
                reliability.in_flight(),
            ],
            "How long calls take": [
                latency.call_duration(),
                latency.first_chunk(),
                latency.call_durations(),
                latency.first_chunks(),
                latency.speed(),
                latency.models(),
            ],
            "How long runs take": [latency.run_duration(), latency.run_durations()],
        },
    )
