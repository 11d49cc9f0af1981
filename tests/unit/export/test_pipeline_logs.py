"""Events on their way out: what a real receiver, a file and the console get, and what is lost and counted."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import tomli
from google.protobuf.json_format import ParseDict
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    LogRecordExporter,
    LogRecordExportResult,
    SimpleLogRecordProcessor,
)

from litespan.export.counting import CountingLogExporter
from litespan.export.entry_points import FileLogExporter
from litespan.export.ledger import Destination, ExportLedger
from litespan.export.otlp_json import logs_to_json
from litespan.export.paths import LogPath
from litespan.export.pipeline import Pipeline, build
from litespan.export.queue_book import QueueSize, queue_size
from litespan.setting_checks import ConfigurationError
from litespan.settings import load_settings
from tests.fakes.otlp_server import Protocol, collector, dead_endpoint
from tests.unit.export.sdk import RESOURCE
from tests.waiting import KEPT, wait_until

ATTRIBUTES: dict[str, Any] = {
    "traceId": "not an id",
    "messages": [{"role": "user", "parts": [{"type": "text", "content": "läuft 🚀"}]}],
    "tokens": 2**60,
}
Build = Callable[..., Pipeline]


@pytest.fixture
def make() -> Iterator[Build]:
    """Build pipelines with events and nothing else, and end them afterwards."""
    made: list[Pipeline] = []

    def make_one(**settings: object) -> Pipeline:
        others = {"traces_exporter": "none", "metrics_exporter": "none", "capture_content": "EVENT_ONLY"}
        made.append(build(load_settings(None, **{**others, **settings}), use_globals=False))
        return made[-1]

    yield make_one
    for pipeline in made:
        pipeline.shutdown(0.01)


def emit(pipeline: Pipeline, name: str = "details") -> int:
    """Emit one event in a span; return the span's id."""
    assert pipeline.logger_provider is not None
    logger = pipeline.logger_provider.get_logger("test")
    with pipeline.tracer_provider.get_tracer("test").start_as_current_span("chat") as span:
        logger.emit(
            LogRecord(
                timestamp=5, severity_number=SeverityNumber.DEBUG, event_name=name, attributes=ATTRIBUTES
            )
        )
    return span.get_span_context().span_id


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_events_arrive_whole(make: Build, protocol: Protocol) -> None:
    """A collector gets the event with its name, its span, its values and the service's name."""
    with collector(protocol) as received:
        pipeline = make(otlp_endpoint=received.endpoint, otlp_protocol=protocol, service_name="shop")
        span_id = emit(pipeline)
        assert pipeline.flush(5)

    (record,) = received.logs()
    assert ("details", span_id.to_bytes(8, "big"), 5) == (
        record.event_name, record.span_id, record.severity_number,
    )  # fmt: skip
    values = {a.key: a.value for a in record.attributes}
    message = {pair.key: pair.value for pair in values["messages"].array_value.values[0].kvlist_value.values}
    assert "user" == message["role"].string_value
    resource = received.log_requests[0].resource_logs[0].resource
    assert "shop" in [a.value.string_value for a in resource.attributes if a.key == "service.name"]
    assert 1 == pipeline.stats()["logs"]["exported"]


def test_variables_of_the_signal(make: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """`OTEL_EXPORTER_OTLP_LOGS_ENDPOINT` and `_PROTOCOL` send events somewhere of their own."""
    with collector("grpc") as received:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", received.endpoint)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "grpc")
        pipeline = make()
        emit(pipeline)
        assert pipeline.shutdown(5)

    assert 1 == len(received.logs())


def records_of(emitter: Callable[[Any], object]) -> Sequence[ReadableLogRecord]:
    """Return the records that ``emitter(logger)`` makes."""
    memory = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    provider = LoggerProvider(RESOURCE, shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(memory))
    emitter(provider.get_logger("test"))
    return memory.get_finished_logs()


def test_a_file_line_equals_the_official_encoding(make: Build, tmp_path: Path) -> None:
    """By default events go to a file; its line, with ids turned back, is the official message."""
    path = tmp_path / "logs.jsonl"
    pipeline = make(logs_file=path)
    span_id = emit(pipeline)
    assert pipeline.flush(5)

    assert [f"logs: file {path}"] == [note for note in pipeline.describe() if note.startswith("logs")]
    request = json.loads(path.read_text(encoding="utf-8"))
    (record,) = request["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    # Without a tracer that samples there are ids of zeros only; here both are hex.
    assert (32, f"{span_id:016x}") == (len(record["traceId"]), record["spanId"])
    for name in ("traceId", "spanId"):
        record[name] = base64.b64encode(bytes.fromhex(record[name])).decode()
    message = ParseDict(request, ExportLogsServiceRequest())
    assert "details" == message.resource_logs[0].scope_logs[0].log_records[0].event_name


def test_the_mapping_is_the_one_of_otlp() -> None:
    """A record's own ids are hex, attributes stay as they are, and a record without a span has no ids."""
    records = records_of(lambda logger: logger.emit(LogRecord(event_name="e", attributes=ATTRIBUTES)))
    line = json.loads(logs_to_json(records))
    assert encode_logs(records) == ParseDict(line, ExportLogsServiceRequest())
    (record,) = line["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    assert "traceId" not in record
    assert {"key": "traceId", "value": {"stringValue": "not an id"}} in record["attributes"]


def test_console(make: Build, capsys: pytest.CaptureFixture[str]) -> None:
    """On the console each event is printed at once, as JSON."""
    pipeline = make(logs_exporter="console")
    emit(pipeline)

    assert "details" == json.loads(capsys.readouterr().out)["event_name"]


def test_nothing_is_built_without_events(make: Build, tmp_path: Path) -> None:
    """Without a mode that names events there is no logger provider, no file and no count."""
    pipeline = make(capture_content="SPAN_ONLY", logs_file=tmp_path / "logs.jsonl")

    assert (None, False) == (pipeline.logger_provider, "logs" in pipeline.stats())
    assert [] == list(tmp_path.iterdir())


def test_none_sends_nothing(make: Build, tmp_path: Path) -> None:
    """`logs_exporter="none"` leads nowhere, and says so."""
    pipeline = make(logs_exporter="none", logs_file=tmp_path / "logs.jsonl")
    emit(pipeline)

    assert "logs: nowhere" in pipeline.describe()
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("action", ["flush", "shutdown"])
def test_deadlines_are_kept(make: Build, action: str) -> None:
    """Where nothing listens, flush and shutdown answer False within their time; the events are counted."""
    pipeline = make(otlp_endpoint=dead_endpoint())
    emit(pipeline)
    begin = time.monotonic()
    assert not getattr(pipeline, action)(0.4)
    assert time.monotonic() - begin < 0.4 + KEPT
    pipeline.shutdown(0.1)
    wait_until(lambda: ("logs", "export_failed") in pipeline.dropped(), 5)
    assert {("logs", "export_failed"): 1} == pipeline.dropped()


def test_an_unwritable_file_leaves_nothing_running(tmp_path: Path) -> None:
    """If a file cannot be written, building fails before any thread was started."""
    before = set(threading.enumerate())
    settings = load_settings(
        {}, capture_content="EVENT_ONLY", logs_file=tmp_path / "l", metrics_file=tmp_path
    )
    with pytest.raises(ConfigurationError, match="cannot be written"):
        build(settings, use_globals=False)
    assert set() == set(threading.enumerate()) - before


class Gate(LogRecordExporter):
    """Exports when it is opened, and keeps what it got."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Event()
        self.names: list[str | None] = []

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Wait for the gate to open."""
        self.entered.set()
        assert self.opened.wait(10)
        self.names += [record.log_record.event_name for record in batch]
        return LogRecordExportResult.SUCCESS

    def shutdown(self) -> None:
        """Do nothing."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Do nothing."""
        return True


def test_events_lost_by_a_full_queue_are_counted_exactly(caplog: pytest.LogCaptureFixture) -> None:
    """With an exporter that hangs, emitted = exported + queue_full; the log line names the variable."""
    gate = Gate()
    path = LogPath(
        CountingLogExporter(lambda: gate, ExportLedger(Destination("logs", "test", "Check the test."))),
        QueueSize(8, 4),
    )
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(path.processor)
    logger = provider.get_logger("test")
    for number in range(4):
        logger.emit(LogRecord(event_name=str(number)))
    assert gate.entered.wait(10), "the first batch is on its way"
    for number in range(4, 30):
        logger.emit(LogRecord(event_name=str(number)))
    assert 8 == path.waiting()
    gate.opened.set()
    assert not path.flush()
    assert [str(number) for number in [0, 1, 2, 3, *range(22, 30)]] == gate.names
    assert path.ledger is not None
    counts = path.ledger.counts()
    assert (12, {"queue_full": 18}) == (counts.exported, counts.dropped)
    assert "raise OTEL_BLRP_MAX_QUEUE_SIZE" in caplog.text
    assert path.shutdown()
    logger.emit(LogRecord(event_name="late"))
    assert 1 == path.ledger.counts().dropped["shut_down"]


def test_queue_size_of_events() -> None:
    """OpenTelemetry's variables of log records set the size of their queue."""
    assert (100, 100) == queue_size({"OTEL_BLRP_MAX_QUEUE_SIZE": "100"}, "logs")
    with pytest.raises(ConfigurationError, match="OTEL_BLRP_MAX_EXPORT_BATCH_SIZE"):
        queue_size({"OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "4096"}, "logs")


def test_the_file_as_an_exporter_of_opentelemetry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`OTEL_LOGS_EXPORTER=litespan_file` of other tools writes where litespan's variable says."""
    project = tomli.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    named = project["entry-points"]["opentelemetry_logs_exporter"]["litespan_file"]
    assert f"{FileLogExporter.__module__}:{FileLogExporter.__name__}" == named

    monkeypatch.setenv("LITESPAN_LOGS_FILE", str(tmp_path / "logs.jsonl"))
    exporter = FileLogExporter()
    records = records_of(lambda logger: logger.emit(LogRecord(event_name="details")))
    assert exporter.export(records) is LogRecordExportResult.SUCCESS
    assert '"eventName":"details"' in (tmp_path / "logs.jsonl").read_text(encoding="utf-8")
