"""Celery's prefork pool, whose processes end without Python's exit handlers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery import Celery  # type: ignore[import-untyped]

from litespan.testing import Provider
from tests.fakes.otlp_server import Received, collector
from tests.process.workers.arrivals import calls_by_process, durations_by_process, runs_by_process
from tests.process.zero_code.commands import BIN, environment, finish, start
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
    pytest.mark.timeout(240),
]

WORKERS = str(Path(__file__).parent / "workers")
COMMAND = [str(BIN / "celery"), "--workdir", WORKERS, "--app", "tasks", "--quiet", "worker"]
OPTIONS = ["--concurrency", "2", "--loglevel", "error"]
SPANS = 3  # of a run: its root, its agent and its call
ALONE = ["--without-gossip", "--without-mingle", "--without-heartbeat"]


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    """Return a folder with six tasks, which the worker reads in place of a broker."""
    folder = tmp_path / "messages"
    folder.mkdir()
    client = Celery(broker="filesystem://", set_as_current=False)
    places = dict.fromkeys(("data_folder_in", "data_folder_out", "control_folder"), str(folder))
    client.conf.broker_transport_options = places
    for _ in range(6):
        client.send_task("ask", ignore_result=True)
    client.close()
    return folder


@contextmanager
def worker(messages: Path, received: Received, provider: Provider, *options: str) -> Iterator[None]:
    """Run a worker, and end it as an operator does: it may finish its tasks."""
    variables = environment(provider.base_url, received.endpoint) | {"MESSAGES": str(messages)}
    # Celery warns of users like those of containers.
    variables |= {"C_FORCE_ROOT": "true", "PYTHONWARNINGS": "ignore"}
    process = start([*COMMAND, *OPTIONS, *ALONE, *options], messages.parent, variables)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        code, _, errors = finish(process)
    assert (0, "") == (code, errors)


def test_processes_that_are_replaced(messages: Path) -> None:
    """Every task's run arrives, also of processes that Celery replaces after each.

    The worker is stopped only then: with a broker that has no event loop, a thread of Celery starts those
    that replace others, and Linux kills them when that thread ends, even amid their exit handlers.
    """
    one_each = ("--max-tasks-per-child", "1")
    with Provider() as provider, collector() as received, worker(messages, received, provider, *one_each):
        wait_until(lambda: sum(durations_by_process(received).values()) == 6, 120)
        wait_until(lambda: len(received.spans()) == 6 * SPANS, 120)

    runs = runs_by_process(received)
    assert [1] * 6 == list(runs.values())
    assert runs == calls_by_process(received) == durations_by_process(received)


def test_processes_that_are_stopped(messages: Path) -> None:
    """Every task's run arrives, also of processes that end with the worker."""
    with Provider() as provider, collector() as received, worker(messages, received, provider):
        assert provider.wait_for_calls(6, timeout=120)

    runs = runs_by_process(received)
    assert 6 == sum(runs.values())
    assert runs == calls_by_process(received) == durations_by_process(received)
