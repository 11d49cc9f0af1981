"""Web servers with worker processes, and litespan in the program's code: all runs arrive, each once."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from litespan.testing import Provider
from tests.fakes.otlp_server import Received, collector
from tests.fakes.ports import free_port
from tests.process.workers.arrivals import calls_by_process, durations_by_process, runs_by_process
from tests.process.zero_code.commands import BIN, environment, finish, get, start, wait_until_listening

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
    pytest.mark.timeout(240),
]

WORKERS = str(Path(__file__).parent / "workers")
GUNICORN = [str(BIN / "gunicorn"), "--pythonpath", WORKERS, "--timeout", "120", "--log-level", "error"]
UVICORN = [str(BIN / "uvicorn"), "asgi_configured:app", "--app-dir", WORKERS, "--log-level", "error"]
OLD_UVICORN = tuple(map(int, version("uvicorn").split(".")[:2])) < (0, 47)
ASYNC = ["--worker-class", "uvicorn_worker.UvicornWorker", "asgi_configured:app"]


# Answers by process, arrivals, exit code and log.
Served = tuple[Counter[str], Received, int, str]


def serve(command: list[str], folder: Path, port: int) -> Served:
    """Let two workers answer until both have."""

    def enough(served: Counter[str]) -> bool:
        return served.total() >= 4 and (len(served) >= 2 or served.total() >= 60)

    return serve_until(enough, [*command, "--workers", "2"], folder, port)


def serve_alone(command: list[str], folder: Path, port: int) -> Served:
    """Let a server without workers answer twice."""
    return serve_until(lambda served: served.total() >= 2, command, folder, port)


def serve_until(
    enough: Callable[[Counter[str]], bool], command: list[str], folder: Path, port: int
) -> Served:
    """Let a server answer until it is enough, and end it by SIGTERM."""
    served: Counter[str] = Counter()
    with Provider() as provider, collector() as received:
        server = start(command, folder, environment(provider.base_url, received.endpoint))
        wait_until_listening(port, server)
        while not enough(served):
            served[get(port)] += 1
        server.send_signal(signal.SIGTERM)
        code, _, errors = finish(server)
    return served, received, code, errors


@pytest.mark.parametrize("preload", [["--preload"], []], ids=["preload", "no preload"])
@pytest.mark.parametrize("application", [["wsgi_configured:app"], ASYNC], ids=["sync", "uvicorn"])
def test_gunicorn(application: list[str], preload: list[str], tmp_path: Path) -> None:
    """Every run of every worker of gunicorn arrives under an id of that worker, and is counted there."""
    port = free_port()
    command = [*GUNICORN, "--bind", f"127.0.0.1:{port}", *preload, *application]
    served, received, code, errors = serve(command, tmp_path, port)

    assert (0, "") == (code, errors)
    check(served, received)


def test_uvicorn_workers(tmp_path: Path) -> None:
    """The same holds for `uvicorn --workers` if the application shuts litespan down at its end."""
    port = free_port()
    served, received, code, errors = serve([*UVICORN, "--port", str(port)], tmp_path, port)

    assert (0, "") == (code, errors)
    check(served, received)


@pytest.mark.skipif(OLD_UVICORN, reason="uvicorn has taken the signals before it imports the application")
def test_uvicorn_alone(tmp_path: Path) -> None:
    """Without workers, uvicorn sends all when SIGTERM ends it, also if the application has no shutdown."""
    port = free_port()
    command = [*UVICORN, "--port", str(port), "--lifespan", "off"]
    served, received, code, errors = serve_alone(command, tmp_path, port)

    assert (-signal.SIGTERM, "") == (code, errors)
    check(served, received)


def test_uvicorn_run(tmp_path: Path) -> None:
    """A program that is set up before it runs uvicorn sends all when SIGTERM ends it."""
    port = free_port()
    command = [sys.executable, str(Path(WORKERS) / "uvicorn_run.py"), str(port)]
    served, received, code, errors = serve_alone(command, tmp_path, port)

    assert (-signal.SIGTERM, "") == (code, errors)
    check(served, received)


def check(served: Counter[str], received: Received) -> None:
    """Compare what arrived with what was served, by process; a parent that did nothing sends no runs."""
    runs = runs_by_process(received)
    assert sorted(served.values()) == sorted(runs.values())
    assert runs == calls_by_process(received) == durations_by_process(received)
