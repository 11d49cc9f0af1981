"""Prices that hold at some hours only, as LiteLLM's table has them for DeepSeek's models since 1.110."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from importlib import import_module
from typing import Any, Final

_CHEAPER: Final = "off_peak_pricing"


def depends_on_hour(entry: Mapping[str, Any] | None) -> bool:
    """Say whether an entry has other prices at other times of the day."""
    return entry is not None and entry.get(_CHEAPER) is not None


def prices_at(entry: Mapping[str, Any], time_ns: int | None) -> Mapping[str, Any] | None:
    """Return an entry with the prices of a time, in nanoseconds since 1970; ``None`` where that is not known.

    Without a time the usual prices are returned. DeepSeek bills a call by the moment of its end.
    """
    cheaper = entry.get(_CHEAPER)
    if cheaper is None or time_ns is None:
        return entry
    try:
        moment = datetime.fromtimestamp(time_ns // 10**9, timezone.utc)
        return {**entry, **_prices(cheaper)} if _is_cheaper(cheaper, moment) else entry
    except (AttributeError, LookupError, OSError, OverflowError, TypeError, ValueError):
        return None  # a rule that is not understood, or a time zone that this system does not know


def _prices(cheaper: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in cheaper.items() if "cost" in name}


def _is_cheaper(cheaper: Mapping[str, Any], moment: datetime) -> bool:
    zone = cheaper.get("weekday_timezone")
    # Imported here: few models have such prices.
    local = moment.astimezone(import_module("zoneinfo").ZoneInfo(zone)) if zone else moment
    return any(_holds(rule, moment, local) for rule in (cheaper, *cheaper.get("windows", ())))


def _holds(rule: Mapping[str, Any], moment: datetime, local: datetime) -> bool:
    days = rule.get("weekdays")  # 1 is Monday
    if days is not None and local.isoweekday() not in map(int, days):
        return False
    hours = rule.get("hours_utc") or ()
    return any(_is_within(span, moment) for span in ((hours,) if isinstance(hours, str) else hours))


def _is_within(span: str, moment: datetime) -> bool:
    """Say whether a time is within "16:30-00:30", which may pass midnight and leaves its end out."""
    start, end = map(_minutes, span.split("-"))
    now = moment.hour * 60 + moment.minute
    return start <= now < end if start < end else now >= start or now < end


def _minutes(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)
