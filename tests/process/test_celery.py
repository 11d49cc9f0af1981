"""Celery's prefork pool, whose processes end without Python's exit handlers."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from celery import Celery  # type: ignore[import-untyped]

from litespan.testing import Provider
from tests.fakes.otlp_server import collector
from tests.process.workers.arrivals import calls_by_process, durations_by_process, runs_by_process
from tests.process.zero_code.commands import BIN, environment, finish, start

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
    pytest.mark.timeout(240),
]

WORKERS = str(Path(__file__).parent / "workers")
COMMAND = [str(BIN / "celery"), "--workdir", WORKERS, "--app", "tasks", "--quiet", "worker"]
OPTIONS = ["--concurrency", "2", "--max-tasks-per-child", "2", "--loglevel", "error"]
ALONE = ["--without-gossip", "--without-mingle", "--without-heartbeat"]


def send_tasks(folder: Path, number: int) -> None:
    """Put tasks into the folder that the worker reads."""
    client = Celery(broker="filesystem://", set_as_current=False)
    places = dict.fromkeys(("data_folder_in", "data_folder_out", "control_folder"), str(folder))
    client.conf.broker_transport_options = places
    for _ in range(number):
        client.send_task("ask", ignore_result=True)
    client.close()


def test_prefork(tmp_path: Path) -> None:
    """Every task's run arrives, also of processes that Celery replaces after two tasks."""
    messages = tmp_path / "messages"
    messages.mkdir()
    send_tasks(messages, 6)
    with Provider() as provider, collector() as received:
        variables = environment(provider.base_url, received.endpoint) | {"MESSAGES": str(messages)}
        # Celery warns of users like those of containers.
        variables |= {"C_FORCE_ROOT": "true", "PYTHONWARNINGS": "ignore"}
        worker = start([*COMMAND, *OPTIONS, *ALONE], tmp_path, variables)
        assert provider.wait_for_calls(6, timeout=120)
        worker.send_signal(signal.SIGTERM)
        code, _, errors = finish(worker)

    assert (0, "") == (code, errors)
    runs = runs_by_process(received)
    assert 6 == sum(runs.values())
    assert 3 <= len(runs)
    assert 2 == max(runs.values())
    assert runs == calls_by_process(received) == durations_by_process(received)
