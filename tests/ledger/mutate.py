"""`python -m tests.ledger.mutate`: make each mistake in turn, and print what in the ledger notices it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence

from tests.isolation import clean_environment

clean_environment(os.environ)  # before LiteLLM is imported, which reads its variables then

import tempfile  # noqa: E402

import pytest  # noqa: E402

from tests.ledger.audit import audit  # noqa: E402
from tests.ledger.mutations import MUTATIONS, Mutation  # noqa: E402
from tests.ledger.output import unprinted  # noqa: E402
from tests.ledger.vendors import CORE  # noqa: E402
from tests.ledger.verdict import Difference, differences  # noqa: E402

CALLS = 120
SEED = 7


def noticed(mutation: Mutation | None, folder: str) -> list[Difference]:
    """Play a short load with a mistake, or without one; return what the ledger finds."""
    with pytest.MonkeyPatch.context() as patch, unprinted():
        if mutation is not None:
            mutation.apply(patch)
        return differences(audit(CALLS, SEED, folder, CORE))


def by_what(found: Sequence[Difference]) -> str:
    """Say which places and which figures differ."""
    kinds = sorted({f"{each.place}: {each.what.split(':')[0]}" for each in found if " by " not in each.place})
    return ", ".join(kinds[:4]) + (f" and {len(kinds) - 4} more" if len(kinds) > 4 else "")


def results() -> Iterator[tuple[Mutation, list[Difference]]]:
    """Make every mistake in turn."""
    for mutation in MUTATIONS:
        with tempfile.TemporaryDirectory() as folder:
            yield mutation, noticed(mutation, folder)


def main() -> int:
    """Print a line for each mistake as it comes; 1 if one went unseen."""
    logging.disable(logging.CRITICAL)  # LiteLLM's complaints about two event loops, and about failures
    unseen = 0
    for mutation, found in results():
        print(f"{mutation.name:42} {by_what(found) or 'NOBODY'}", flush=True)  # noqa: T201 - a command
        unseen += not found
    return min(unseen, 1)


if __name__ == "__main__":
    sys.exit(main())
