"""How many of a number of draws may come out, if each does with the same probability."""

from __future__ import annotations

from math import exp, lgamma, log


def interval(draws: int, probability: float, confidence: float) -> range:
    """Return the counts between which the outcome lies with this confidence; each tail has half of the rest.

    Exact, from the binomial distribution. ``probability`` lies between 0 and 1, and is neither.
    """
    tail = (1 - confidence) / 2
    lowest = _first_beyond(draws, probability, tail)
    highest = draws - _first_beyond(draws, 1 - probability, tail)
    return range(lowest, highest + 1)


def _first_beyond(draws: int, probability: float, tail: float) -> int:
    """Return the smallest count that, together with all below it, is more likely than the tail."""
    total = 0.0
    for count in range(draws + 1):
        total += _likelihood(draws, probability, count)
        if total > tail:
            return count
    return draws


def _likelihood(draws: int, probability: float, count: int) -> float:
    ways = lgamma(draws + 1) - lgamma(count + 1) - lgamma(draws - count + 1)
    return exp(ways + count * log(probability) + (draws - count) * log(1 - probability))
