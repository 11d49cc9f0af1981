"""Starting commands as a user's shell would, with a fake provider and collectors in place of the world."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from time import monotonic, sleep

PROGRAMS = Path(__file__).parent
BIN = Path(sys.executable).parent
INSTRUMENT = str(BIN / "opentelemetry-instrument")
# Instrumentations of HTTP clients that are installed for other tests.
OTHERS = "httpx,aiohttp-client"


def environment(base_url: str, endpoint: str) -> dict[str, str]:
    """Return the variables of a program whose provider and collector are on this machine."""
    return {
        **os.environ,
        "OPENAI_API_KEY": "none",
        "OPENAI_API_BASE": base_url,
        "OTEL_SERVICE_NAME": "helper",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": OTHERS,
    }


def start(command: list[str], cwd: Path, env: dict[str, str]) -> subprocess.Popen[str]:
    """Start a command with its output piped; its programs are found wherever it runs."""
    return subprocess.Popen(
        command,
        cwd=cwd,
        env={**env, "PYTHONPATH": str(PROGRAMS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for the end; return exit code, standard output and standard error."""
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


def wait_until_listening(port: int, process: subprocess.Popen[str], timeout: float = 120) -> None:
    """Wait (seconds) until a server accepts connections; fail if its process ends first."""
    deadline = monotonic() + timeout
    while monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        sleep(0.05)
    process.kill()
    raise AssertionError(f"no server: {process.communicate()}")


def get(port: int) -> str:
    """Return the body of a page."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as response:
        return str(response.read().decode())
