"""The file exporters: rotation, several writers, and disks that fail."""

from __future__ import annotations

import json
import logging
import multiprocessing
import shutil
import stat
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics.export import MetricExportResult
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from litespan.export.json_lines import JsonLinesFile
from litespan.export.otlp_file import OtlpFileLogExporter, OtlpFileMetricExporter, OtlpFileSpanExporter
from litespan.setting_checks import ConfigurationError
from tests.unit.export.sdk import metrics_of, spans_of


def one_span(name: str = "chat") -> list[ReadableSpan]:
    """Return one ended span."""
    return spans_of(lambda tracer: tracer.start_span(name).end())


def names_in(path: Path) -> list[str]:
    """Return the names of all spans in a file."""
    return [
        span["name"]
        for line in path.read_text(encoding="utf-8").splitlines()
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def test_each_export_appends_a_line(tmp_path: Path) -> None:
    """Exports append, also to what an earlier process has written."""
    path = tmp_path / "traces.jsonl"
    for name in ("first", "second"):
        exporter = OtlpFileSpanExporter(str(path))
        assert exporter.export(one_span(name)) is SpanExportResult.SUCCESS
        exporter.shutdown()
    assert names_in(path) == ["first", "second"]


def test_metrics_have_their_own_lines(tmp_path: Path) -> None:
    """The metric exporter writes export requests for metrics."""
    path = tmp_path / "metrics.jsonl"
    exporter = OtlpFileMetricExporter(str(path))
    data = metrics_of(lambda meter: meter.create_counter("tokens").add(3))
    assert exporter.export(data) is MetricExportResult.SUCCESS
    metric = json.loads(path.read_text())["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]
    assert metric["name"] == "tokens"
    assert metric["sum"]["dataPoints"][0]["asInt"] == "3"


def test_new_files_are_private(tmp_path: Path) -> None:
    """Only the owner may read a file that may hold prompts; so too after a rotation."""
    path = tmp_path / "traces.jsonl"
    file = JsonLinesFile(str(path), max_bytes=10, backups=1, signal="traces")
    assert file.try_write(b"123456")
    assert file.try_write(b"123456")
    for name in ("traces.jsonl", "traces.jsonl.1"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_rotation_keeps_the_newest_files(tmp_path: Path) -> None:
    """A file never passes its limit; of the rotated ones `.1` is the newest and the oldest goes."""
    file = JsonLinesFile(str(tmp_path / "t"), max_bytes=10, backups=2, signal="traces")
    for number in range(8):
        assert file.try_write(b"%04d" % number)
    contents = {path.name: path.read_bytes().split() for path in tmp_path.iterdir()}
    assert contents == {"t": [b"0006", b"0007"], "t.1": [b"0004", b"0005"], "t.2": [b"0002", b"0003"]}


def test_a_line_above_the_limit_gets_its_own_file(tmp_path: Path) -> None:
    """A line that is longer than the limit is written all the same, alone."""
    file = JsonLinesFile(str(tmp_path / "t"), max_bytes=10, backups=2, signal="traces")
    assert file.try_write(b"1")
    assert file.try_write(b"x" * 50)
    assert file.try_write(b"2")
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes == {"t": 2, "t.1": 51, "t.2": 2}


def write_lines(path: str, writer: int, lines: int, together: Barrier) -> None:
    """Write numbered lines of different lengths, as a process of its own."""
    file = JsonLinesFile(path, max_bytes=2_000, backups=500, signal="traces")
    together.wait(20)
    for number in range(lines):
        text = json.dumps({"writer": writer, "number": number, "pad": "x" * (number % 400)})
        assert file.try_write(text.encode())


def test_two_processes_share_a_file(tmp_path: Path) -> None:
    """Two processes that write and rotate one file lose no line, and no line is mixed up with another."""
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(2)
    writers = [
        context.Process(target=write_lines, args=(str(tmp_path / "t"), writer, 400, together))
        for writer in (1, 2)
    ]
    for process in writers:
        process.start()
    for process in writers:
        process.join(30)
        assert process.exitcode == 0
    found = [json.loads(line) for path in tmp_path.iterdir() for line in path.read_text().splitlines()]
    assert sorted((entry["writer"], entry["number"]) for entry in found) == [
        (writer, number) for writer in (1, 2) for number in range(400)
    ]
    assert len(list(tmp_path.iterdir())) > 50
    assert all(path.stat().st_size <= 2_000 for path in tmp_path.iterdir())


def test_a_path_that_cannot_be_written_is_an_error_at_once(tmp_path: Path) -> None:
    """A folder in the place of the file, or none for it, is a clear error with the path and its setting."""
    (tmp_path / "folder").mkdir()
    for make, path, mend in (
        (OtlpFileSpanExporter, tmp_path / "folder", r"in it: traces_file, or LITESPAN_TRACES_FILE\."),
        (
            OtlpFileMetricExporter,
            tmp_path / "missing" / "m",
            r"another path: metrics_file, or LITESPAN_METRICS_FILE",
        ),
        (
            OtlpFileLogExporter,
            tmp_path / "missing" / "l",
            r"another path: logs_file, or LITESPAN_LOGS_FILE\.",
        ),
    ):
        with pytest.raises(ConfigurationError, match=f"cannot be written .*{mend}") as caught:
            make(str(path))
        assert str(path) in str(caught.value)


def test_a_removed_folder_costs_only_the_time_it_is_gone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Exports fail while the folder is gone, which is logged once, and work again when it is back."""
    path = tmp_path / "logs" / "traces.jsonl"
    path.parent.mkdir()
    exporter = OtlpFileSpanExporter(str(path))
    assert exporter.export(one_span("before")) is SpanExportResult.SUCCESS
    shutil.rmtree(path.parent)
    with caplog.at_level(logging.WARNING):
        assert exporter.export(one_span("lost")) is SpanExportResult.FAILURE
        assert exporter.export(one_span("lost")) is SpanExportResult.FAILURE
    assert [record.getMessage().count(str(path)) for record in caplog.records] == [1]
    path.parent.mkdir()
    assert exporter.export(one_span("after")) is SpanExportResult.SUCCESS
    assert names_in(path) == ["after"]


def test_a_removed_file_is_made_again(tmp_path: Path) -> None:
    """After the file was removed or moved away by a log rotation tool, a new one is written."""
    path = tmp_path / "traces.jsonl"
    exporter = OtlpFileSpanExporter(str(path))
    exporter.export(one_span("old"))
    path.rename(tmp_path / "moved")
    exporter.export(one_span("new"))
    assert names_in(path) == ["new"]
    assert names_in(tmp_path / "moved") == ["old"]


def test_a_full_disk_is_a_failed_export() -> None:
    """A device without space makes the export fail and raises nothing."""
    assert OtlpFileSpanExporter("/dev/full").export(one_span()) is SpanExportResult.FAILURE


def test_half_a_line_is_taken_back(tmp_path: Path) -> None:
    """If the disk fills up in the middle of a line, nothing of the line stays."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "t"
    file = JsonLinesFile(str(path), max_bytes=10_000, backups=1, signal="traces")
    assert file.try_write(b"whole")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Python ignores SIGXFSZ, so a write that passes the limit is cut short or fails.
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        assert not file.try_write(b"x" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"whole\n"
    assert file.try_write(b"again")
    assert path.read_bytes() == b"whole\nagain\n"
