"""What a book holds: tokens by class, USD, calls by outcome. One kind of figures for every place."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from litespan.testing import ServedUsage

TOKENS: Final = ("input", "cache_read", "cache_write", "output", "reasoning")
"""Classes of tokens. The cache's are parts of the input, the reasoning is a part of the output."""

TOLERANCE: Final = Decimal("1e-9")
"""USD by which a sum of floats may be off."""


@dataclass(slots=True)
class Figures:
    """Sums over calls.

    Attributes:
        tokens: by class.
        usd: the cost.
        outcomes: calls by outcome.
        missing: calls of which a part of the usage never arrived, by reason.
    """

    tokens: Counter[str] = field(default_factory=Counter)
    usd: Decimal = Decimal(0)
    outcomes: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)

    def add(self, other: Figures) -> None:
        """Add other figures."""
        self.tokens.update(other.tokens)
        self.usd += other.usd
        self.outcomes.update(other.outcomes)
        self.missing.update(other.missing)

    def add_usage(self, usage: ServedUsage) -> None:
        """Add a provider's usage; cache writes of both lifetimes are one class."""
        self.tokens.update(
            input=usage.input_tokens,
            cache_read=usage.cache_read_tokens,
            cache_write=usage.cache_write_tokens + usage.cache_write_1h_tokens,
            output=usage.output_tokens,
            reasoning=usage.reasoning_tokens,
        )

    @property
    def calls(self) -> int:
        """The number of calls."""
        return self.outcomes.total()

    def differences(self, other: Figures) -> Iterator[str]:
        """Yield what differs, named as `tokens.input`, `usd`, `calls.ok`, `missing.cut`."""
        for name in ("tokens", "outcomes", "missing"):
            mine, theirs = getattr(self, name), getattr(other, name)
            shown = "calls" if name == "outcomes" else name
            for key in sorted(mine.keys() | theirs.keys()):
                if mine[key] != theirs[key]:
                    yield f"{shown}.{key}: {mine[key]} != {theirs[key]}"
        if abs(self.usd - other.usd) >= TOLERANCE:
            yield f"usd: {self.usd:.12f} != {other.usd:.12f}"


class Book(defaultdict[str, Figures]):
    """Figures by name: by model, or by job."""

    def __init__(self) -> None:
        super().__init__(Figures)

    def total(self) -> Figures:
        """Add everything up."""
        return merged(self.values())

    def by(self, group_of: Mapping[str, str]) -> Book:
        """Return the same figures by larger groups; a name that belongs to none stays."""
        book = Book()
        for name, figures in self.items():
            book[group_of.get(name, name)].add(figures)
        return book


def merged(figures: Iterable[Figures]) -> Figures:
    """Add figures up."""
    total = Figures()
    for each in figures:
        total.add(each)
    return total
