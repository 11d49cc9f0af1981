"""Sums over model calls. Money is added as decimals, so that no order and no number of calls rounds it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from typing import Any, Final

from litespan.cli.sums.facts import Call
from litespan.cli.sums.names import TOKENS

# A double shows at most 17 digits, and the largest amount that counts has 19 before the point.
_EXACT: Final = Context(prec=400)
ZERO: Final = Decimal(0)
add: Final = _EXACT.add  # two amounts, without rounding


class Sums:
    """Sums over calls.

    Attributes:
        calls: the number of calls.
        outcomes: calls by outcome.
        tokens: sums in the order of `TOKENS`; None where no call reported that class.
        cost: USD, over the calls that have a cost; None if none has.
        unpriced: calls with usage and without cost.
        missing: calls of which the provider's usage did not arrive, or not whole, by reason.
    """

    __slots__ = ("calls", "cost", "missing", "outcomes", "tokens", "unpriced")

    def __init__(self) -> None:
        self.calls = 0
        self.outcomes: Counter[str] = Counter()
        self.tokens: list[int | None] = [None] * len(TOKENS)
        self.cost: Decimal | None = None
        self.unpriced = 0
        self.missing: Counter[str] = Counter()

    def add(self, call: Call) -> None:
        """Add one call."""
        self.calls += 1
        self.outcomes[call.outcome] += 1
        self._add_tokens(call.tokens)
        if call.cost is not None:
            self.cost = call.cost if self.cost is None else add(self.cost, call.cost)
        self.unpriced += call.unpriced
        if call.missing is not None:
            self.missing[call.missing] += 1

    def merge(self, other: Sums) -> None:
        """Add other sums."""
        self.calls += other.calls
        self.outcomes.update(other.outcomes)
        self._add_tokens(other.tokens)
        if other.cost is not None:
            self.cost = add(self.cost or ZERO, other.cost)
        self.unpriced += other.unpriced
        self.missing.update(other.missing)

    def _add_tokens(self, numbers: Sequence[int | None]) -> None:
        self.tokens = [
            known if number is None else number if known is None else known + number
            for known, number in zip(self.tokens, numbers, strict=True)
        ]

    def token(self, name: str) -> int | None:
        """Return the sum of one of the classes in `TOKENS`."""
        return self.tokens[TOKENS.index(name)]

    def as_dict(self) -> Mapping[str, Any]:
        """Return the figures for JSON: whole tokens, USD, null for what is not known."""
        return {
            "calls": self.calls,
            "outcomes": dict(self.outcomes),
            **dict(zip(TOKENS, self.tokens, strict=True)),
            "cost": None if self.cost is None else float(self.cost),
            "unpriced": self.unpriced,
            "usage_missing": self.missing.total(),
            "usage_missing_reasons": dict(self.missing),
        }
