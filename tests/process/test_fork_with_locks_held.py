"""A fork at the worst moment: other threads hold the locks, and no thread of the child can release them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from litespan.testing import Provider
from tests.fakes.otlp_server import collector
from tests.process.workers.arrivals import calls_by_process, durations_by_process, runs_by_process
from tests.process.zero_code.commands import environment, finish, start

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
    pytest.mark.timeout(240),
]

PROGRAM = Path(__file__).parent / "workers" / "locked.py"


def test_child_works_whoever_held_the_locks(tmp_path: Path) -> None:
    """With all locks of litespan and the SDK held, a child runs an agent, and sends it, as ever."""
    with Provider() as provider, collector() as received:
        command = [sys.executable, "-W", "ignore::DeprecationWarning", str(PROGRAM)]
        code, output, errors = finish(
            start(command, tmp_path, environment(provider.base_url, received.endpoint))
        )

    assert (0, "") == (code, errors)
    assert '{"flushed": true, "errors": {}}' == output
    assert [1, 2] == sorted(runs_by_process(received).values())
    assert runs_by_process(received) == calls_by_process(received) == durations_by_process(received)
    assert 3 == len(received.logs())
