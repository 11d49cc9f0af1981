"""The interval that the share of kept runs has to lie in."""

from __future__ import annotations

from tests.scale.binomial import interval


def test_known_intervals() -> None:
    """The interval is that of printed tables: as wide as the confidence asks for, and around the mean."""
    assert range(34, 67) == interval(100, 0.5, 0.999)
    assert range(2) == interval(10, 0.01, 0.95)
