"""Whether metrics have the shape that Prometheus and the dashboards read. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from litespan.cli.checks.finding import Finding, ok, problem, warning
from litespan.cli.checks.wires import Wire
from litespan.export.choice import PROMETHEUS

CHECK: Final = "temporality"
_PREFERENCE: Final = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
_AGGREGATION: Final = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"
_CUMULATIVE: Final = "cumulative"


def check_metric_shape(
    environ: Mapping[str, str], names: tuple[str, ...], wire: Wire | None, *, spooled: bool = False
) -> Finding:
    """Say how metrics add up.

    Args:
        environ: the environment variables.
        names: the exporters of metrics.
        wire: how OTLP sends them, if it is among the exporters.
        spooled: whether they are kept until the receiver has them.
    """
    if wire is None:
        return ok(CHECK, f"{_CUMULATIVE}, as {' and '.join(names) or 'none'} has it")
    preference = environ.get(_PREFERENCE, "").strip().lower() or _CUMULATIVE
    if preference not in (_CUMULATIVE, "delta", "lowmemory"):
        return problem(
            CHECK,
            f"{preference!r} is no temporality; OpenTelemetry falls back to cumulative",
            f"export {_PREFERENCE}=cumulative",
        )
    if preference != _CUMULATIVE:
        return _of_delta(preference, wire, spooled=spooled)
    if environ.get(_AGGREGATION, "").strip().lower() == "base2_exponential_bucket_histogram":
        return warning(
            CHECK,
            "exponential histograms: the dashboards read classic buckets and show no latencies",
            f"unset {_AGGREGATION}",
        )
    return ok(CHECK, f"{_CUMULATIVE}, which Prometheus needs" + _both(names))


def _both(names: tuple[str, ...]) -> str:
    return ", for pushing and scraping" if PROMETHEUS in names else ""


def _of_delta(preference: str, wire: Wire, *, spooled: bool) -> Finding:
    mend = f"unset {_PREFERENCE}"
    if wire.path.endswith("/otlp/v1/metrics"):
        return problem(CHECK, f"{preference}, and Prometheus refuses delta counters and histograms", mend)
    if spooled:
        says = f"{preference}, and a spool needs cumulative metrics: a batch may be sent twice"
        return problem(CHECK, says, mend)
    return warning(
        CHECK,
        f"{preference}: right for receivers that ask for it; Prometheus and the dashboards need cumulative",
        f"{mend}  # unless the receiver asks for delta",
    )
