"""From when on: `7d`, `24h`, or a date or time of ISO 8601."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO: Final = re.compile(rf"(\d{{1,6}})\s*([{''.join(_UNITS)}])")
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
_EXAMPLES: Final = "Examples: 7d, 24h, 90m, 2w, 2026-05-31, 2026-05-31T18:30, 2026-05-31T18:30+02:00."


def since_ns(text: str, now: dt.datetime) -> int:
    """Return nanoseconds since the epoch. A time without a zone is UTC.

    Raises:
        ValueError: if the text means no time; the message has examples.
    """
    ago = _AGO.fullmatch(text.strip())
    try:
        time = now - dt.timedelta(**{_UNITS[ago[2]]: int(ago[1])}) if ago else _iso(text.strip())
        return (time - _EPOCH) // dt.timedelta(microseconds=1) * 1000
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no time. {_EXAMPLES}") from error


def _iso(text: str) -> dt.datetime:
    # Python 3.10 knows no Z.
    time = dt.datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text))
    return time if time.tzinfo is not None else time.replace(tzinfo=dt.timezone.utc)
