"""A mixed load against a provider that keeps a ledger: nothing is off, in any place, in any class."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from litespan.testing import Reply
from tests.ledger import load
from tests.ledger.audit import audit
from tests.ledger.figures import Figures
from tests.ledger.verdict import differences, explain

CALLS = 800


@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_everything_adds_up(tmp_path: Path) -> None:
    """Metrics, spans and the summary of the file have every delivered token and cent, and every outcome."""
    played = audit(CALLS, seed=1, folder=str(tmp_path))
    found = differences(played)

    assert not found, explain(played, found)
    total = played.ledger.by_model.total()
    assert total.calls >= CALLS
    assert {"ok", "error", "incomplete", "cancelled", "abandoned"} == set(total.outcomes)
    assert {
        *("error", "connection", "timeout"),
        *("incomplete", "cancelled", "abandoned", "not_reported", "lost_attempt"),
    } == set(total.missing)
    assert sum(played.ledger.unknown_usd.values()) > 0


def test_a_seed_is_a_load() -> None:
    """The same seed makes the same jobs and the same replies, another one makes others."""

    def replies(seed: int) -> list[tuple[str, list[Reply]]]:
        return [(str(task.job), list(task.plan.replies)) for task in load.tasks(300, seed)]

    assert replies(1) == replies(1) != replies(2)


def test_one_token_is_a_difference() -> None:
    """Figures differ by one token, one call or a billionth of a USD, and say in what."""
    mine, other = Figures(), Figures()
    other.tokens["input"] += 1
    other.outcomes["ok"] += 1
    other.usd += Decimal("1e-9")

    assert ["tokens.input: 0 != 1", "calls.ok: 0 != 1"] == list(mine.differences(other))[:2]
    assert 3 == len(list(mine.differences(other)))
