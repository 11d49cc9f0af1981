"""litespan's cost is LiteLLM's own figure, except where the committed table of differences says why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import litellm
import pytest
import tomli

from tests.ledger.causes import UNEXPECTED
from tests.ledger.comparison import SHAPES, by_cause, chat_entries, differences, fingerprint
from tests.versions import installed

COMMITTED: dict[str, Any] = tomli.loads(
    Path(__file__).with_name("differences.toml").read_text(encoding="utf-8")
)

INPUT, OUTPUT = "input_cost_per_token", "output_cost_per_token"

pytestmark = pytest.mark.skipif(
    ".".join(map(str, installed("litellm"))) != COMMITTED["litellm"],
    reason=f"the differences were judged on litellm {COMMITTED['litellm']}",
)


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, list[str]]]:
    """Compare the whole table once; LiteLLM prints where it finds no provider."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(litellm, "suppress_debug_info", True)
        return by_cause(differences(chat_entries()))


def test_no_difference_is_unexpected(found: dict[str, dict[str, list[str]]]) -> None:
    """Every difference has a known cause."""
    assert UNEXPECTED not in found, found[UNEXPECTED]


@pytest.mark.parametrize("cause", sorted(COMMITTED["causes"]))
def test_the_differences_are_the_committed_ones(cause: str, found: dict[str, dict[str, list[str]]]) -> None:
    """Each cause explains the entries that it did, none more and none less."""
    shapes = found.get(cause, {})

    assert COMMITTED["causes"][cause]["pairs"] == {shape: len(keys) for shape, keys in shapes.items()}
    assert COMMITTED["causes"][cause]["fingerprint"] == fingerprint(shapes)


def test_every_cause_is_judged(found: dict[str, dict[str, list[str]]]) -> None:
    """A cause is committed with its reason and with who is right."""
    assert set(COMMITTED["causes"]) == set(found)
    for judged in COMMITTED["causes"].values():
        assert judged["right"] in ("litespan", "litellm", "unknown")
        assert judged["reason"]


def test_plain_calls_agree(found: dict[str, dict[str, list[str]]]) -> None:
    """The comparison covers the whole table; plain calls of entries with both prices agree, but for a few."""
    entries = chat_entries()
    priced = {key for key, e in entries.items() if e.get(INPUT) and e.get(OUTPUT)}
    differing = {key for shapes in found.values() for key in shapes.get("plain", ()) if key in priced}

    assert len(entries) > 2000
    assert len(SHAPES) > 10
    assert len(differing) < 0.02 * len(priced)
