"""Where data goes, as the settings and the environment say."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from litespan.export.choice import exporter_names, files_by_default, metric_interval_ms, otlp_target
from litespan.export.pipeline import build
from litespan.setting_checks import ConfigurationError
from litespan.settings import load_settings

BASE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


@pytest.mark.parametrize(
    ("environ", "arguments", "traces", "metrics"),
    [
        ({}, {}, "litespan_file", "litespan_file"),
        (BASE, {}, "otlp", "otlp"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/v1/traces"}, {}, "otlp", "litespan_file"),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c/v1/metrics"}, {}, "litespan_file", "otlp"),
        ({}, {"otlp_endpoint": "http://c:4318"}, "otlp", "otlp"),
        ({"OTEL_TRACES_EXPORTER": "console,otlp"}, {}, "console,otlp", "litespan_file"),
        (BASE | {"OTEL_TRACES_EXPORTER": "none"}, {}, "", "otlp"),
        ({"OTEL_TRACES_EXPORTER": "none"}, {"traces_exporter": "console"}, "console", "litespan_file"),
    ],
)
def test_exporters(environ: dict[str, str], arguments: dict[str, str], traces: str, metrics: str) -> None:
    """An explicit choice is taken; else OTLP where there is an endpoint for the signal; else the file."""
    settings = load_settings(environ, **arguments)
    assert ",".join(exporter_names("traces", settings, environ)) == traces
    assert ",".join(exporter_names("metrics", settings, environ)) == metrics


@pytest.mark.parametrize(
    ("environ", "arguments", "shown", "argument"),
    [
        (BASE, {}, "http/protobuf http://collector:4318/v1/traces", None),
        (
            BASE | {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://other/in"},
            {},
            "http/protobuf http://other/in",
            None,
        ),
        (
            BASE | {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://other/in"},
            {"otlp_endpoint": "https://mine/base/"},
            "http/protobuf https://mine/base/v1/traces",
            "https://mine/base/v1/traces",
        ),
        (BASE | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, {}, "grpc http://collector:4318", None),
        (BASE | {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}, {}, "grpc http://collector:4318", None),
        ({}, {"traces_exporter": "otlp"}, "http/protobuf http://localhost:4318/v1/traces", None),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"},
            {"otlp_protocol": "grpc", "otlp_endpoint": "http://mine:4317"},
            "grpc http://mine:4317",
            "http://mine:4317",
        ),
        # Also where an argument is what a default, or another variable, says anyway.
        (
            {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"},
            {"otlp_protocol": "http/protobuf"},
            "http/protobuf http://localhost:4318/v1/traces",
            None,
        ),
        (
            BASE | {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://other/in"},
            {"otlp_endpoint": "http://collector:4318"},
            "http/protobuf http://collector:4318/v1/traces",
            "http://collector:4318/v1/traces",
        ),
        # None is what is not given.
        (
            BASE | {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://other/in"},
            {"otlp_endpoint": None},
            "http/protobuf http://other/in",
            None,
        ),
    ],
)
def test_otlp_target(
    environ: dict[str, str], arguments: dict[str, object], shown: str, argument: str | None
) -> None:
    """Argument, then the signal's variable, then the common one; variables are left to OpenTelemetry."""
    target = otlp_target("traces", load_settings(environ, **arguments), environ)
    assert f"{target.protocol} {target.shown}" == shown
    assert target.argument == argument


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"},
            "^OTEL_EXPORTER_OTLP_ENDPOINT: .* must start with http",
        ),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "x:1"},
            "^OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: .*'x:1' is no URL",
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://me:se@cret@host:4b"}, "'host:4b/v1/traces' is no URL: look"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://me:secret@"}, "'/v1/traces' is no URL: it must start"),
        (BASE | {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"}, "Valid values: http/protobuf, grpc"),
    ],
)
def test_what_cannot_work_is_a_clear_error(environ: dict[str, str], message: str) -> None:
    """A wrong endpoint or protocol fails at once and says what is right."""
    with pytest.raises(ConfigurationError, match=message):
        otlp_target("traces", load_settings(environ), environ)


def test_an_endpoint_of_the_code_is_named_by_its_setting() -> None:
    """Who gives the endpoint as an argument is told its name, not that of a variable."""
    with pytest.raises(ConfigurationError, match=r"^otlp_endpoint: the OTLP endpoint 'host:1/v1/traces'"):
        otlp_target("traces", load_settings({}, otlp_endpoint="host:1"), {})


def test_unknown_exporters_are_refused_where_they_would_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name in a variable is wrong only where litespan makes the exporters of that signal.

    The providers may be those of another set-up, which knows the name.
    """
    for signal in ("TRACES", "METRICS", "LOGS"):
        monkeypatch.setenv(f"OTEL_{signal}_EXPORTER", "otlp_proto_http,console")
    message = "OTEL_TRACES_EXPORTER='otlp_proto_http' is not valid. Valid values: otlp, console, "
    with pytest.raises(ConfigurationError, match=message):
        build(load_settings(), use_globals=False)
    with pytest.raises(ConfigurationError, match="OTEL_LOGS_EXPORTER='otlp_proto_http' is not valid"):
        build(
            load_settings(capture_content="EVENT_ONLY"),
            tracer_provider=TracerProvider(),
            meter_provider=MeterProvider(),
            use_globals=False,
        )
    pipeline = build(
        load_settings(),
        tracer_provider=TracerProvider(),
        meter_provider=MeterProvider(),
        use_globals=False,
    )
    assert pipeline.shutdown(5)


def test_unknown_exporter_as_an_argument_is_refused_at_once() -> None:
    """An argument is for litespan alone."""
    with pytest.raises(ConfigurationError, match="logs_exporter='otlp_proto_http' is not valid"):
        load_settings({}, logs_exporter="otlp_proto_http")


def test_an_address_of_ipv6_is_shown_as_urls_write_it() -> None:
    """The host keeps its brackets, so that the port can be told and the URL can be copied."""
    settings = load_settings({}, otlp_endpoint="http://user:secret@[::1]:4318")

    assert otlp_target("traces", settings, {}).shown == "http://[::1]:4318/v1/traces"


def test_credentials_in_a_url_are_not_shown() -> None:
    """User-info and query of the endpoint do not get into logs."""
    settings = load_settings({}, otlp_endpoint="https://user:secret@host:4318/x?key=secret")
    assert "secret" not in otlp_target("traces", settings, {}).shown


@pytest.mark.parametrize(
    ("environ", "arguments", "expected"),
    [
        ({}, {}, 60_000),
        ({"LITESPAN_METRIC_INTERVAL": "5"}, {}, 5_000),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "1000"}, {}, 1_000),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "1000", "LITESPAN_METRIC_INTERVAL": "5"}, {}, 1_000),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "1000"}, {"metric_interval": 7}, 7_000),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "1000"}, {"metric_interval": 60}, 60_000),
    ],
)
def test_metric_interval(environ: dict[str, str], arguments: dict[str, float], expected: float) -> None:
    """An argument goes before OpenTelemetry's variable, and that one before ours."""
    assert metric_interval_ms(load_settings(environ, **arguments), environ) == expected


@pytest.mark.parametrize("setting", ["metric_interval", "exit_timeout"])
def test_longer_than_python_can_wait(setting: str) -> None:
    """A time at which every wait would raise is refused, as an argument and as a variable."""
    with pytest.raises(ConfigurationError, match=rf"{setting}=1000000000000.0 is too long: \d+ is the most"):
        load_settings({}, **{setting: 1e12})
    with pytest.raises(ConfigurationError, match=f"LITESPAN_{setting.upper()}='1e12' is too long"):
        load_settings({f"LITESPAN_{setting.upper()}": "1e12"})


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("OTEL_METRIC_EXPORT_INTERVAL", "0", "must be a number greater than 0"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1e20", "is too long"),
        ("OTEL_BSP_SCHEDULE_DELAY", "0", "must be a whole number greater than 0"),
        ("OTEL_BSP_SCHEDULE_DELAY", "99999999999999999999", "is too long"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "-1", "must be a whole number greater than 0"),
    ],
)
def test_waits_that_cannot_work(
    variable: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """OpenTelemetry's intervals are checked, by name, before anything is built; not where others build it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, value)
    _assert_refused_early(tmp_path, f"{variable}=.* {message}", capture_content="EVENT_ONLY")
    pipeline = build(
        load_settings(capture_content="EVENT_ONLY"),
        tracer_provider=TracerProvider(),
        meter_provider=MeterProvider(),
        logger_provider=LoggerProvider(),
        use_globals=False,
    )
    assert pipeline.shutdown(5)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "many", "must be a whole number, 0 or more"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-1", "must be a whole number, 0 or more"),
        ("OTEL_METRICS_EXEMPLAR_FILTER", "ALWAYS_ON", "Valid values: trace_based, always_on, always_off"),
    ],
)
def test_what_no_provider_could_be_made_with(
    variable: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What OpenTelemetry's providers raise at is told by its variable, before anything is built."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, value)
    _assert_refused_early(tmp_path, f"{variable}=.* {message}")


@pytest.mark.parametrize(
    ("variable", "value"), [("OTEL_SPAN_EVENT_COUNT_LIMIT", "0"), ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", " ")]
)
def test_limits_that_are_fine(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A limit of nothing, and none at all, are what OpenTelemetry takes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, value)
    assert build(load_settings(), use_globals=False).shutdown(5)


def test_default_files_are_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """Without any choice, the description names the absolute paths and the variable that changes it."""
    monkeypatch.chdir(str(tmp_path))
    pipeline = build(load_settings(), use_globals=False)
    assert pipeline.describe() == [
        f"traces: file {tmp_path}/litespan-traces.jsonl",
        f"metrics: file {tmp_path}/litespan-metrics.jsonl",
        "set OTEL_EXPORTER_OTLP_ENDPOINT to send it to a collector instead",
    ]
    assert pipeline.shutdown(5)
    assert not files_by_default(load_settings({}, traces_exporter="none", metrics_exporter="none"), {})


def test_a_file_that_cannot_be_written_leaves_nothing_running(tmp_path: object) -> None:
    """If the metrics file cannot be written, building fails before any thread was started."""
    before = set(threading.enumerate())
    with pytest.raises(ConfigurationError, match="cannot be written"):
        build(
            load_settings({}, traces_file=f"{tmp_path}/t", metrics_file=f"{tmp_path}"),
            use_globals=False,
        )
    assert set() == set(threading.enumerate()) - before


def _assert_refused_early(folder: Path, message: str, **settings: Any) -> None:
    """Check that building is an error which leaves no thread, and no file in the working directory."""
    before = set(threading.enumerate())
    with pytest.raises(ConfigurationError, match=message):
        build(load_settings(**settings), use_globals=False)

    assert set() == set(threading.enumerate()) - before
    assert [] == [*folder.iterdir()]
