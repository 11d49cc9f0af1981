"""The page of other instrumentations: its table says what the cases of these tests hold."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import pytest

from tests.interop.others import BOTH, OTHERS, Other
from tests.interop.running import ROOT

PAGE: Final = (ROOT / "docs" / "other-instrumentations.md").read_text(encoding="utf-8")
REQUIREMENTS: Final = ROOT / "tests" / "interop" / "requirements"


class Row(NamedTuple):
    """One line of the table: whom it is of with its version, what is said of it, and the advice."""

    what: str
    together: str
    advice: str


ROWS: Final = [Row(*line.strip("| ").split(" | ")) for line in PAGE.splitlines() if line.startswith("| ")][2:]


def row_of(other: Other) -> Row:
    """Return the line of the table that a case is of."""
    (row,) = (row for row in ROWS if other.row in re.findall("`([^`]+)`", row.what))
    return row


def pins(packages: str) -> dict[str, str]:
    """Return the versions of a set of packages."""
    lines = (REQUIREMENTS / f"{packages}.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def says(row: Row, *words: str) -> bool:
    """Say whether any of the words is in what the line says."""
    return any(word in row.together for word in words)


def test_every_line_is_tried() -> None:
    """There is a case of each line, and each set of packages has a case."""
    assert {row.what for row in ROWS} == {row_of(other).what for other in OTHERS.values()}
    assert {path.stem for path in REQUIREMENTS.iterdir()} == {other.packages for other in OTHERS.values()}


@pytest.mark.parametrize("name", OTHERS)
def test_version(name: str) -> None:
    """The version in the line is the one that is installed."""
    other = OTHERS[name]
    version = pins(other.packages).get(other.row.split(".instrument", maxsplit=1)[0])

    assert (version or other.row) in row_of(other).what


# Variants tell what is so with an option; their line tells what is so without.
@pytest.mark.parametrize("name", [name for name in OTHERS if ", " not in name])
def test_line(name: str) -> None:
    """The line says that something is doubled, nested or lost if, and only if, the case holds that."""
    other, row = OTHERS[name], row_of(OTHERS[name])

    assert bool(other.quiet_when) is says(row, "keeps still")
    assert (
        (other.quiet_when == BOTH) is (row.advice == "nothing") is row.together.startswith("It keeps still.")
    )
    assert bool(other.counted) is says(row, "two counts", "are counted twice", "it counts")
    assert other.quiet_when == BOTH or says(row, "a warning")
    assert (other.inside_when == BOTH) is says(row, "its own inside", "litespan's span for its own parent")
    assert other.apart is says(row, "in a trace of their own")
    assert other.joins_traces is says(row, "into the same trace")
    assert other.removes_processor is says(row, "removes litespan's trace processor, and the tree is lost")
    assert other.late is says(row, "writes to it after its end")
    assert other.embeds is not says(row, "embeddings fail")
