"""The Collector is killed under a program with a spool: everything is stored afterwards, once."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from litespan.testing import Provider
from tests.integration.servers.server import wait_for
from tests.integration.servers.stack import ARRIVAL, Stack, running_stack
from tests.outage.behind_collector import play_behind_collector
from tests.outage.outage import SERVICE, Played, listen, program, reach
from tests.outage.run import is_whole

pytestmark = pytest.mark.timeout(300)

RATE: Final = 20
SECONDS: Final = 12


def test_killed_collector_costs_nothing(tmp_path: Path) -> None:
    """A Collector that gets SIGKILL and stays away for seconds has every span, call and token afterwards."""
    played = Played()
    with running_stack(tmp_path) as stack, Provider(remember_payloads=False) as provider:
        with program(provider.base_url, stack.otlp, tmp_path / "spool", SECONDS, RATE) as process:
            listener = listen(process, played)
            reach(played, 3, process)
            stack.collector.kill()
            reach(played, 8, process)
            stack.collector.restart()
            listener.join()

        traces = played.final["stats"]["export"]["traces"]
        assert (True, {}, 0) == (played.final["flushed"], traces["dropped"], traces["spooled"])
        assert sum(traces["export_failures"].values()) > 0
        wait_for(lambda: len(_stored(stack)), "all spans", ARRIVAL, lambda n: n == traces["handed_over"])
        stack.wait_for_total(f'sum(litespan_calls_total{{service_name="{SERVICE}"}})', played.final["runs"])


def test_outage_is_counted_on_both_sides(tmp_path: Path) -> None:
    """As `make outage` plays it for minutes: behind a killed Collector all spans and sums are whole."""
    played = play_behind_collector(tmp_path, 8, 2, 5, RATE)

    assert is_whole(played, may_repeat=True)
    assert len(played.spans) >= 3 * played.runs > 0
    assert sum(played.final["stats"]["export"]["metrics"]["export_failures"].values()) > 0


def _stored(stack: Stack) -> set[tuple[str, str]]:
    stored = stack.jaeger.api.traces(SERVICE, limit=2 * RATE * SECONDS)
    return {(span.trace_id, span.span_id) for spans in stored.values() for span in spans}
