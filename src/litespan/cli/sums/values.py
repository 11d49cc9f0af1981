"""Attribute values of OTLP/JSON. What is not of the expected kind is not known: `None`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

MAX_TEXT: Final = 1_024  # characters
MAX_COUNT: Final = 2**63 - 1  # what OTLP can carry

_DIGITS: Final = len(str(MAX_COUNT))
_NONE: Final[Mapping[str, Any]] = {}

Values = Mapping[str, Mapping[str, Any]]


def values_of(span: Mapping[str, Any]) -> Values:
    """Return the attributes of a span by their names."""
    attributes = span.get("attributes") or ()
    try:
        return {each["key"]: each["value"] for each in attributes}
    except KeyError:
        # OTLP allows an attribute without a value. It is rare, and looking for it in each one takes time.
        return {each["key"]: each.get("value", _NONE) for each in attributes}


def text_of(span: Mapping[str, Any], key: str) -> str | None:
    """Return one text attribute without a look at those behind it; None if it is absent or no text."""
    for each in span.get("attributes") or ():
        if each["key"] == key:
            value = each.get("value", _NONE).get("stringValue")
            return value if isinstance(value, str) else None
    return None


def text(values: Values, key: str) -> str | None:
    """Return a text attribute, cut at 1,024 characters; None if it is absent, empty or no text."""
    value = values.get(key)
    found = value.get("stringValue") if value is not None else None
    return found[:MAX_TEXT] or None if isinstance(found, str) else None


def count(values: Values, key: str) -> int | None:
    """Return a whole number that is not negative; OTLP/JSON writes it as text."""
    value = values.get(key)
    number = whole(value.get("intValue")) if value is not None else None
    return number if number is not None and 0 <= number <= MAX_COUNT else None


def amount(values: Values, key: str) -> Decimal | None:
    """Return an amount as the decimal that the file shows; None if it is negative or not finite."""
    value = values.get(key)
    if value is None:
        return None
    number = value.get("doubleValue", value.get("intValue"))
    if isinstance(number, str):
        number = whole(number)
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return None
    return Decimal(repr(number)) if 0 <= number <= MAX_COUNT else None


def flag(values: Values, key: str) -> bool | None:
    """Return a truth value; None if it is absent or none."""
    value = values.get(key)
    found = value.get("boolValue") if value is not None else None
    return found if isinstance(found, bool) else None


def whole(value: object) -> int | None:
    """Return a whole number: a number, or its digits as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) <= _DIGITS else None
