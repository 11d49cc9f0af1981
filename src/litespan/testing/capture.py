"""Capture what litespan emits, in memory, for tests of your own agents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Sampler

from litespan import _api
from litespan.export.pipeline import adopt
from litespan.settings import load_settings
from litespan.testing.deterministic import CountingIdGenerator, SteppingClock
from litespan.testing.tree import render_tree


class Capture:
    """Instruments the process for the time of a ``with`` block; keeps spans, metrics and events in memory.

    Args:
        deterministic: count ids and step the clock by a millisecond at each look, for snapshots.
        sampler: a sampler for the tracer provider; default: every span.
        **settings: any field of :class:`litespan.settings.Settings`.
    """

    def __init__(
        self, *, deterministic: bool = False, sampler: Sampler | None = None, **settings: object
    ) -> None:
        self._settings = load_settings({}, **settings)
        self._clock = SteppingClock() if deterministic else None
        ids: IdGenerator | None = CountingIdGenerator() if deterministic else None
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracer_provider = TracerProvider(sampler=sampler, id_generator=ids, shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meter_provider = MeterProvider([self._reader], shutdown_on_exit=False)
        self._records = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
        self.logger_provider = LoggerProvider(shutdown_on_exit=False)
        self.logger_provider.add_log_record_processor(SimpleLogRecordProcessor(self._records))

    def __enter__(self) -> Capture:
        """Instrument; whatever was instrumented before is taken out."""
        pipeline = adopt(
            self.tracer_provider,
            self.meter_provider,
            self.logger_provider,
            events=self._settings.events,
        )
        _api.install(self._settings, pipeline, clock=self._clock)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take litespan out of the hosts again; open records are closed and captured."""
        _api.uninstrument()

    # -- spans ---------------------------------------------------------------------------------------------
    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """Ended spans, in the order in which they ended."""
        return self._exporter.get_finished_spans()

    def named(self, start: str) -> list[ReadableSpan]:
        """Return the spans whose name starts with ``start``, in the order in which they began."""
        return sorted((s for s in self.spans if s.name.startswith(start)), key=lambda s: s.start_time or 0)

    def tree(self, *attributes: str) -> str:
        """Return all spans as indented text, with these attributes behind the names."""
        return render_tree(self.spans, attributes)

    def clear(self) -> None:
        """Forget the spans and events so far; metrics are cumulative and stay."""
        self._exporter.clear()
        self._records.clear()

    # -- events --------------------------------------------------------------------------------------------
    @property
    def events(self) -> Sequence[LogRecord]:
        """The events of model calls, in the order in which the calls ended; see ``capture_content``."""
        return [record.log_record for record in self._records.get_finished_logs()]

    # -- metrics -------------------------------------------------------------------------------------------
    def points(self, metric: str, **attributes: Any) -> list[Any]:
        """Return the data points of a metric that carry these attributes.

        Attribute names are given with ``__`` for a dot: ``gen_ai__agent__name="triage"``.
        """
        wanted = {name.replace("__", "."): value for name, value in attributes.items()}
        return [point for point in self._points(metric) if _matches(point.attributes, wanted)]

    def total(self, metric: str, **attributes: Any) -> float:
        """Return the sum of a metric over the points that carry these attributes; of a histogram, its sum."""
        return sum(_value(point) for point in self.points(metric, **attributes))

    def count(self, metric: str, **attributes: Any) -> int:
        """Return the number of measurements in a histogram over the points that carry these attributes."""
        return sum(point.count for point in self.points(metric, **attributes))

    def metric_names(self) -> set[str]:
        """Return the names of all metrics that have data."""
        return {metric.name for metric in self._metrics()}

    def _metrics(self) -> Iterator[Any]:
        data = self._reader.get_metrics_data()
        for resource in data.resource_metrics if data is not None else ():
            for scope in resource.scope_metrics:
                yield from scope.metrics

    def _points(self, name: str) -> Iterator[Any]:
        for metric in self._metrics():
            if metric.name == name:
                yield from metric.data.data_points


def _matches(attributes: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> bool:
    return all((attributes or {}).get(name) == value for name, value in wanted.items())


def _value(point: Any) -> float:
    return float(point.sum if hasattr(point, "sum") else point.value)
