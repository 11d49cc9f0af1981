"""The worker that runs what may hang."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
import time

import pytest

from litespan.export.deadline import Worker, left_until


@pytest.mark.parametrize("timeout", [math.nan, -math.inf, -1])
def test_nothing_is_left(timeout: float) -> None:
    """What is no time that lies ahead leaves nothing, and is a number that a wait takes."""
    assert 0 == left_until(time.monotonic() + timeout)


def test_callers_share_the_run_that_has_not_started() -> None:
    """While a task runs, any number of further requests for it cause one more run."""
    release, runs = threading.Event(), []

    def task() -> bool:
        runs.append(1)
        return release.wait(10)

    worker = Worker("test")
    first = worker.submit(task)
    while not runs:
        pass
    waiting = [worker.submit(task) for _ in range(5)]
    assert len(set(map(id, waiting))) == 1
    release.set()
    assert first.result(5)
    assert waiting[0].result(5)
    assert len(runs) == 2
    worker.stop()


@pytest.mark.internal_errors_expected
def test_a_task_that_raises_answers_false() -> None:
    """An exception in a task is contained, and the worker goes on."""
    worker = Worker("test")
    assert worker.submit(lambda: 1 // 0 == 0).result(5) is False
    assert worker.submit(lambda: True).result(5) is True
    worker.stop()


def test_a_stopped_worker_answers_at_once() -> None:
    """After the end, a request is answered with False instead of never."""
    worker = Worker("test")
    worker.stop()
    assert worker.submit(lambda: True).result(5) is False


def test_what_comes_after_the_end_costs_nothing_that_waits() -> None:
    """A request after the end is answered, and what was submitted before it is still done."""
    worker, go_on = Worker("test"), threading.Event()
    running = worker.submit(lambda: go_on.wait(5))
    waiting = worker.submit(lambda: True)
    worker.stop()
    late = worker.submit(lambda: True)
    go_on.set()

    assert (True, True, False) == (running.result(5), waiting.result(5), late.result(5))


def test_exit_handler_keeps_the_exit_code_and_can_be_taken_back() -> None:
    """A handler that raises changes no exit code; one that was unregistered does not run."""
    program = (
        "import sys\n"
        "from litespan.export.exit import register_exit, unregister_exit\n"
        "def gone(timeout): print('gone', flush=True)\n"
        "def broken(timeout): print('broken', timeout, flush=True); raise OSError\n"
        "register_exit(gone, 1); register_exit(broken, 2); register_exit(broken, 3); unregister_exit(gone)\n"
        "sys.exit(5)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout) == (5, "broken 3\n")
    assert "Traceback" not in done.stderr
