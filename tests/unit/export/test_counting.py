"""Every span is accounted for: exported, failed or dropped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from litespan.export.counting import CountingMetricExporter, CountingSpanExporter
from litespan.export.ledger import Destination, ExportLedger
from litespan.export.paths import MetricPath, SpanPath
from litespan.export.queue_book import QueueSize, queue_size
from litespan.setting_checks import ConfigurationError
from tests.unit.export.sdk import metrics_of, spans_of


class Gate(SpanExporter):
    """Exports when it is opened, and keeps what it got."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Event()
        self.names: list[str] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Wait for the gate to open."""
        self.entered.set()
        assert self.opened.wait(10)
        self.names += [span.name for span in spans]
        return SpanExportResult.SUCCESS


class Broken(SpanExporter):
    """Raises at each export, or answers that it failed."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Fail."""
        if self.error:
            raise self.error
        return SpanExportResult.FAILURE


def ledger(signal: str = "traces") -> ExportLedger:
    """Return an empty ledger."""
    return ExportLedger(Destination(signal, "test", "Check the test."))


def three_spans() -> list[ReadableSpan]:
    """Return three ended spans."""
    return spans_of(lambda tracer: [tracer.start_span("s").end() for _ in range(3)])


def assert_all_failed(exporter: CountingSpanExporter, error_type: str) -> None:
    """Export three spans, which are lost and counted under this type; no exception comes out."""
    assert exporter.export(three_spans()) is SpanExportResult.FAILURE
    counts = exporter.ledger.counts()
    assert (counts.handed_over, counts.exported) == (3, 0)
    assert counts.failures == {error_type: 1}
    assert counts.dropped == {"export_failed": 3}


def closed_amid_an_export(error: BaseException) -> CountingSpanExporter:
    """Return an exporter that is shut down during an export, which raises."""

    class Closing(Broken):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            exporter.shutdown()
            return super().export(spans)

    exporter = CountingSpanExporter(lambda: Closing(error), ledger())
    return exporter


@pytest.mark.internal_errors_expected
def test_a_raising_exporter_is_contained_and_counted() -> None:
    """An exception becomes a failed export under its class's name."""
    assert_all_failed(CountingSpanExporter(lambda: Broken(KeyError("secret")), ledger()), "KeyError")


def test_an_exporter_that_is_closed_amid_an_export_may_raise() -> None:
    """What a channel of gRPC raises when a shutdown closes it under an export is a loss, and no fault."""
    assert_all_failed(closed_amid_an_export(ValueError("Cannot invoke RPC on closed channel!")), "shut_down")


def test_an_exit_amid_an_export_passes() -> None:
    """What ends the program is no exception of an exporter, whether it was closed or not."""
    with pytest.raises(SystemExit):
        closed_amid_an_export(SystemExit()).export(three_spans())


@pytest.mark.internal_errors_expected
def test_a_raising_metric_exporter_is_contained_and_counted() -> None:
    """The same for metrics, of which a failed export loses nothing."""

    class BrokenMetrics(MetricExporter):
        def export(
            self, metrics_data: MetricsData, timeout_millis: float = 1, **kwargs: Any
        ) -> MetricExportResult:
            raise OSError("no")

        def shutdown(self, timeout_millis: float = 1, **kwargs: Any) -> None:
            raise OSError("no")

        def force_flush(self, timeout_millis: float = 1) -> bool:
            return True

    exporter = CountingMetricExporter(BrokenMetrics, ledger("metrics"))
    data = metrics_of(lambda meter: meter.create_counter("tokens").add(1))
    assert exporter.export(data) is MetricExportResult.FAILURE
    exporter.shutdown()
    counts = exporter.ledger.counts()
    assert counts.failures == {"OSError": 1}
    assert counts.dropped == {}


def test_the_first_loss_is_logged_once_and_says_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    """One warning names destination, reason and remedy; later losses are only counted."""
    exporter = CountingSpanExporter(Broken, ledger())
    with caplog.at_level(logging.WARNING, "litespan"):
        for _ in range(3):
            exporter.export(three_spans())
    (message,) = [record.getMessage() for record in caplog.records]
    assert "traces: test (export_failed; 3 items). Check the test." in message
    assert exporter.ledger.counts().dropped == {"export_failed": 9}


def test_one_lost_span_is_told_as_one(caplog: pytest.LogCaptureFixture) -> None:
    """A single item is no plural."""
    CountingSpanExporter(Broken, ledger()).export(three_spans()[:1])

    assert "(export_failed; 1 item). " in caplog.text


def path_with(gate: SpanExporter, size: QueueSize) -> tuple[SpanPath, TracerProvider]:
    """Return a path with a small queue, and a provider that feeds it."""
    path = SpanPath(CountingSpanExporter(lambda: gate, ledger()), size)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(path.processor)
    return path, provider


def test_spans_lost_by_a_full_queue_are_counted_exactly() -> None:
    """With an exporter that hangs, ended = exported + queue_full, and flush says that some were lost."""
    gate = Gate()
    path, provider = path_with(gate, QueueSize(8, 4))
    tracer = provider.get_tracer("test")
    for number in range(4):
        tracer.start_span(str(number)).end()
    assert gate.entered.wait(10), "the first batch is on its way"
    for number in range(4, 30):
        tracer.start_span(str(number)).end()
    assert path.waiting() == 8
    gate.opened.set()
    assert path.flush() is False
    assert gate.names == [str(number) for number in [0, 1, 2, 3, *range(22, 30)]]
    counts = path.ledger.counts() if path.ledger else None
    assert counts is not None
    assert (counts.exported, counts.dropped) == (12, {"queue_full": 18})
    assert path.waiting() == 0
    assert path.flush() is True


def test_losses_are_exact_with_many_threads() -> None:
    """Eight threads end spans at once; in the end each span is either exported or counted as lost."""
    gate = Gate()
    gate.opened.set()
    path, provider = path_with(gate, QueueSize(16, 8))
    tracer = provider.get_tracer("test")

    def work() -> None:
        for _ in range(400):
            tracer.start_span("s").end()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    path.flush()
    assert path.ledger is not None
    counts = path.ledger.counts()
    assert counts.exported == len(gate.names)
    assert counts.exported + counts.dropped.get("queue_full", 0) == 3200


def test_spans_that_were_not_sampled_are_no_loss() -> None:
    """What the sampler left out is neither queued nor counted."""
    gate = Gate()
    path = SpanPath(CountingSpanExporter(lambda: gate, ledger()), QueueSize(8, 4))
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(path.processor)
    provider.get_tracer("test").start_span("s").end()
    assert path.flush()
    assert path.waiting() == 0


def test_spans_after_shutdown_are_counted() -> None:
    """A span that ends after the shutdown is dropped under that reason."""
    gate = Gate()
    gate.opened.set()
    path, provider = path_with(gate, QueueSize(8, 4))
    late = provider.get_tracer("test").start_span("late")
    assert path.shutdown()
    late.end()
    assert path.ledger is not None
    assert path.ledger.counts().dropped == {"shut_down": 1}


def test_a_metric_path_flushes_what_was_measured() -> None:
    """A flush of metrics is true if this export worked, whatever happened before."""
    from opentelemetry.sdk.metrics import MeterProvider

    class Sink(MetricExporter):
        answer = MetricExportResult.FAILURE

        def export(
            self, metrics_data: MetricsData, timeout_millis: float = 1, **kwargs: Any
        ) -> MetricExportResult:
            return self.answer

        def shutdown(self, timeout_millis: float = 1, **kwargs: Any) -> None:
            pass

        def force_flush(self, timeout_millis: float = 1) -> bool:
            return True

    sink = Sink()
    path = MetricPath(CountingMetricExporter(lambda: sink, ledger("metrics")), 60_000)
    provider = MeterProvider([path.reader], shutdown_on_exit=False)
    path.attach(provider)
    provider.get_meter("test").create_counter("tokens").add(1)
    assert not path.flush()
    sink.answer = MetricExportResult.SUCCESS
    assert path.flush()
    assert path.shutdown()


@pytest.mark.parametrize(
    ("environ", "size"),
    [
        ({}, (2048, 512)),
        ({"OTEL_BSP_MAX_QUEUE_SIZE": "100"}, (100, 100)),
        ({"OTEL_BSP_MAX_QUEUE_SIZE": "4096", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1024"}, (4096, 1024)),
    ],
)
def test_queue_size_comes_from_opentelemetrys_variables(
    environ: dict[str, str], size: tuple[int, int]
) -> None:
    """The queue's variables stay in force; a small queue makes the batch small too."""
    assert queue_size(environ) == size


@pytest.mark.parametrize(
    "environ",
    [
        {"OTEL_BSP_MAX_QUEUE_SIZE": "many"},
        {"OTEL_BSP_MAX_QUEUE_SIZE": "0"},
        {"OTEL_BSP_MAX_QUEUE_SIZE": "10", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "20"},
    ],
)
def test_a_wrong_queue_size_is_a_clear_error(environ: dict[str, str]) -> None:
    """A value that cannot be used is named."""
    with pytest.raises(ConfigurationError, match="OTEL_BSP_MAX"):
        queue_size(environ)
