"""The conventions' protocol: of two instrumentations around one call, the outer one tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.running import run

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("program", ["around", "around a stream"])
def test_outer_one_tells(program: str, tmp_path: Path) -> None:
    """Inside a call that is told already litespan opens no span; the outer one gets what litespan knows."""
    outcome = run("protocol", program, "official openai", packages="official", folder=tmp_path, variables={})
    (span,) = outcome.report["other_spans"]
    counts, theirs = outcome.report["counts"], outcome.report["other_counts"]

    assert (1, [], []) == (outcome.served, outcome.report["spans"], outcome.report["lines"])
    assert {
        "gen_ai.request.model": "of the outer one",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cost.currency": "USD",
        "litespan.outcome": "ok",
    }.items() <= span["attributes"].items()
    assert "gen_ai.client.operation.duration" not in counts
    assert 1 == theirs["gen_ai.client.operation.duration"] == counts["litespan.calls"]


@pytest.mark.parametrize("other", ["official openai", "traceloop openai"])
def test_callbacks_make_calls_of_their_own(other: str, tmp_path: Path) -> None:
    """A call that a callback of LiteLLM makes past LiteLLM is told by the other one: ours has ended."""
    packages = other.split(maxsplit=1)[0]
    outcome = run("protocol", "judged", other, packages=packages, folder=tmp_path, variables={})

    assert (2, 1) == (outcome.served, outcome.named("chat gpt-4o"))
    assert 1 == len(outcome.report["other_spans"])
    assert "judge" == outcome.report["other_spans"][0]["attributes"]["gen_ai.request.model"]
