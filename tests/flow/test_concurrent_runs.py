"""Fifty runs at once, each with everything in it: fifty traces, and each is its own."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from litespan.testing import Capture, Provider, render_tree
from tests.flow.models import WAYS, model_maker
from tests.flow.team import MODEL_CALLS, SHOWN, build_team, expected_tree, fails_at_first, play, run_team

RUNS = 50


def traces_by_name(spans: Sequence[ReadableSpan]) -> dict[str, list[ReadableSpan]]:
    """Group spans by trace and name each trace by its root; a trace must have exactly one."""
    groups: dict[int, list[ReadableSpan]] = defaultdict(list)
    for span in spans:
        groups[span.context.trace_id].append(span)
    roots = [[span.name for span in trace if span.parent is None] for trace in groups.values()]
    assert all(len(names) == 1 for names in roots), f"roots of the traces: {roots}"
    return {names[0]: trace for names, trace in zip(roots, groups.values(), strict=True)}


@pytest.mark.parametrize("way", WAYS)
async def test_each_run_has_exactly_its_own_tree(
    way: str, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Concurrent runs of the same agents leave one whole trace each, with one chat span per model call."""
    provider.respond = play
    with Capture(deterministic=True) as capture:
        team = build_team(model_maker(way, provider, monkeypatch))
        answers = await asyncio.gather(*(run_team(team, number) for number in range(RUNS)))

        traces = traces_by_name(capture.spans)
        calls = RUNS * MODEL_CALLS
        retried = sum(map(fails_at_first, range(RUNS)))

        assert [f"Done with {number}." for number in range(RUNS)] == answers
        assert {f"invoke_workflow flow {number}" for number in range(RUNS)} == set(traces)
        for number in range(RUNS):
            assert expected_tree(number) == render_tree(traces[f"invoke_workflow flow {number}"], SHOWN)
        assert calls == len(capture.named("chat")) == capture.total("litespan.calls")
        assert calls + retried == provider.calls_served() == capture.total("litespan.call.attempts")
        assert RUNS == capture.total("litespan.runs", litespan__outcome="ok")
        assert provider.delivered().input_tokens == capture.total(
            "gen_ai.client.inference.usage.input_tokens"
        )
        assert 0 == capture.total("litespan.calls.active")
