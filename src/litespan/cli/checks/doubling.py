"""Whether the same thing is told twice: by other instrumentations, or by scraping and pushing. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from litespan.cli.checks.finding import Finding, ok, warning
from litespan.cli.checks.tracing import DISABLED, disabled_instrumentations
from litespan.export.choice import OTLP, PROMETHEUS
from litespan.sources.others import OTHERS, Other

INSTRUMENTATIONS: Final = "other instrumentations"
METRICS_ONCE: Final = "metrics sent once"


def distribution_of(other: Other) -> str | None:
    """Return the package that an instrumentation comes with; None for what is a part of LiteLLM."""
    name = other.name.partition(".")[0]
    return None if " " in name else name


# Each package once: logfire has two instrumentations.
PACKAGES: Final = tuple(dict.fromkeys(name for name in map(distribution_of, OTHERS) if name is not None))


def check_instrumentations(installed: Mapping[str, Sequence[str]], environ: Mapping[str, str]) -> Finding:
    """Name packages that tell the same calls again.

    Args:
        installed: the other packages that are there, each with the names by which
            `opentelemetry-instrument` switches it on.
        environ: the environment variables.
    """
    off = disabled_instrumentations(environ)
    names = sorted({name for entries in installed.values() for name in entries} - off)
    packages = ", ".join(sorted(installed))
    if names and "*" not in off:
        every = ",".join(sorted(off.union(names)))
        return warning(
            INSTRUMENTATIONS,
            f"{packages}: opentelemetry-instrument switches them on too, and calls have two spans",
            f"export {DISABLED}={every}",
        )
    if installed:
        return ok(INSTRUMENTATIONS, f"{packages}: installed, and on only if your program calls them")
    return ok(INSTRUMENTATIONS, "none that tells the same calls is installed")


def check_metrics_once(names: tuple[str, ...]) -> Finding:
    """Say whether metrics are both scraped and pushed."""
    if {OTLP, PROMETHEUS} <= set(names):
        return warning(
            METRICS_ONCE,
            "pushed by OTLP and offered for scraping: if one Prometheus takes both, every sum is doubled",
            "export OTEL_METRICS_EXPORTER=otlp  # or prometheus",
        )
    return ok(METRICS_ONCE, f"by {' and '.join(names) or 'none'}")
