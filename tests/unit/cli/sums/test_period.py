"""From when on."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litespan.cli.sums.period import since_ns

NOW = dt.datetime(2026, 6, 1, 12, 0, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("7d", "2026-05-25T12:00:00+00:00"),
        (" 24h ", "2026-05-31T12:00:00+00:00"),
        ("90m", "2026-06-01T10:30:00+00:00"),
        ("2 w", "2026-05-18T12:00:00+00:00"),
        ("2026-05-31", "2026-05-31T00:00:00+00:00"),
        ("2026-05-31T18:30", "2026-05-31T18:30:00+00:00"),
        ("2026-05-31 18:30:15", "2026-05-31T18:30:15+00:00"),
        ("2026-05-31T18:30:00Z", "2026-05-31T18:30:00+00:00"),
        ("2026-05-31T18:30+02:00", "2026-05-31T16:30:00+00:00"),
    ],
)
def test_times(text: str, time: str) -> None:
    """Times ago, dates and times mean what they say; without a zone they are UTC."""
    assert int(dt.datetime.fromisoformat(time).timestamp()) * 10**9 == since_ns(text, NOW)


@pytest.mark.parametrize("text", ["", "yesterday", "7", "d", "-7d", "999999w", "2026-13-01", "1e3h"])
def test_what_is_no_time(text: str) -> None:
    """What means no time is refused, with examples of what does."""
    with pytest.raises(ValueError, match="7d, 24h"):
        since_ns(text, NOW)


@given(st.text(max_size=20))
def test_any_text(text: str) -> None:
    """Any text is a time or is refused."""
    try:
        assert isinstance(since_ns(text, NOW), int)
    except ValueError as error:
        assert "is no time" in str(error)  # noqa: PT017 - both ways are right
