"""How a program ends: with its own exit code, with its data sent, and never held up by a dead receiver."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.fakes.otlp_server import Protocol, collector, dead_endpoint
from tests.process.shell import python
from tests.waiting import KEPT

PROGRAM = Path(__file__).with_name("exit_program.py")


def run(
    exit_code: int, spans: int, cwd: Path, **variables: str
) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run the program; return what it left, and how many seconds its exit took.

    The last exit handler ends that: how fast the interpreter then goes down is up to the machine.
    """
    done = python(str(PROGRAM), str(exit_code), str(spans), folder=cwd, **variables)
    began, ended = map(float, done.stdout.splitlines())
    return done, ended - began


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_exit_sends_what_is_left(tmp_path: Path, protocol: Protocol) -> None:
    """The last spans and metrics arrive although the program only exits; the exit code is its own."""
    with collector(protocol) as received:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": received.endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        }
        done, _ = run(3, 700, tmp_path, **variables)
    assert (done.returncode, done.stderr) == (3, "")
    assert len(received.spans()) == 700
    assert received.sum_of("tokens") == 700


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
@pytest.mark.parametrize("receiver", ["dead", "black_hole"])
def test_exit_is_bounded(tmp_path: Path, protocol: Protocol, receiver: str) -> None:
    """With a receiver that is dead or silent, exit takes at most the exit timeout and half a second."""
    variables = {
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "LITESPAN_EXIT_TIMEOUT": "1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": dead_endpoint(),
    }
    if receiver == "dead":
        done, seconds = run(7, 700, tmp_path, **variables)
    else:
        with collector(protocol, "black_hole") as received:
            done, seconds = run(
                7, 700, tmp_path, **variables | {"OTEL_EXPORTER_OTLP_ENDPOINT": received.endpoint}
            )
    assert done.returncode == 7
    assert seconds < 1 + KEPT
    assert "gave up waiting for its exporters after 1 s" in done.stderr
    assert "Traceback" not in done.stderr


def test_exit_writes_the_default_files(tmp_path: Path) -> None:
    """Without any variable, the data is in two files in the working directory after the exit."""
    done, _ = run(0, 3, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "litespan-metrics.jsonl",
        "litespan-traces.jsonl",
    ]
    assert (tmp_path / "litespan-traces.jsonl").read_text().count('"name":"chat"') == 3
