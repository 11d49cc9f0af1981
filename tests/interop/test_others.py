"""litespan together with other instrumentations, each installed for real, switched on before it or after."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.others import ALONE, BOTH, FIRST, LAST, OTHERS, Other
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
        assert outcome.report["other_spans"]
        (line,) = outcome.report["lines"]
        assert "To stop it: " in line
        removed = other.removes_processor and order == LAST
        assert removed is ("removed litespan's trace processor" in line)


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
