"""The ledger notices mistakes: with each of them, a short load does not add up any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ledger.mutate import noticed
from tests.ledger.mutations import MUTATIONS, Mutation

pytestmark = [pytest.mark.timeout(300), pytest.mark.internal_errors_expected]


def test_without_a_mistake_all_adds_up(tmp_path: Path) -> None:
    """The short load itself is right."""
    assert [] == noticed(None, str(tmp_path))


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_mistake_is_noticed(mutation: Mutation, tmp_path: Path) -> None:
    """The short load does not add up when litespan makes this mistake."""
    assert noticed(mutation, str(tmp_path))
