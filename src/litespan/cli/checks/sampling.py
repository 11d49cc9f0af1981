"""What OTEL_TRACES_SAMPLER means for spans, while metrics count everything. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from litespan.cli.checks.finding import Finding, ok, problem, warning

CHECK: Final = "sampling"
_ARGUMENT: Final = "OTEL_TRACES_SAMPLER_ARG"
# The names that OpenTelemetry's SDK knows.
KNOWN: Final = (
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
)
_METRICS: Final = "metrics count all calls"


def check_sampling(environ: Mapping[str, str], others: tuple[str, ...] = ()) -> Finding:
    """Say what share of the traces is kept; ``others`` are the samplers that installed packages offer."""
    name = environ.get("OTEL_TRACES_SAMPLER", "").strip().lower() or "parentbased_always_on"
    if name not in KNOWN and name in others:
        return warning(CHECK, f"{name} of another package decides which traces are kept; {_METRICS}")
    if name not in KNOWN:
        return problem(
            CHECK,
            f"{name!r} is no sampler; OpenTelemetry falls back to parentbased_always_on",
            f"export OTEL_TRACES_SAMPLER=parentbased_always_on  # one of {', '.join(KNOWN)}",
        )
    if name.endswith("always_off"):
        return problem(CHECK, f"{name}: no span is kept; {_METRICS}", "unset OTEL_TRACES_SAMPLER")
    if name.endswith("traceidratio"):
        return _of_ratio(name, environ.get(_ARGUMENT, "").strip())
    return ok(CHECK, f"{name}: every trace is kept, unless the caller of your service did not sample it")


def _of_ratio(name: str, argument: str) -> Finding:
    try:
        ratio = float(argument or 1)
    except ValueError:
        ratio = -1.0
    if not 0 <= ratio <= 1:
        return problem(
            CHECK,
            f"{_ARGUMENT} is no number from 0 to 1; OpenTelemetry keeps every trace",
            f"export {_ARGUMENT}=0.1",
        )
    if ratio == 1:
        return ok(CHECK, f"{name}: every trace is kept")
    return warning(
        CHECK, f"{name}: {ratio:.2%} of the traces are kept; {_METRICS}, so sums over spans are smaller"
    )
