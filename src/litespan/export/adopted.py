"""Providers of a pipeline with their paths, and the application's own as such.

Nothing here needs what exports: who instruments an application that has providers does not import it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from opentelemetry import _logs, metrics, trace

from litespan.export.ledger import LOGS, METRICS, TRACES
from litespan.export.path import AdoptedPath, Path

_ADOPTED: Final = "{}: the application's own OpenTelemetry provider"


class Traces(NamedTuple):
    """A tracer provider, its paths, and where they lead."""

    provider: trace.TracerProvider
    paths: Sequence[Path]
    notes: Sequence[str]


class Metrics(NamedTuple):
    """A meter provider, its paths, and where they lead."""

    provider: metrics.MeterProvider
    paths: Sequence[Path]
    notes: Sequence[str]


class Logs(NamedTuple):
    """A logger provider, its paths, and where they lead; without a provider, no events are emitted."""

    provider: _logs.LoggerProvider | None = None
    paths: Sequence[Path] = ()
    notes: Sequence[str] = ()


def adopt_traces(provider: trace.TracerProvider | None) -> Traces:
    """Use a tracer provider of the application; None: the global one, also if it is set later."""
    find = trace.get_tracer_provider if provider is None else lambda: provider
    return Traces(find(), [AdoptedPath(find, TRACES)], [_ADOPTED.format(TRACES)])


def adopt_metrics(provider: metrics.MeterProvider | None) -> Metrics:
    """The same for metrics."""
    find = metrics.get_meter_provider if provider is None else lambda: provider
    return Metrics(find(), [AdoptedPath(find, METRICS)], [_ADOPTED.format(METRICS)])


def adopt_logs(provider: _logs.LoggerProvider | None) -> Logs:
    """The same for log records."""
    find = _logs.get_logger_provider if provider is None else lambda: provider
    return Logs(find(), [AdoptedPath(find, LOGS)], [_ADOPTED.format(LOGS)])
