"""`litespan send`: what arrives, what is told, and where a second call goes on."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.trace import Link, SpanContext, TraceFlags

from litespan.cli import main
from litespan.export.otlp_file import OtlpFileLogExporter, OtlpFileMetricExporter, OtlpFileSpanExporter
from litespan.export.spool import pause
from litespan.export.spool.limits import Limits
from litespan.export.spool.store import Store
from tests.fakes.otlp_server import Mode, Protocol, Received, collector, dead_endpoint
from tests.unit.export import sdk
from tests.waiting import wait_until

PROTOCOLS = ("http/protobuf", "grpc")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again soon."""
    monkeypatch.setattr(pause, "FIRST", 0.05)
    monkeypatch.setattr(pause, "LONGEST", 0.1)


def send(endpoint: str, *arguments: str | Path) -> Result:
    """Call the command."""
    return CliRunner().invoke(main, ["send", "--otlp", endpoint, *map(str, arguments)])


def span_file(path: Path, lines: int = 5, spans: int = 3) -> Path:
    """Write lines of spans named ``line/span``."""
    exporter = OtlpFileSpanExporter(str(path))
    link = Link(SpanContext(7, 8, is_remote=False, trace_flags=TraceFlags(1)))
    for line in range(lines):

        def work(tracer: object, line: int = line) -> None:
            for number in range(spans):
                tracer.start_span(f"{line}/{number}", attributes={"traceId": "no id"}, links=[link]).end()  # type: ignore[attr-defined]

        exporter.export(sdk.spans_of(work))
    exporter.shutdown()
    return path


def names(lines: int, spans: int = 3, first: int = 0) -> list[str]:
    """Return the names of the spans in a file."""
    return [f"{line}/{number}" for line in range(first, lines) for number in range(spans)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_all_three_signals_arrive(tmp_path: Path, protocol: Protocol) -> None:
    """Spans, metrics and events arrive as they were, with ids, links and attributes."""
    spans = span_file(tmp_path / "t.jsonl")
    metrics = OtlpFileMetricExporter(str(tmp_path / "m.jsonl"))
    metrics.export(sdk.metrics_of(lambda meter: meter.create_counter("tokens").add(42)))
    provider = LoggerProvider()
    provider.add_log_record_processor(
        SimpleLogRecordProcessor(OtlpFileLogExporter(str(tmp_path / "l.jsonl")))
    )
    provider.get_logger("test").emit(body={"traceId": "a text"}, event_name="told")
    short = "grpc" if protocol == "grpc" else "http"
    with collector(protocol) as received:
        done = send(received.endpoint, *tmp_path.glob("*.jsonl"), "--protocol", short)

    assert (0, "Sent 15 spans, 1 data point, 1 log record.\n", "") == (
        done.exit_code,
        done.stdout,
        done.stderr,
    )
    assert names(5) == [span.name for span in received.spans()]
    line = json.loads(spans.read_text().splitlines()[0])["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    first = received.spans()[0]
    assert (line["traceId"], line["spanId"]) == (first.trace_id.hex(), first.span_id.hex())
    assert (7, 8) == tuple(
        int.from_bytes(i, "big") for i in (first.links[0].trace_id, first.links[0].span_id)
    )
    assert first.attributes[0].value.string_value == "no id"
    assert received.sum_of("tokens") == 42
    assert received.logs()[0].body.kvlist_value.values[0].value.string_value == "a text"


def test_second_call_sends_what_is_new(tmp_path: Path) -> None:
    """A second call sends nothing; after the file grew, the new lines only; to another receiver, all."""
    path = span_file(tmp_path / "t.jsonl", 2)
    with collector() as received, collector() as other:
        send(received.endpoint, path)
        again = send(received.endpoint, path)
        span_file(path, 1)
        grown = send(received.endpoint, path)
        elsewhere = send(other.endpoint, path)

    assert ["Sent 0 spans", "Sent 3 spans", "Sent 9 spans"] == [
        done.stdout.split(",")[0] for done in (again, grown, elsewhere)
    ]
    assert names(2) + names(1) == [span.name for span in received.spans()]


def test_what_is_noted_is_not_noted_again(tmp_path: Path) -> None:
    """A call that finds nothing new leaves the note as it is, also one of a part of the file."""
    path = span_file(tmp_path / "t.jsonl", 2)
    note = Path(f"{path}.sent")
    with collector() as received:
        send(received.endpoint, path)
        written = note.stat()
        send(received.endpoint, path)
        span_file(path, 1)
        received.mode = "503"
        send(received.endpoint, path, "--patience", "0")

    assert (written.st_ino, written.st_mtime_ns) == (note.stat().st_ino, note.stat().st_mtime_ns)


def test_journals_are_no_data(tmp_path: Path) -> None:
    """A pattern that names the journal, too, means the data; a journal alone is a mistake, and told so."""
    path = span_file(tmp_path / "t.jsonl", 2)
    with collector() as received:
        done = [send(received.endpoint, *sorted(tmp_path.glob("t.jsonl*"))) for _ in range(3)]
        alone = send(received.endpoint, f"{path}.sent")
    summed = CliRunner().invoke(main, ["summary", str(path), f"{path}.sent"])

    assert [(0, "")] * 4 == [(each.exit_code, each.stderr) for each in (*done, summed)]
    assert ["t.jsonl", "t.jsonl.sent"] == sorted(os.listdir(tmp_path))
    assert (2, True) == (alone.exit_code, f"Name that file: {path}\n" in alone.stderr)


def test_data_may_be_named_like_a_journal(tmp_path: Path) -> None:
    """What only has the name of a journal is sent."""
    with collector() as received:
        done = send(received.endpoint, span_file(tmp_path / "t.sent", 2))

    assert done.stdout.startswith("Sent 6 spans")


def test_another_file_under_the_name_is_sent_whole(tmp_path: Path) -> None:
    """After a rotation the name stands for a new file, which is sent from its beginning."""
    path = span_file(tmp_path / "t.jsonl", 2)
    with collector() as received:
        send(received.endpoint, path)
        path.unlink()
        span_file(path, 4)
        done = send(received.endpoint, path)

    assert done.stdout.startswith("Sent 12 spans")


def test_a_file_that_was_rotated_goes_on_under_its_new_name(tmp_path: Path) -> None:
    """What was sent of a file before its writer rotated it, once or twice, is not sent again."""
    path = span_file(tmp_path / "t.jsonl", 2)

    def send_all() -> str:
        return send(received.endpoint, *sorted(tmp_path.glob("t.jsonl*"))).stdout.split(",")[0]

    told = []
    with collector() as received:
        for lines in (1, 3, 0):
            told.append(send_all())
            span_file(path, lines)
            for number in (2, 1):
                with suppress(FileNotFoundError):
                    Path(f"{path}.{number}").rename(f"{path}.{number + 1}")
            path.rename(f"{path}.1")
            span_file(path, 1)
        told += [send_all(), send_all()]

    assert [f"Sent {spans} spans" for spans in (6, 6, 12, 3, 0)] == told


def renamed(path: Path) -> None:
    """Rotate a file as litespan does: the name stands for a new file."""
    path.rename(f"{path}.1")


def emptied(path: Path) -> None:
    """Rotate a file as `logrotate` does with `copytruncate`: the file itself begins anew."""
    Path(f"{path}.1").write_bytes(path.read_bytes())
    path.write_bytes(b"")


@pytest.mark.parametrize("rotate", [renamed, emptied])
def test_rotation_while_it_sends_loses_nothing(tmp_path: Path, rotate: Callable[[Path], None]) -> None:
    """How far the old file was sent is not believed of the new one, which the next call sends whole."""
    path = span_file(tmp_path / "t.jsonl", 2)

    def rotate_in_its_middle(received: Received) -> None:
        wait_until(lambda: received.refused, 10)
        rotate(path)
        span_file(path, 4)
        received.mode = "ok"

    with collector(mode="503") as received, ThreadPoolExecutor(1) as writer:
        rotated = writer.submit(rotate_in_its_middle, received)
        send(received.endpoint, path)
        rotated.result()
        done = send(received.endpoint, path)

    assert done.stdout.startswith("Sent 12 spans")


def test_broken_lines_are_left_out(tmp_path: Path) -> None:
    """Lines that are no requests are told with their place and counted; the others arrive; the code is 1."""
    path = span_file(tmp_path / "t.jsonl", 2)
    good = path.read_bytes().splitlines(keepends=True)
    bad = [
        b"{\n",
        b"[]\n",
        b'{"resourceSpans": 3}\n',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"x"}]}]}]}\n',
    ]
    path.write_bytes(good[0] + b"".join(bad) + b"\n" + good[1])
    with collector() as received:
        done = send(received.endpoint, path)
        again = send(received.endpoint, path)

    assert (1, 0) == (done.exit_code, again.exit_code)
    assert names(2) == [span.name for span in received.spans()]
    assert f"{path}: the line at byte {len(good[0]):,} is left out: it is no JSON" in done.stderr
    assert "(each request has to stand on one line: `jq -c . FILE > NEW` writes it so)." in done.stderr
    assert "Left out: 4 lines" in done.stderr


@pytest.mark.parametrize("kind", ["pipe", "dash"])
def test_a_pipe_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    """What is no file is neither waited for nor read: nothing can be noted beside it."""
    path = "-"
    if kind == "pipe":
        path = str(tmp_path / "pipe")
        os.mkfifo(path)
    done = send(dead_endpoint(), path)

    assert (2, "") == (done.exit_code, done.stdout)
    assert f"Error: {path} is no file. Save what it gives in one first" in done.stderr


def test_one_is_told_as_one(tmp_path: Path) -> None:
    """A single span and a single line are not told in the plural."""
    path = span_file(tmp_path / "t.jsonl", 1, 1)
    path.write_bytes(path.read_bytes() + b"?\n")
    with collector() as received:
        done = send(received.endpoint, path)

    assert done.stdout.startswith("Sent 1 span, 0 data points")
    assert "Left out: 1 line or batch that cannot be read." in done.stderr


def test_unfinished_line_waits(tmp_path: Path) -> None:
    """A last line that somebody is still writing is sent by the next call, when it is whole."""
    path = span_file(tmp_path / "t.jsonl", 2)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with collector() as received:
        first = send(received.endpoint, path)
        path.write_bytes(whole)
        second = send(received.endpoint, path)

    assert ([1, 0], "is not finished" in first.stderr) == ([first.exit_code, second.exit_code], True)
    assert names(2) == [span.name for span in received.spans()]


def test_dead_receiver_ends_the_patience(tmp_path: Path) -> None:
    """With a dead receiver the code is 3 after the time that was given, and nothing counts as sent."""
    path = span_file(tmp_path / "t.jsonl")
    begin = time.monotonic()
    done = send(dead_endpoint(), path, "--patience", "0.3")

    assert (3, "Sent 0 spans") == (done.exit_code, done.stdout.split(",")[0])
    assert time.monotonic() - begin < 5
    assert "cannot be reached (ConnectionError)" in done.stderr
    assert "trying again" in done.stderr
    assert "`litespan doctor --otlp ENDPOINT` finds out more." in done.stderr


def test_patience_is_a_time(tmp_path: Path) -> None:
    """What is no number is wrong use, and the message says what to give."""
    done = send(dead_endpoint(), span_file(tmp_path / "t.jsonl"), "--patience", "nan")

    assert (2, True) == (done.exit_code, "give seconds, for example 600" in done.stderr)


@pytest.mark.parametrize("host", ["collector..example", "x" * 70 + ".example", "*.example"])
def test_host_that_cannot_be(tmp_path: Path, host: str) -> None:
    """A name with a typing error is told as a receiver that cannot be reached."""
    done = send(f"http://{host}:4318", span_file(tmp_path / "t.jsonl", 1), "--patience", "0")

    assert (3, True) == (done.exit_code, "The receiver cannot be reached" in done.stderr)


def test_goes_on_where_the_receiver_died(tmp_path: Path) -> None:
    """When the receiver dies in the middle, the next call begins with what it has not taken."""
    path = span_file(tmp_path / "t.jsonl", 5)
    with collector(mode="413") as received:
        received.limit = 3
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(lines[:3]))
        send(received.endpoint, path)
        path.write_text("".join(lines))
        received.mode = "503"
        stopped = send(received.endpoint, path, "--patience", "0.1")
        received.mode = "ok"
        done = send(received.endpoint, path)

    assert [3, 0] == [stopped.exit_code, done.exit_code]
    assert done.stdout.startswith("Sent 6 spans")
    assert names(5) == [span.name for span in received.spans()]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("mode", "code", "told"),
    [
        ("400", 1, "Refused: 6 spans (rejected, "),
        ("401", 3, "The receiver refuses everything (unauthorized"),
        ("404", 3, "The receiver refuses everything (not_found"),
    ],
)
def test_refusals_are_told(tmp_path: Path, protocol: Protocol, mode: Mode, code: int, told: str) -> None:
    """Data that is refused is left out; wrong credentials or a wrong address end the command at once."""
    path = span_file(tmp_path / "t.jsonl", 2)
    with collector(protocol, mode) as received:
        done = send(received.endpoint, path, "--protocol", "grpc" if protocol == "grpc" else "http")
        asked = received.refused

    assert (code, True, 2 if code == 1 else 1) == (done.exit_code, told in done.stderr, asked)


def test_too_large_is_split(tmp_path: Path) -> None:
    """A line that is too large for the receiver goes in parts."""
    path = span_file(tmp_path / "t.jsonl", 1, 40)
    with collector(mode="413") as received:
        received.limit = 10
        done = send(received.endpoint, path)

    assert (0, 40, 4) == (done.exit_code, len(received.spans()), len(received.trace_requests))


def test_headers_are_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers come from the option and from OpenTelemetry's variable; the option goes first."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=blue,x-key=old")
    with collector() as received:
        path = span_file(tmp_path / "t.jsonl", 1)
        send(received.endpoint, path, "--header", "X-Key=a=b")

    assert ("blue", "a=b") == tuple(received.headers[0][name] for name in ("x-team", "x-key"))


def test_malformed_header_is_wrong_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of headers that cannot be read is told by its name, without what is in it."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization Bearer s3cret")
    done = send("http://localhost:1", span_file(tmp_path / "t.jsonl", 1))

    assert 2 == done.exit_code
    assert done.stderr.startswith("Error: OTEL_EXPORTER_OTLP_HEADERS: 1 of its entries cannot be read")
    assert "s3cret" not in done.output


@pytest.mark.parametrize("header", ["x-team=s3cret\N{SNOWMAN}", "x-team=s3cret\nx-other=1", "x team=s3cret"])
def test_header_that_cannot_be_sent_is_wrong_use(tmp_path: Path, header: str) -> None:
    """What HTTP cannot carry is told before anything is sent."""
    done = send("http://localhost:1", span_file(tmp_path / "t.jsonl", 1), "--header", header)

    assert (2, False) == (done.exit_code, "s3cret" in done.output)
    assert "a name has no spaces" in done.stderr


def test_journal_holds_no_secret(tmp_path: Path) -> None:
    """The journal names the receiver without user and password, and only its owner can read it."""
    path = span_file(tmp_path / "t.jsonl", 1)
    with collector() as received:
        send(received.endpoint.replace("//", "//me:secret@"), path)
    journal = tmp_path / "t.jsonl.sent"

    assert "secret" not in journal.read_text()
    assert journal.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name == "nt", reason="Windows has no lock that ends with its process")
def test_spool_of_a_dead_process_is_sent(tmp_path: Path) -> None:
    """Files of a dead process are sent and taken off the disk; those of a living one are refused."""
    from litespan.export.otlp.from_json import request_from_json

    lines = span_file(tmp_path / "t.jsonl", 4).read_bytes().splitlines()
    store = Store(str(tmp_path / "spool"), "traces", Limits(10**6, 1000), lambda *_: None, newest_only=False)
    (tmp_path / "spool").mkdir()
    for line in lines:
        store.append(*request_from_json(line)[1])
    (file,) = tmp_path.glob("spool/*/*.spool")
    with collector() as received:
        living = send(received.endpoint, file)
        store.close()
        done = send(received.endpoint, file)

    assert ([2, 0], True) == (
        [living.exit_code, done.exit_code],
        "belongs to a process that runs" in living.stderr,
    )
    assert names(4) == [span.name for span in received.spans()]
    assert [] == [*(tmp_path / "spool").iterdir()]


def test_what_cannot_be_noted_is_sent_and_told_once(tmp_path: Path) -> None:
    """Where nothing can be noted, everything is sent, and one line says what that means."""
    path = span_file(tmp_path / "t.jsonl", 2)
    # The journal's place is taken: there, even a user who may write everywhere cannot write.
    (tmp_path / "t.jsonl.sent").mkdir()
    with collector() as received:
        done = send(received.endpoint, path)

    assert (0, "Sent 6 spans") == (done.exit_code, done.stdout.split(",")[0])
    assert [f"How far {path} was sent cannot be noted in {tmp_path} (Is a directory)"] == [
        line.partition(":")[0] for line in done.stderr.splitlines()
    ]
    assert ["t.jsonl", "t.jsonl.sent"] == sorted(os.listdir(tmp_path))


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_missing_certificate_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    """A certificate that cannot be read is wrong use, told with its variable and its path."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such.pem")
    done = send("https://localhost:1", span_file(tmp_path / "t.jsonl", 1), "--protocol", protocol)

    assert (2, True) == (
        done.exit_code,
        "Error: OTEL_EXPORTER_OTLP_CERTIFICATE='/no/such.pem' cannot be read." in done.stderr,
    )


@pytest.mark.parametrize(
    ("protocol", "variable", "certificate"),
    [("http", "REQUESTS_CA_BUNDLE", "/no/such.pem"), ("grpc", "OTEL_EXPORTER_OTLP_CERTIFICATE", "/")],
)
def test_certificate_that_is_none_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str, variable: str, certificate: str
) -> None:
    """A certificate that turns out to be unusable when it is needed counts as a receiver that is away."""
    monkeypatch.setenv(variable, certificate)
    path = span_file(tmp_path / "t.jsonl", 1)
    done = send("https://localhost:1", path, "--protocol", protocol, "--patience", "0")

    assert 3 == done.exit_code
    assert "cannot be reached (" in done.stderr


def test_compressed_file_is_refused(tmp_path: Path) -> None:
    """A compressed file has no places to go on from: the message says what to do."""
    path = tmp_path / "t.jsonl.gz"
    path.write_bytes(b"\x1f\x8b\x08")
    done = send("http://127.0.0.1:9", path)

    assert (2, True) == (done.exit_code, "gunzip --keep" in done.stderr)


def test_wrong_endpoint_is_refused(tmp_path: Path) -> None:
    """An endpoint that is no URL is wrong use."""
    done = send("localhost:4318", span_file(tmp_path / "t.jsonl", 1))

    assert (2, True) == (done.exit_code, "must start with http://" in done.stderr)
