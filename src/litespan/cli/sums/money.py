"""Amounts of money for readers."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from litespan.export import cells

# Decimals by the largest amount that stands in the same column: hundreds of dollars need no micro-cents.
_DECIMALS: Final = ((Decimal(100), 2), (Decimal(1), 4))
_MOST: Final = 6


def decimals_for(amounts: Iterable[Decimal | None]) -> int:
    """Return how many decimals all of these are shown with, so that they compare at a glance."""
    largest = max((amount for amount in amounts if amount is not None), default=Decimal(0))
    return next((decimals for limit, decimals in _DECIMALS if largest >= limit), _MOST)


def dollars(amount: Decimal | None, decimals: int) -> str:
    """Return USD; `-` for what is not known, and never 0 for what is more than 0."""
    if amount is None:
        return cells.UNKNOWN
    least = Decimal(1).scaleb(-decimals)
    return f"<${least}" if 0 < amount < least else f"${amount:,.{decimals}f}"
