"""Anything that hosts hand over or files hold: no exception leaves litespan, nothing hangs or stays open."""

from __future__ import annotations

import pytest

from tests.safety.fuzz import LONGEST, fuzz
from tests.safety.fuzz_targets import TARGETS, Target

pytestmark = [pytest.mark.internal_errors_expected, pytest.mark.timeout(300)]

EXAMPLES = 200


@pytest.mark.parametrize("name", TARGETS)
def test_anything_goes(name: str) -> None:
    """Some hundred examples raise nothing but the errors that are for users, each within a second of CPU."""
    outcome = fuzz(TARGETS[name], EXAMPLES)

    assert "" == outcome.problem
    assert outcome.examples
    assert outcome.slowest < LONGEST


def test_the_fuzzer_notices() -> None:
    """A target that raises is reported with its traceback."""

    def fail(value: object) -> None:
        raise LookupError

    assert "LookupError" in fuzz(Target(TARGETS["content"].values, fail), 5).problem
