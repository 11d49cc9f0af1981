"""Servers are killed in the middle of the work: nothing that the Collector accepted is lost."""

from __future__ import annotations

import json
import os
from operator import not_
from pathlib import Path
from typing import Final

import pytest

from tests.integration.load_program import SERVICE as LOAD
from tests.integration.programs import load_program
from tests.integration.sender import SERVICE, SPANS, Sender
from tests.integration.servers.server import Server, wait_for
from tests.integration.servers.stack import ARRIVAL, Stack, running_stack

# Each round kills every server once: make integration KILL_ROUNDS=20
ROUNDS: Final = int(os.environ.get("KILL_ROUNDS", "1"))
CALLS: Final = 300

pytestmark = pytest.mark.timeout(240 + 60 * ROUNDS)


def test_nothing_accepted_is_lost(tmp_path: Path) -> None:
    """Jaeger, Prometheus and the Collector get SIGKILL and come back: all that was accepted is stored."""
    with running_stack(tmp_path) as stack:
        with Sender(stack.otlp) as sender:
            for _ in range(ROUNDS):
                _kill(stack.jaeger, sender)
                _kill(stack.prometheus, sender)
                _kill(stack.collector, sender)
                _kill_all(stack, sender)

        assert sender.refused > 0  # it was sending while the Collector was away
        wait_for(lambda: _lost_traces(stack, sender), "no trace is lost", ARRIVAL, not_)
        wait_for(lambda: _lost_points(stack, sender), "no point is lost", ARRIVAL, not_)


def test_a_program_in_the_middle_of_its_work(tmp_path: Path) -> None:
    """All three are killed while a program runs: what it made is stored, or it says how much it gave up."""
    with running_stack(tmp_path) as stack:
        calls = f'sum(litespan_calls_total{{service_name="{LOAD}"}})'
        with load_program(stack.otlp, tmp_path / "load.json", CALLS) as program:
            wait_for(lambda: stack.prometheus.api.value(calls), "the first calls")
            for server in (stack.jaeger, stack.prometheus, stack.collector):
                server.kill()
            assert program.running
            for server in (stack.collector, stack.jaeger, stack.prometheus):
                server.restart()
            program.output()

        report = json.loads((tmp_path / "load.json").read_text(encoding="utf-8"))
        made = {(span["trace"], span["id"]) for span in report["spans"]}
        given_up = sum(report["stats"]["export"]["traces"]["dropped"].values())
        wait_for(
            lambda: len(made - _stored_spans(stack)),
            f"{given_up} spans are missing",
            ARRIVAL,
            lambda missing: missing == given_up,
        )
        assert _stored_spans(stack) <= made
        served = sum(sum(model["outcomes"].values()) for model in report["models"].values())
        stack.wait_for_total(calls, served)


def _kill(server: Server, sender: Sender) -> None:
    """Kill a server while telemetry flows, go on without it, start it again."""
    sender.wait_for_more()
    server.kill()
    if server.name == "otelcol":
        _wait_for_refusal(sender)
    else:
        sender.wait_for_more()
    server.restart()
    sender.wait_for_more()


def _kill_all(stack: Stack, sender: Sender) -> None:
    """Kill the stores, and then the Collector with all in its queues; it comes back first."""
    sender.wait_for_more()
    stack.jaeger.kill()
    stack.prometheus.kill()
    sender.wait_for_more()
    stack.collector.kill()
    _wait_for_refusal(sender)
    stack.collector.restart()
    sender.wait_for_more()
    stack.jaeger.restart()
    stack.prometheus.restart()
    sender.wait_for_more()


def _wait_for_refusal(sender: Sender) -> None:
    refused = sender.refused
    wait_for(lambda: sender.refused > refused, "a refused request")


def _stored_spans(stack: Stack) -> set[tuple[str, str]]:
    traces = stack.jaeger.api.traces(LOAD)
    return {(span.trace_id, span.span_id) for spans in traces.values() for span in spans}


def _lost_traces(stack: Stack, sender: Sender) -> dict[str, int]:
    """Return how many spans Jaeger has of each accepted trace that it has not whole."""
    stored = stack.jaeger.api.traces(SERVICE, limit=2 * len(sender.traces) + 1_000)
    found = {trace_id: len(stored.get(trace_id, ())) for trace_id in sender.traces}
    return {trace_id: spans for trace_id, spans in found.items() if spans != SPANS}


def _lost_points(stack: Stack, sender: Sender) -> int:
    """Count the accepted values of the counter that Prometheus has not."""
    (series,) = stack.prometheus.api.stored(f'sent_total{{service_name="{SERVICE}"}}')
    stored = {round(at * 1000): value for at, value in series.values.items()}
    return sum(stored.get(at) != count for at, count in sender.points.items())
