"""Prices by the hour: DeepSeek's, as LiteLLM's table writes them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from litespan.price_hours import prices_at
from litespan.pricing import PriceBook
from litespan.records import ModelCall, Usage
from litespan.settings import Settings

USUAL, CHEAP = {"input_cost_per_token": 2.0}, {"input_cost_per_token": 1.0}
DEEPSEEK = [
    {"hours_utc": ["00:00-01:00", "04:00-06:00", "10:00-00:00"], "weekdays": [1, 2, 3, 4, 5]},
    {"hours_utc": "00:00-00:00", "weekdays": [6, 7]},
]


def at(text: str) -> int:
    """Return a time of UTC in nanoseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("time", "zone", "expected"),
    [
        ("2026-11-30T00:59:59", None, 1.0),  # a Monday
        ("2026-11-30T01:00:00", None, 2.0),
        ("2026-11-30T05:00:00", None, 1.0),
        ("2026-11-30T06:00:00", None, 2.0),
        ("2026-11-30T23:59:59", None, 1.0),
        ("2026-11-29T07:00:00", None, 1.0),  # a Sunday
        ("2026-11-29T20:00:00", None, 1.0),
        ("2026-11-30T07:00:00", "Asia/Shanghai", 2.0),
        ("2026-11-30T07:00:00", "Pacific/Honolulu", 1.0),  # still Sunday there
    ],
)
def test_hour_and_day_choose_the_price(time: str, zone: str | None, expected: float) -> None:
    """A call has the price of the hour and the weekday at which it ended."""
    entry = {**USUAL, "off_peak_pricing": {**CHEAP, "weekday_timezone": zone, "windows": DEEPSEEK}}
    found = prices_at(entry, at(time))

    assert found is not None
    assert expected == found["input_cost_per_token"]


@pytest.mark.parametrize(
    "rule",
    [
        "cheap",
        {"hours_utc": "at night"},
        {"hours_utc": "10-12"},
        {"windows": 3},
        {"windows": ["x"]},
        {"weekday_timezone": "Mars/Olympus", "hours_utc": "00:00-00:00"},
        {"windows": [{"weekdays": ["Saturday"], "hours_utc": "00:00-00:00"}]},
    ],
)
def test_a_rule_that_is_not_understood_gives_no_price(rule: Any) -> None:
    """A price is right or absent."""
    assert prices_at({**USUAL, "off_peak_pricing": rule}, at("2026-11-30T12:00:00")) is None


def test_the_price_of_one_hour_is_not_kept_for_the_next() -> None:
    """The same model costs something else an hour later."""
    costs = {"input_cost_per_token": 2.0, "output_cost_per_token": 2.0}
    cheaper = {**CHEAP, "output_cost_per_token": 1.0, "hours_utc": "12:00-13:00"}
    book = PriceBook(Settings(), {"m": {**costs, "off_peak_pricing": cheaper}}.get, "table")

    def cost(time: str) -> float:
        found = book.cost(ModelCall(model="m", usage=Usage(1, 1), end_ns=at(time)))
        assert found is not None
        return found.amount

    assert [4.0, 2.0, 4.0] == [cost(f"2026-11-30T{hour}:30:00") for hour in (11, 12, 13)]
