"""litespan together with other instrumentations, each installed for real, switched on before it or after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.interop.others import ALONE, BOTH, FIRST, LAST, OTHERS, WITHOUT, Other
from tests.interop.running import Outcome, run

pytestmark = pytest.mark.timeout(300)

CASES = [(name, order) for name in OTHERS for order in sorted(BOTH)]
MODEL_SPANS = ("chat ", "embeddings ")
# Answers, tokens, and numbers of events and of vectors.
FACTS = ["It is sunny.", 38, "It is sunny.", 20, "It is sunny.", 1]
DURATION = "gen_ai.client.operation.duration"


def test_alone(tmp_path: Path) -> None:
    """Without litespan and others the program gets what the other tests expect it to get."""
    outcome = run("program", "litellm otel", ALONE, packages="official", folder=tmp_path, variables={})

    assert (6, FACTS, []) == (outcome.served, outcome.report["facts"], outcome.report["spans"])


def test_embeddings_fail_without_litespan(tmp_path: Path) -> None:
    """It is not litespan that makes LiteLLM's embeddings fail beside the former instrumentation of openai."""
    with pytest.raises(AssertionError, match="'LegacyAPIResponse' object"):
        run("program", "official openai-v2", WITHOUT, packages="official-old", folder=tmp_path, variables={})


@pytest.mark.parametrize(("name", "order"), CASES, ids=[", ".join(case) for case in CASES])
def test_together(name: str, order: str, tmp_path: Path) -> None:
    """The program is served as ever, litespan tells each call once, and one line names what is doubled."""
    other = OTHERS[name]
    outcome = run(
        "program", name, order, packages=other.packages, folder=tmp_path, variables=dict(other.variables)
    )

    check_program(other, outcome)
    check_litespan(other, order, outcome)
    if order in other.quiet_when:
        assert ([], {}, []) == tuple(outcome.report[key] for key in ("other_spans", "other_counts", "lines"))
    else:
        check_other(other, order, outcome)
        check_line(other, order, outcome)


def check_program(other: Other, outcome: Outcome) -> None:
    """Check what the program got."""
    expected = FACTS if other.embeds else FACTS[:-1]
    assert expected == outcome.report["facts"]
    assert {} == outcome.report["internal_errors"]


def check_litespan(other: Other, order: str, outcome: Outcome) -> None:
    """Check that litespan told each call once, and the tree of both runs where it is told of them."""
    counts = outcome.report["counts"]
    assert 5 + other.embeds == outcome.served == outcome.named(*MODEL_SPANS)
    assert (outcome.served, outcome.served) == (counts[DURATION], counts["litespan.calls"])
    runs = 0 if other.removes_processor and order != FIRST else 2
    assert (runs, runs) == (outcome.named("invoke_agent "), outcome.named("execute_tool "))
    if runs:
        assert (1 if other.joins_traces else 3 + other.embeds) == len(traces(outcome.report["spans"]))


def check_other(other: Other, order: str, outcome: Outcome) -> None:
    """Check what is there twice, and where the other one's spans are."""
    ours, theirs = outcome.report["spans"], outcome.report["other_spans"]
    calls = {span["id"] for span in ours if span["name"].startswith(MODEL_SPANS)}
    doubled = outcome.report["counts"].keys() & outcome.report["other_counts"].keys()
    assert (other.spans, other.counted) == (
        len(theirs),
        sum(outcome.report["other_counts"][name] for name in doubled if name.endswith(".duration")),
    )
    assert (order in other.inside_when) is all(span["parent"] in calls for span in theirs)
    # Without its processor litespan's calls get into the other one's tree.
    has_tree = order == FIRST or not other.removes_processor
    assert (other.apart and has_tree) is traces(ours).isdisjoint(traces(theirs))
    assert other.late is ("on ended span" in outcome.errors or "on an ended span" in outcome.errors)


def check_line(other: Other, order: str, outcome: Outcome) -> None:
    """Check that one line in the log names the other one."""
    (line,) = outcome.report["lines"]
    assert "To stop it: " in line
    removed = other.removes_processor and order == LAST
    assert removed is ("removed litespan's trace processor" in line)


def traces(spans: list[dict[str, Any]]) -> set[int]:
    """Return the ids of the traces of spans."""
    return {span["trace"] for span in spans}
