"""Ends that Python knows nothing of, and pauses: what can be kept is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fakes.otlp_server import Received, collector

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals"),
    pytest.mark.timeout(120),
]

FREEZE = 1.0  # seconds
PROGRAM = Path(__file__).parent / "workers" / "ends.py"


def start(received: Received, *arguments: str) -> subprocess.Popen[str]:
    """Start the program with pipes; it sends nothing on its own before it is asked to."""
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), *arguments],
        env={
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": received.endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "3600000",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("flush", "end", "code", "kept"),
    [
        ("no", "_exit", 0, 0),
        ("flush", "_exit", 0, 1),
        ("no", "SIGKILL", -signal.SIGKILL, 0),
        ("flush", "SIGKILL", -signal.SIGKILL, 1),
        ("no", "SIGTERM", -signal.SIGTERM, 1),
    ],
)
def test_what_is_kept(flush: str, end: str, code: int, kept: int) -> None:
    """`os._exit` and SIGKILL leave what was flushed; SIGTERM leaves everything and ends the process."""
    with collector() as received:
        process = start(received, flush, end)
        _, errors = process.communicate(timeout=60)

    assert (code, "") == (process.returncode, errors)
    assert kept == len(received.spans())


def test_frozen_between_invocations() -> None:
    """A process that is stopped between two pieces of work, as in AWS Lambda, loses none of them.

    While it is stopped, the receiver closes the connection and comes back.
    """
    with collector() as received:
        process = start(received, "flush", "serve")
        first = invoke(process)
        freeze(process)
        port = int(received.endpoint.rsplit(":", 1)[1])
    with collector(port=port, received=received):
        process.send_signal(signal.SIGCONT)
        second = invoke(process)
        freeze(process)
        process.send_signal(signal.SIGCONT)
        _, errors = process.communicate(timeout=60)

    assert (["True\n"] * 2, 0, "") == ([first, second], process.returncode, errors)
    assert 3 == len(received.spans())
    assert all(
        span.end_time_unix_nano - span.start_time_unix_nano < FREEZE * 1e9 for span in received.spans()
    )


def invoke(process: subprocess.Popen[str]) -> str:
    """Let it work once; return what its flush said."""
    assert process.stdin
    assert process.stdout
    process.stdin.write("work\n")
    process.stdin.flush()
    return process.stdout.readline()


def freeze(process: subprocess.Popen[str]) -> None:
    """Stop a process for a while; a span that went on meanwhile would be as long."""
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)
    time.sleep(FREEZE)
