"""The processes of Python's own packages, which end in ways of their own: all runs arrive, each once."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

import pytest

from litespan.testing import Provider
from tests.fakes.otlp_server import collector
from tests.process.workers.arrivals import calls_by_process, durations_by_process, runs_by_process
from tests.process.zero_code.commands import environment, finish, start

pytestmark = pytest.mark.timeout(240)

PROGRAM = Path(__file__).parent / "workers" / "pools.py"


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_processes_of_python(method: str, tmp_path: Path) -> None:
    """Runs in a Pool, a ProcessPoolExecutor and a Process arrive, however the processes are started."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(PROGRAM), method]
    with Provider() as provider, collector() as received:
        code, _, errors = finish(start(command, tmp_path, environment(provider.base_url, received.endpoint)))

    assert (0, "") == (code, errors)
    runs = runs_by_process(received)
    assert [1, 1, 2, 2] == sorted(runs.values())
    assert runs == calls_by_process(received) == durations_by_process(received)
