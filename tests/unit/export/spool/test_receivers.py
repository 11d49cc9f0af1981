"""A pipeline with a spool against real receivers that die, hang, refuse, ask for patience, and come back."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from litespan.export.pipeline import Pipeline, build
from litespan.export.spool import pause
from litespan.setting_checks import ConfigurationError
from litespan.settings import load_settings
from tests.fakes.otlp_receivers import odd_receiver
from tests.fakes.otlp_server import (
    Mode,
    Protocol,
    Received,
    collector,
    dead_endpoint,
    retry_alone,
    retry_in_details,
)
from tests.waiting import KEPT, wait_until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no lock that ends with its process")

PROTOCOLS = ("http/protobuf", "grpc")
Build = Callable[..., Pipeline]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Build]:
    """Build pipelines that share a spool, and end them afterwards."""
    made: list[Pipeline] = []

    def make_one(endpoint: str, protocol: str = "http/protobuf", **settings: object) -> Pipeline:
        given = {"spool_dir": str(tmp_path / "spool"), "otlp_endpoint": endpoint, "otlp_protocol": protocol}
        made.append(build(load_settings(None, **{**given, **settings}), use_globals=False))
        return made[-1]

    yield make_one
    for pipeline in made:
        pipeline.shutdown(0.01)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again soon."""
    monkeypatch.setattr(pause, "FIRST", 0.05)
    monkeypatch.setattr(pause, "LONGEST", 0.1)


def record(pipeline: Pipeline, spans: int = 1, tokens: int = 1) -> None:
    """Make spans, and one measurement with each."""
    tracer = pipeline.tracer_provider.get_tracer("test")
    counter = pipeline.meter_provider.get_meter("test").create_counter("tokens")
    for number in range(spans):
        with tracer.start_as_current_span(f"span {number}"):
            counter.add(tokens)


def port_of(received: Received) -> int:
    """Return the port of a collector."""
    return urlsplit(received.endpoint).port or 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_all_goes_out_as_without_a_spool(make: Build, protocol: Protocol, tmp_path: Path) -> None:
    """With a healthy receiver everything arrives once, flush says True, and no data stays on the disk."""
    with collector(protocol) as received:
        pipeline = make(received.endpoint, protocol)
        record(pipeline, 700, 2)
        assert pipeline.flush(5)
        stats = pipeline.stats()
        assert sum(path.stat().st_size for path in tmp_path.rglob("*.spool")) < 100
        assert pipeline.shutdown(5)

    assert [f"span {number}" for number in range(700)] == [span.name for span in received.spans()]
    assert received.sum_of("tokens") == 1400
    assert (700, 700, 0, {}) == tuple(
        stats["traces"][name] for name in ("handed_over", "exported", "spooled", "dropped")
    )
    assert [] == list((tmp_path / "spool").iterdir())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_outage_loses_nothing(make: Build, protocol: Protocol, quick: None) -> None:
    """While the receiver is dead all is kept, flush says False; when it is back all goes out, in order."""
    with collector(protocol) as received:
        pipeline = make(received.endpoint, protocol)
        record(pipeline, 10)
        assert pipeline.flush(5)
    for _ in range(3):
        record(pipeline, 600)
        assert not pipeline.flush(2)
    traces, metrics = pipeline.stats()["traces"], pipeline.stats()["metrics"]
    assert (10, 1800, {}) == (traces["exported"], traces["spooled"], traces["dropped"])
    assert metrics["spooled"] == 1, "of the sums only the newest"
    assert sum(traces["export_failures"].values()) >= 1

    with collector(protocol, port=port_of(received), received=received):
        wait_until(
            lambda: pipeline.stats()["traces"]["spooled"] + pipeline.stats()["metrics"]["spooled"] == 0, 10
        )
        assert pipeline.flush(5)
    names = [f"span {number}" for number in range(600)]
    assert names * 3 == [span.name for span in received.spans()][10:]
    assert received.sum_of("tokens") == 1810
    times = [point.time_unix_nano for metric in received.metrics() for point in metric.sum.data_points]
    assert times == sorted(times)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_next_process_sends_the_rest(make: Build, protocol: Protocol) -> None:
    """What a pipeline could not send before its shutdown is sent by the next one, under its own names."""
    first = make(dead_endpoint(), protocol, service_name="first")
    record(first, 700)
    assert not first.shutdown(5)
    with collector(protocol) as received:
        second = make(received.endpoint, protocol, service_name="second")
        wait_until(lambda: len(received.spans()) == 700 and received.metric_requests, 10)
        record(second, 1)
        assert second.flush(5)

    services = [
        attribute.value.string_value
        for request in received.metric_requests
        for attribute in request.resource_metrics[0].resource.attributes
        if attribute.key == "service.name"
    ]
    assert {"first", "second"} == set(services)
    assert first.stats()["traces"]["dropped"] == {}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", ["dead", "black_hole", "503"])
def test_deadlines_are_kept(make: Build, protocol: Protocol, kind: str) -> None:
    """Flush and shutdown answer False within their time and half a second, and nothing is lost."""
    mode: Mode = "503" if kind == "503" else "black_hole"
    with collector(protocol, mode) as received:
        pipeline = make(dead_endpoint() if kind == "dead" else received.endpoint, protocol)
        record(pipeline, 600)
        for action in (pipeline.flush, pipeline.shutdown):
            begin = time.monotonic()
            assert not action(0.5)
            assert time.monotonic() - begin < 0.5 + KEPT
        assert pipeline.stats()["traces"]["dropped"] == {}


def test_what_is_kept_is_told(make: Build, caplog: pytest.LogCaptureFixture) -> None:
    """Where a shutdown runs out of time, the log does not say that all was sent: it waits in the spool."""
    with collector(mode="black_hole") as received:
        pipeline = make(received.endpoint, metrics_exporter="none")
        record(pipeline, 3)
        assert [False, False] == [pipeline.flush(0.5), pipeline.shutdown(0.1)]

    assert "0 spans and events were not sent, and 3 more wait in the spool. Check" in caplog.text


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_dead_receiver_is_known_at_once(make: Build, protocol: Protocol) -> None:
    """Where nothing listens, flush and shutdown say False after one attempt and do not use up their time."""
    pipeline = make(dead_endpoint(), protocol)
    record(pipeline)
    begin = time.monotonic()
    assert not pipeline.flush(30)
    assert not pipeline.shutdown(30)
    assert time.monotonic() - begin < 15


def test_tls_failure_keeps_what_there_is(make: Build) -> None:
    """A receiver that does not speak TLS where it is asked to is one that is away."""
    with collector() as received:
        pipeline = make(received.endpoint.replace("http", "https"))
        record(pipeline, 3)
        assert not pipeline.flush(3)
        traces = pipeline.stats()["traces"]

    assert (3, {}, ["SSLError"]) == (traces["spooled"], traces["dropped"], list(traces["export_failures"]))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("mode", "reason"), [("400", "rejected"), ("401", "unauthorized"), ("404", "not_found")]
)
def test_refusal_for_good_is_counted(make: Build, protocol: Protocol, mode: Mode, reason: str) -> None:
    """What the receiver never takes is not tried again, but counted by reason; the next batch goes on."""
    with collector(protocol, mode) as received:
        pipeline = make(received.endpoint, protocol, metrics_exporter="none")
        record(pipeline, 5)
        assert not pipeline.flush(5)
        assert ({("traces", reason): 5}, 1) == (pipeline.dropped(), received.refused)
        received.mode = "ok"
        record(pipeline, 2)
        assert pipeline.flush(5)

    assert len(received.spans()) == 2
    assert pipeline.stats()["traces"]["spooled"] == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_too_large_is_split(make: Build, protocol: Protocol) -> None:
    """A batch that is too large goes in parts, in order, none of them twice."""
    with collector(protocol, "413") as received:
        received.limit = 100
        pipeline = make(received.endpoint, protocol, metrics_exporter="none")
        record(pipeline, 500)
        assert pipeline.flush(5)

    assert [f"span {number}" for number in range(500)] == [span.name for span in received.spans()]
    assert max(len(r.resource_spans[0].scope_spans[0].spans) for r in received.trace_requests) <= 100


def test_one_that_is_too_large_is_dropped(make: Build) -> None:
    """A single span that the receiver finds too large is dropped and counted."""
    with collector(mode="413") as received:
        received.limit = 0
        pipeline = make(received.endpoint, metrics_exporter="none")
        record(pipeline, 3)
        assert not pipeline.flush(5)

    assert pipeline.dropped() == {("traces", "too_large"): 3}


def test_split_goes_on_after_an_outage(make: Build, quick: None) -> None:
    """If the receiver goes away between two parts, the parts that it has are not sent again."""
    with collector(mode="413") as received:
        received.limit = 100
        received.trace_requests = _Requests(2, lambda: setattr(received, "mode", "503"))
        pipeline = make(received.endpoint, metrics_exporter="none")
        record(pipeline, 500)
        assert not pipeline.flush(2)
        received.mode = "413"
        wait_until(lambda: pipeline.stats()["traces"]["spooled"] == 0, 10)

    assert [f"span {number}" for number in range(500)] == [span.name for span in received.spans()]
    assert pipeline.stats()["traces"]["exported"] == 500


class _Requests(list[Any]):
    """A list that tells when it has got so many items."""

    def __init__(self, number: int, tell: Callable[[], None]) -> None:
        super().__init__()
        self._number = number
        self._tell = tell

    def append(self, item: object) -> None:
        super().append(item)
        if len(self) == self._number:
            self._tell()


@pytest.mark.parametrize(
    ("answer", "drip", "pause"),
    [
        (b"Content-Encoding: gzip\r\nContent-Length: 7\r\n\r\nno gzip", b"", 0.0),
        (b"Content-Length: 100\r\n\r\ncut", b"", 0.0),
        (b"Content-Type: text/html\r\n\r\n", b"<br>" * 1_000, 0.0),
        (b"Content-Length: 1000\r\n\r\n", b"x", 0.2),
    ],
    ids=["no gzip", "cut", "endless", "drip"],
)
def test_the_status_counts_whatever_follows(
    make: Build, monkeypatch: pytest.MonkeyPatch, answer: bytes, drip: bytes, pause: float
) -> None:
    """What was taken is not sent again because the rest of the answer is broken, slow or without an end."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    with odd_receiver(b"HTTP/1.1 200 OK\r\n" + answer, drip, pause) as visits:
        pipeline = make(f"http://{visits.address}", metrics_exporter="none")
        record(pipeline, 3)
        assert pipeline.flush(5)

    assert (1, 3) == (len(visits.paths), pipeline.stats()["traces"]["exported"])


def test_connections_are_kept(make: Build) -> None:
    """Batch after batch goes over one connection, also to a receiver that refuses some."""
    with collector(mode="503") as received:
        pipeline = make(received.endpoint, metrics_exporter="none")
        modes: list[Mode] = ["503", "400", "ok"]
        for received.mode in modes:
            record(pipeline, 1)
            pipeline.flush(5)
        assert (1, 1) == (len(received.connections), len(received.spans()))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_partial_success_is_counted(make: Build, protocol: Protocol) -> None:
    """Items that the receiver refuses out of a batch that it takes are counted as rejected."""
    with collector(protocol) as received:
        received.rejected = 2
        pipeline = make(received.endpoint, protocol, metrics_exporter="none")
        record(pipeline, 5)
        assert not pipeline.flush(5)

    assert ({("traces", "rejected"): 2}, 3) == (pipeline.dropped(), pipeline.stats()["traces"]["exported"])


@pytest.mark.parametrize(("said", "rejected"), [(-1, 0), (1_000, 5)])
def test_more_than_all_is_not_rejected(make: Build, said: int, rejected: int) -> None:
    """A receiver that cannot count makes no number of ours negative."""
    with collector() as received:
        received.rejected = said
        pipeline = make(received.endpoint, metrics_exporter="none")
        record(pipeline, 5)
        assert pipeline.flush(5) == (not rejected)

    stats = pipeline.stats()["traces"]
    assert (5 - rejected, rejected) == (stats["exported"], stats["dropped"].get("rejected", 0))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_retry_after_is_kept(make: Build, protocol: Protocol, quick: None) -> None:
    """A receiver that asks for time is not asked before, not even by flush, which says False at once."""
    with collector(protocol, "503" if protocol == "http/protobuf" else "429") as received:
        received.retry_after = "4"
        pipeline = make(received.endpoint, protocol, metrics_exporter="none")
        asked_before = time.monotonic()
        record(pipeline, 1)
        assert not pipeline.flush(1)
        begin = time.monotonic()
        assert not pipeline.flush(30)
        assert time.monotonic() - begin < KEPT
        assert received.refused == 1
        received.mode = "ok"
        wait_until(received.spans, 10)
        assert time.monotonic() - asked_before > 3.5


@pytest.mark.parametrize(
    ("trailer", "kept"),
    [
        (retry_in_details, True),
        (retry_alone, True),
        (lambda _: ("grpc-status-details-bin", b"\xff\xff"), False),
        (lambda _: ("google.rpc.retryinfo-bin", b"\xff\xff"), False),
    ],
)
def test_where_grpc_asks_for_time(
    make: Build, trailer: Callable[[int], tuple[str, bytes]], *, kept: bool
) -> None:
    """A wish is kept wherever it stands; one that cannot be read is none, and nothing breaks."""
    with collector("grpc", "429") as received:
        received.retry_after, received.retry_info = "60", trailer
        pipeline = make(received.endpoint, "grpc", metrics_exporter="none")
        record(pipeline, 1)
        assert [False, False] == [pipeline.flush(5), pipeline.flush(5)]

    assert (received.refused == 1) == kept
    assert {"RESOURCE_EXHAUSTED"} == set(pipeline.stats()["traces"]["export_failures"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("seconds", ["0", "315000000000"])
def test_retry_after_that_makes_no_sense(make: Build, protocol: Protocol, seconds: str) -> None:
    """Who asks for no time is not called in a loop; who asks for centuries stops no thread for ever."""
    with collector(protocol, "503" if protocol == "http/protobuf" else "429") as received:
        received.retry_after = seconds
        pipeline = make(received.endpoint, protocol, metrics_exporter="none")
        record(pipeline, 1)
        assert not pipeline.flush(1)
        refused = received.refused
        time.sleep(0.3)
        assert received.refused <= refused + 1  # on a slow machine the next attempt may be due by now
        received.mode = "ok"
        assert pipeline.flush(5) == (seconds == "0")
        assert "litespan-outbox-traces" in {thread.name for thread in threading.enumerate()}


def test_outage_is_logged_once(make: Build, quick: None, caplog: pytest.LogCaptureFixture) -> None:
    """The log says once that the receiver is away, with what to do, and once that it is back."""
    with collector(mode="503") as received, caplog.at_level(logging.INFO, "litespan"):
        pipeline = make(received.endpoint, metrics_exporter="none")
        record(pipeline, 1)
        assert not pipeline.flush(1)
        wait_until(lambda: received.refused > 3, 10)
        received.mode = "ok"
        wait_until(received.spans, 10)
        pipeline.flush(1)
    lines = [record.getMessage() for record in caplog.records if "traces: OTLP" in record.getMessage()]

    assert ["cannot send", "reaches"] == [
        word for line in lines for word in ("cannot send", "reaches") if word in line
    ]


def test_full_disk_falls_back_to_sending(make: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the disk takes nothing, batches are sent from memory; with a dead receiver they are counted."""
    with collector() as received:
        pipeline = make(received.endpoint, metrics_exporter="none")
        monkeypatch.setattr(os, "pwrite", lambda *_: 0)
        record(pipeline, 2)
        assert pipeline.flush(5)
        assert len(received.spans()) == 2
    record(pipeline, 3)
    assert not pipeline.flush(5)
    assert pipeline.dropped() == {("traces", "spool_unwritable"): 3}


def test_what_went_out_of_an_unwritten_batch_is_not_lost(
    make: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the disk is full and the receiver goes away between two parts of a batch, the rest only is lost."""
    with collector(mode="413") as received:
        received.limit = 100
        received.trace_requests = _Requests(2, lambda: setattr(received, "mode", "503"))
        pipeline = make(received.endpoint, metrics_exporter="none")
        monkeypatch.setattr(os, "pwrite", lambda *_: 0)
        record(pipeline, 400)
        assert not pipeline.flush(5)

    stats = pipeline.stats()["traces"]
    assert (200, {"spool_unwritable": 200}) == (stats["exported"], stats["dropped"])


def test_headers_and_compression_are_opentelemetrys(make: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenTelemetry's variables about headers and compression hold."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=blue")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip")
    with collector() as received:
        pipeline = make(received.endpoint, metrics_exporter="none")
        record(pipeline, 1)
        assert pipeline.flush(5)

    assert ("blue", "gzip") == (received.headers[0]["x-team"], received.headers[0]["content-encoding"])


@pytest.mark.parametrize("preference", ["delta", "lowmemory"])
def test_delta_metrics_are_refused(make: Build, monkeypatch: pytest.MonkeyPatch, preference: str) -> None:
    """Differences cannot be sent twice without harm: with a spool they are an error of the set-up."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", preference)
    with pytest.raises(ConfigurationError, match="spool_dir needs cumulative metrics"):
        make(dead_endpoint())


def test_unusable_folder_is_refused(make: Build, tmp_path: Path) -> None:
    """A spool that cannot be written is an error of the set-up, with the folder's name."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"file/spool.* cannot be used"):
        make(dead_endpoint(), spool_dir=str(tmp_path / "file" / "spool"))
