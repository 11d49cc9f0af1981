"""Whether something switches the whole off. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from litespan.cli.checks.finding import Finding, ok, problem, warning
from litespan.export.choice import exporter_names
from litespan.export.ledger import METRICS, TRACES
from litespan.settings import Settings

CHECK: Final = "switches"
_OF_SDK: Final = "OPENAI_AGENTS_DISABLE_TRACING"
DISABLED: Final = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


def check_switches(settings: Settings, environ: Mapping[str, str]) -> Finding:
    """Name what is off."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return problem(
            CHECK, "OTEL_SDK_DISABLED=true: no span and no metric is made", "unset OTEL_SDK_DISABLED"
        )
    if environ.get(_OF_SDK, "").lower() in ("true", "1"):
        return problem(
            CHECK,
            f"{_OF_SDK} is set: model calls are recorded, but no agents, tools and trees",
            f"unset {_OF_SDK}  # litespan has replaced the exporter to OpenAI",
        )
    if "litespan" in disabled_instrumentations(environ):
        return problem(
            CHECK,
            f"{DISABLED} names litespan: opentelemetry-instrument leaves it out",
            f"unset {DISABLED}  # or take litespan out of it",
        )
    off = [signal for signal in (TRACES, METRICS) if not exporter_names(signal, settings, environ)]
    if len(off) == len((TRACES, METRICS)):
        return warning(CHECK, "the exporters of traces and metrics are none: nothing leaves the program")
    return ok(CHECK, f"on, but {off[0]} are not exported" if off else "nothing is switched off")


def disabled_instrumentations(environ: Mapping[str, str]) -> frozenset[str]:
    """Return the names that `opentelemetry-instrument` leaves out."""
    return frozenset(name.strip() for name in environ.get(DISABLED, "").split(",") if name.strip())
