"""What a cell of the matrix came to, and the file that keeps it and makes the README's table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
RESULTS: Final = ROOT / "docs" / "matrix.json"
SHOWN: Final = ("openai-agents", "litellm", "opentelemetry-sdk", "wrapt", "click", "rich")
"""The packages whose versions are kept with a result."""


@dataclass
class Result:
    """One set of versions on one Python: what was installed, and how its tests ended.

    ``problem`` says why there were no tests: what the installer or pytest wrote last. ``skip_reasons`` counts
    the skipped tests by reason; ``seconds`` is the time of the tests.
    """

    python: str
    set: str
    date: str
    versions: dict[str, str] = field(default_factory=dict)
    passed: int = 0
    failed: int = 0
    skip_reasons: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    problem: str = ""

    @property
    def good(self) -> bool:
        """Whether tests ran and none failed."""
        return not self.problem and self.passed > 0 and self.failed == 0

    @property
    def skipped(self) -> int:
        """The number of skipped tests."""
        return sum(self.skip_reasons.values())

    @property
    def cell(self) -> tuple[str, str]:
        """Set and Python without its patch number: what a later run of the same replaces."""
        return self.set, ".".join(self.python.split(".")[:2])


def read(path: Path = RESULTS) -> list[Result]:
    """Return the results in a file; none if there is no such file."""
    if not path.exists():
        return []
    return [Result(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]


def write(results: Iterable[Result], sets: Sequence[str], path: Path = RESULTS) -> None:
    """Add results to a file. A newer one replaces its cell; cells of sets that are gone are dropped."""
    cells = {result.cell: result for result in [*read(path), *results] if result.set in sets}
    ordered = sorted(
        cells.values(), key=lambda r: (sets.index(r.set), [int(n) for n in r.cell[1].split(".")])
    )
    text = json.dumps([asdict(result) for result in ordered], indent=1)
    path.write_text(f"{text}\n", encoding="utf-8")


def rows(results: Iterable[Result]) -> Iterator[tuple[str, ...]]:
    """Yield the titles of the README's table, then a row for each result."""
    yield "Python", "set", "openai-agents", "litellm", "opentelemetry", "passed", "failed", "skipped", "date"
    for r in results:
        versions = [r.versions.get(name, "") for name in SHOWN[:3]]
        counts = [str(n) for n in (r.passed, r.failed, r.skipped)] if not r.problem else ["-", "-", "-"]
        yield r.python, r.set, *versions, *counts, r.date
