"""What a real OTLP receiver gets from a pipeline, and how long a broken one can hold the program up."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from litespan.export.pipeline import Pipeline, build
from litespan.setting_checks import ConfigurationError
from litespan.settings import load_settings
from tests.fakes.otlp_receivers import odd_receiver
from tests.fakes.otlp_server import Mode, Protocol, collector, dead_endpoint
from tests.waiting import KEPT, wait_until

PROTOCOLS = ("http/protobuf", "grpc")
Build = Callable[..., Pipeline]


@pytest.fixture
def make() -> Iterator[Build]:
    """Build pipelines that share nothing, and end them afterwards."""
    made: list[Pipeline] = []

    def make_one(**settings: object) -> Pipeline:
        made.append(build(load_settings(None, **settings), use_globals=False))
        return made[-1]

    yield make_one
    for pipeline in made:
        pipeline.shutdown(0.01)


def record(pipeline: Pipeline, name: str = "chat gpt-4o", tokens: int = 42) -> int:
    """Make one span and one measurement; return the span's id."""
    tracer = pipeline.tracer_provider.get_tracer("test")
    counter = pipeline.meter_provider.get_meter("test").create_counter("tokens", unit="{token}")
    with tracer.start_as_current_span(name, attributes={"answer": 42}) as span:
        counter.add(tokens, {"model": "gpt-4o"})
    return span.get_span_context().span_id


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_spans_and_metrics_arrive_whole(make: Build, protocol: Protocol) -> None:
    """A collector gets the span with its id and attributes, the counter's value, and the service's name."""
    with collector(protocol) as received:
        pipeline = make(otlp_endpoint=received.endpoint, otlp_protocol=protocol, service_name="shop")
        span_id = record(pipeline)
        assert pipeline.flush(5)

    (span,) = received.spans()
    assert (span.name, span.span_id) == ("chat gpt-4o", span_id.to_bytes(8, "big"))
    assert [(a.key, a.value.int_value) for a in span.attributes] == [("answer", 42)]
    assert received.sum_of("tokens") == 42
    resource = {
        a.key: a.value.string_value for a in received.trace_requests[0].resource_spans[0].resource.attributes
    }
    assert resource["service.name"] == "shop"
    assert resource["service.instance.id"]
    assert pipeline.stats()["traces"]["exported"] == 1


def test_variables_of_opentelemetry_stay_in_force(make: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the endpoint from the environment, OpenTelemetry's headers and per-signal endpoint are used."""
    with collector() as traces, collector() as metrics:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", metrics.endpoint)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", traces.endpoint + "/v1/traces")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=blue")
        pipeline = make()
        record(pipeline)
        assert pipeline.flush(5)

    assert len(traces.spans()) == 1
    assert not metrics.spans()
    assert metrics.sum_of("tokens") == 42
    assert [headers["x-team"] for headers in traces.headers + metrics.headers] == ["blue", "blue"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("spool", [False, True])
def test_unreadable_certificate_is_refused(
    make: Build, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, protocol: Protocol, *, spool: bool
) -> None:
    """A file that is not there is an error of the set-up, with variable and path, and leaves no thread."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY", "/no/such.key")
    more = {"spool_dir": str(tmp_path / "spool")} if spool else {}
    before = set(threading.enumerate())
    with pytest.raises(ConfigurationError, match=r"METRICS_CLIENT_KEY='/no/such.key' cannot be read"):
        make(otlp_endpoint="https://localhost:1", otlp_protocol=protocol, **more)

    assert set() == set(threading.enumerate()) - before


def test_header_that_cannot_be_sent_is_refused(make: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that HTTP cannot carry would fail at each export: its variable is named, no secret."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=s3cret%E2%98%83")
    with pytest.raises(ConfigurationError, match="OTEL_EXPORTER_OTLP_HEADERS has a header") as refused:
        make(otlp_endpoint="http://localhost:1")

    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_malformed_header_is_refused_and_not_shown(
    make: Build,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    protocol: Protocol,
) -> None:
    """What is not name=value would be left out and logged as it is: its variable is named, no secret."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=blue,authorization Bearer s3cret")
    for spool in (None, str(tmp_path / "spool")):
        with pytest.raises(ConfigurationError, match="OTEL_EXPORTER_OTLP_HEADERS: 1 of its entr") as refused:
            make(otlp_endpoint="http://localhost:1", otlp_protocol=protocol, spool_dir=spool)
        assert "s3cret" not in str(refused.getrepr(style="value"))

    assert "s3cret" not in caplog.text


def test_protocol_of_one_signal(make: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_EXPORTER_OTLP_TRACES_PROTOCOL changes the protocol of traces only."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc")
    with collector("grpc") as traces, collector() as metrics:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", traces.endpoint)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", metrics.endpoint + "/v1/metrics")
        pipeline = make()
        record(pipeline)
        assert pipeline.flush(5)

    assert len(traces.spans()) == 1
    assert metrics.sum_of("tokens") == 42


@pytest.mark.parametrize("status", ["302 Found", "308 Permanent Redirect"])
def test_redirection_is_no_success(make: Build, status: str) -> None:
    """Where the receiver points elsewhere, as a login page does, nothing has arrived, and nobody says so."""
    answer = f"HTTP/1.1 {status}\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"
    with odd_receiver(answer.encode()) as visits:
        pipeline = make(otlp_endpoint=f"http://{visits.address}")
        record(pipeline)
        assert not pipeline.flush(5)

    assert {"/v1/traces": 1, "/v1/metrics": 1} == Counter(visits.paths)
    assert [0, 0] == [pipeline.stats()[signal]["exported"] for signal in ("traces", "metrics")]
    assert {("traces", "rejected"): 1} == pipeline.dropped()


@pytest.mark.parametrize(
    ("protocol", "mode", "loss"),
    [
        ("http/protobuf", "400", ("rejected", "400")),
        ("http/protobuf", "401", ("unauthorized", "401")),
        ("http/protobuf", "404", ("not_found", "404")),
        ("http/protobuf", "413", ("too_large", "413")),
        ("grpc", "400", ("rejected", "INVALID_ARGUMENT")),
        ("grpc", "401", ("unauthorized", "UNAUTHENTICATED")),
        ("grpc", "404", ("not_found", "UNIMPLEMENTED")),
    ],
)
def test_refusal_has_its_reason(
    make: Build, protocol: Protocol, mode: Mode, loss: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """What the receiver refuses for good is lost for that reason, and the log says what helps."""
    reason, error_type = loss
    with collector(protocol, mode) as received:
        received.limit = 0
        pipeline = make(otlp_endpoint=received.endpoint, otlp_protocol=protocol)
        record(pipeline)
        assert not pipeline.flush(5)
        received.mode = "ok"
        record(pipeline)
        assert pipeline.flush(5)

    assert pipeline.dropped() == {("traces", reason): 1}
    assert pipeline.export_failures() == {("traces", error_type): 1, ("metrics", error_type): 1}
    assert f"({reason}: {error_type}; 1 item)" in caplog.text


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("said", "rejected"), [(2, 2), (-1, 0), (1_000, 3)])
def test_items_refused_out_of_a_batch_are_counted(
    make: Build, protocol: Protocol, said: int, rejected: int
) -> None:
    """The receiver takes a batch and says that it has refused a part: that part is lost, not exported."""
    with collector(protocol) as received:
        received.rejected = said
        pipeline = make(otlp_endpoint=received.endpoint, otlp_protocol=protocol, metrics_exporter="none")
        for _ in range(3):
            record(pipeline)
        assert pipeline.flush(5) is (rejected == 0)
        received.rejected = 0
        record(pipeline)
        assert pipeline.flush(5)

    assert pipeline.dropped() == ({("traces", "rejected"): rejected} if rejected else {})
    assert pipeline.stats()["traces"]["exported"] == 4 - rejected


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_refused_data_points_are_counted(make: Build, protocol: Protocol) -> None:
    """The same of metrics, also by an exporter that had to connect anew."""
    with collector(protocol, "503") as received:
        pipeline = make(otlp_endpoint=received.endpoint, otlp_protocol=protocol, traces_exporter="none")
        record(pipeline)
        assert not pipeline.flush(0.5)
        received.mode, received.rejected = "ok", 1
        assert not pipeline.flush(5)

    assert pipeline.dropped() == {("metrics", "rejected"): len(received.metric_requests)}


def test_the_last_data_goes_out_at_shutdown(make: Build) -> None:
    """Shutdown alone sends everything, answers True, and a second shutdown or flush says the same at once."""
    with collector() as received:
        pipeline = make(otlp_endpoint=received.endpoint)
        record(pipeline)
        assert pipeline.shutdown(5)
        assert pipeline.shutdown(5)
        assert pipeline.flush(5)

    assert len(received.spans()) == 1
    assert received.sum_of("tokens") == 42


def test_waits_for_ever(make: Build) -> None:
    """Infinity is a timeout like any other."""
    with collector() as received:
        pipeline = make(otlp_endpoint=received.endpoint)
        record(pipeline)
        assert pipeline.flush(math.inf)
        record(pipeline)
        assert pipeline.shutdown(math.inf)

    assert len(received.spans()) == 2


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_dead_port_keeps_the_deadline(make: Build, protocol: Protocol) -> None:
    """Where nothing listens, flush and shutdown answer False within their time plus half a second."""
    pipeline = make(otlp_endpoint=dead_endpoint(), otlp_protocol=protocol)
    record(pipeline)
    _assert_false_within(pipeline.flush, 1.0)
    _assert_false_within(pipeline.shutdown, 0.5)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_silent_receiver_keeps_the_deadline(make: Build, protocol: Protocol) -> None:
    """A receiver that accepts and never answers holds flush and shutdown up no longer than asked."""
    with collector(protocol, "black_hole") as received:
        pipeline = make(otlp_endpoint=received.endpoint, otlp_protocol=protocol)
        record(pipeline)
        _assert_false_within(pipeline.flush, 1.0)
        assert received.arrived.is_set()
        _assert_false_within(pipeline.shutdown, 0.5)


def _assert_false_within(action: Callable[[float], bool], timeout: float) -> None:
    begin = time.monotonic()
    assert not action(timeout)
    assert time.monotonic() - begin < timeout + KEPT


def test_unavailable_receiver_is_counted(make: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that answers 503 until the time is up costs the batch, which is counted by reason."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.5")
    with collector(mode="503") as received:
        pipeline = make(otlp_endpoint=received.endpoint)
        record(pipeline)
        assert not pipeline.flush(3)
        assert pipeline.dropped() == {("traces", "export_failed"): 1}
        assert pipeline.export_failures() == {
            ("traces", "export_failed"): 1,
            ("metrics", "export_failed"): 1,
        }
        received.mode = "ok"
        record(pipeline)
        assert pipeline.flush(3), "what was lost before the last flush is not held against this one"
    assert received.sum_of("tokens") == 84, "metrics lose nothing, they are cumulative"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_shutdown_interrupts_what_it_gave_up(make: Build, protocol: Protocol) -> None:
    """After the deadline the exporter is closed: its wait for the next attempt ends, what is queued fails."""
    with collector(protocol, "503") as received:
        pipeline = make(otlp_endpoint=received.endpoint, otlp_protocol=protocol, metrics_exporter="none")
        for _ in range(600):
            record(pipeline)
        assert not pipeline.shutdown(0.3)
        wait_until(lambda: not pipeline.queue_size(), 3)
    assert pipeline.dropped() == {("traces", "export_failed"): 512, ("traces", "shut_down"): 88}


def test_giving_up_on_metrics_names_them(make: Build, caplog: pytest.LogCaptureFixture) -> None:
    """Where no span waits, the line about a shutdown that ran out of time speaks of the metrics."""
    with collector(mode="black_hole") as received:
        pipeline = make(otlp_endpoint=received.endpoint, traces_exporter="none")
        record(pipeline)
        assert not pipeline.shutdown(0.1)

    assert "after 0.1 s; the last metrics were perhaps not sent." in caplog.text


def test_flushes_do_not_pile_up_threads(make: Build) -> None:
    """Many flushes against a silent receiver share the pipeline's threads."""

    def ours() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name.startswith("litespan-")}

    with collector(mode="black_hole") as received:
        pipeline = make(otlp_endpoint=received.endpoint)
        record(pipeline)
        before = ours()
        for _ in range(20):
            pipeline.flush(0.01)
        assert ours() <= before


def test_one_dead_destination_does_not_delay_another(make: Build, tmp_path: object) -> None:
    """With two exporters, the file is written although the receiver is dead."""
    path = f"{tmp_path}/traces.jsonl"
    pipeline = make(
        traces_exporter="otlp,litespan_file",
        metrics_exporter="none",
        otlp_endpoint=dead_endpoint(),
        traces_file=path,
    )
    record(pipeline)
    assert not pipeline.flush(0.5)
    with open(path, encoding="utf-8") as file:
        assert len(file.readlines()) == 1


def test_a_spool_that_nothing_goes_through(
    make: Build, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Who asks for a spool and sends nothing by OTLP is told; with an endpoint there is nothing to tell."""
    spool = str(tmp_path / "spool")
    make(traces_exporter="none", metrics_exporter="console", spool_dir=spool)

    assert ["does not use spool_dir" in record.getMessage() for record in caplog.records] == [True]
    caplog.clear()
    make(otlp_endpoint="http://localhost:1", traces_exporter="none", spool_dir=spool)
    assert "spool_dir" not in caplog.text
