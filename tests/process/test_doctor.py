"""`litespan doctor` as a user meets it: a real process, its table, its JSON, its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.otlp_receivers import ALL_SIGNALS, Manners, http_receiver
from tests.fakes.otlp_server import collector, dead_endpoint

pytestmark = pytest.mark.timeout(120)

LITESPAN = [sys.executable, "-c", "from litespan.cli import main; main(prog_name='litespan')"]


# Whatever would connect or ask for a name is told on standard error.
WATCHED = """
import sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        address = arguments[1] if event == "socket.connect" else arguments[:2]
        sys.stderr.write(f"{address}\\n")  # in one piece: threads connect at the same time

sys.addaudithook(watch)
from litespan.cli import main
main(["doctor"], prog_name="litespan")
"""


def doctor(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [*LITESPAN, "doctor", *arguments],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "200", **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def checks(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    """Return what `--json` printed, by check."""
    return {check["check"]: check for check in json.loads(done.stdout)["checks"]}


def test_clean_set_up(tmp_path: Path) -> None:
    """Without any setting all is well, and no file is left."""
    done = doctor(cwd=tmp_path)

    assert (0, "") == (done.returncode, done.stderr)
    assert "Nothing needs to be mended." in done.stdout
    assert "problem" not in done.stdout
    assert [] == list(tmp_path.iterdir())


def test_connections(tmp_path: Path) -> None:
    """Nothing is connected to unless it is configured; then it is that address only."""
    command = [sys.executable, "-c", WATCHED]
    endpoint = dead_endpoint()
    port = endpoint.rpartition(":")[2]
    without, with_one = (
        subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        for env in (dict(os.environ), {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})
    )

    assert (0, "") == (without.returncode, without.stderr)
    assert 1 == with_one.returncode
    assert {f"('127.0.0.1', {port})"} == set(with_one.stderr.splitlines())


def test_right_receiver(tmp_path: Path) -> None:
    """`--otlp` tries that receiver for traces and metrics, whatever the environment names."""
    hostile = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": dead_endpoint(), "OTEL_METRICS_EXPORTER": "none"}
    with http_receiver(Manners(statuses=ALL_SIGNALS)) as visits:
        done = doctor("--otlp", f"http://{visits.address}", "--json", cwd=tmp_path, env=hostile)
    found = checks(done)

    assert (0, True) == (done.returncode, json.loads(done.stdout)["well"])
    assert {"/v1/traces", "/v1/metrics"} == set(visits.paths)
    assert ("ok", "ok", "ok") == tuple(
        found[name]["status"] for name in ("endpoint of traces", "endpoint of metrics", "clock")
    )


def test_variables_are_those_of_the_environment(tmp_path: Path) -> None:
    """What `--otlp` stands for is not counted among the variables that are set."""
    set_here = len([name for name in os.environ if name.startswith(("LITESPAN_", "OTEL_"))])
    found = checks(doctor("--otlp", dead_endpoint(), "--json", cwd=tmp_path))

    assert found["variables"]["says"].startswith(f"{set_here} of LITESPAN_ and OTEL_")


def test_width_that_nobody_knows(tmp_path: Path) -> None:
    """Where a shell says that the terminal has no column, the table is there all the same."""
    done = doctor(cwd=tmp_path, env={"COLUMNS": "0"})

    assert "what was seen" in done.stdout


def test_events_are_tried_where_they_are_on(tmp_path: Path) -> None:
    """The endpoint of logs is tried if prompts go on events."""
    content = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "EVENT_ONLY"}
    with http_receiver(Manners(statuses=ALL_SIGNALS)) as visits:
        done = doctor("--otlp", f"http://{visits.address}", cwd=tmp_path, env=content)

    assert (0, "") == (done.returncode, done.stderr)
    assert "/v1/logs" in visits.paths


def test_something_to_mend(tmp_path: Path) -> None:
    """What is wrong ends with 1 and the lines that mend it, each once, unbroken; gRPC adds no words."""
    with collector("grpc") as received:
        done = doctor(cwd=tmp_path, env={"OTEL_EXPORTER_OTLP_ENDPOINT": received.endpoint, "COLUMNS": "60"})

    assert (1, "") == (done.returncode, done.stderr)
    assert (
        "\n  endpoint of traces, endpoint of metrics\n    export OTEL_EXPORTER_OTLP_PROTOCOL=grpc "
        in done.stdout
    )
    assert 1 == done.stdout.count("export OTEL_EXPORTER_OTLP_PROTOCOL=grpc")


@pytest.mark.parametrize(
    ("variable", "value", "mend"),
    [
        ("OTEL_TRACES_EXPORTER", "jaeger", "Valid values: otlp, console, litespan_file, none."),
        ("OTEL_BSP_SCHEDULE_DELAY", "0", "must be a whole number greater than 0."),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many", "must be a whole number, 0 or more."),
    ],
)
def test_settings_that_cannot_be_read(tmp_path: Path, variable: str, value: str, mend: str) -> None:
    """A wrong value is told with what is valid; what rests on it is not checked, the rest is."""
    done = doctor("--json", cwd=tmp_path, env={variable: value})
    found = checks(done)

    assert 1 == done.returncode
    assert f"{variable}={value!r}" in found["settings"]["mends"][0]
    assert mend in found["settings"]["mends"][0]
    assert "not checked" == found["endpoints"]["status"]
    assert "ok" == found["version of litellm"]["status"]


def test_no_secret_is_printed(tmp_path: Path) -> None:
    """Headers, user-info and queries are in no line, in the table or the JSON, whatever goes wrong."""
    with http_receiver(Manners(statuses=ALL_SIGNALS, token="right")) as visits:  # noqa: S106 - a test's
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://us3r:pa55@{visits.address}?key=qu3ry",
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20t0ken",
            "OTEL_EXPORTER_OTLP_METRICS_HEADERS": "broken: s3cret",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://us3r:pa55@127.0.0.1:port",
            "LITESPAN_API_KEY": "k3y",
        }
        outputs = [doctor(*arguments, cwd=tmp_path, env=env) for arguments in ((), ("--json",))]

    for done in outputs:
        assert 1 == done.returncode
        printed = done.stdout + done.stderr
        assert [] == [
            secret for secret in ("us3r", "pa55", "qu3ry", "t0ken", "s3cret", "k3y") if secret in printed
        ]


def test_every_check_takes_part(tmp_path: Path) -> None:
    """An environment in which nearly everything is wrong is told in every line, each with its mend."""
    wrong = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": dead_endpoint(),
        "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "authorization: token",
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta",
        "OTEL_EXPORTER_OTLP_ENDPIONT": "x",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT",
        "OTEL_TRACES_EXPORTER": "otlp,litespan_file",
        "OTEL_METRICS_EXPORTER": "otlp,prometheus",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_TRACES_SAMPLER": "always_off",
        "OTEL_SDK_DISABLED": "true",
        "LITESPAN_TRACES_FILE": str(tmp_path / "none" / "traces.jsonl"),
        "LITESPAN_SPOOL_DIR": str(tmp_path / "file"),
    }
    (tmp_path / "file").touch()
    found = checks(doctor("--json", cwd=tmp_path, env=wrong))

    assert {
        "endpoint of traces",
        "endpoint of metrics",
        "switches",
        "content",
        "temporality",
        "metrics sent once",
        "spool",
        "file of traces",
        "sampling",
        "variables",
        "headers",
    } <= {name for name, check in found.items() if check["mends"]}
    assert {"settings", "scraping", "other instrumentations", "malicious litellm", "clock"} <= set(found)
    assert {f"version of {package}" for package in ("openai-agents", "litellm", "opentelemetry-sdk")} <= set(
        found
    )


def test_wrong_use(tmp_path: Path) -> None:
    """A timeout that is none is wrong use."""
    done = doctor("--timeout", "0", cwd=tmp_path)

    assert (2, "") == (done.returncode, done.stdout)
    assert "--timeout" in done.stderr
