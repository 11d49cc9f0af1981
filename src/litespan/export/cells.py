"""The texts in the cells of a span tree: pure functions of a span's attributes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from litespan import semconv

UNKNOWN: Final = "-"
UNPRICED: Final = "unpriced"

# A call reports its own usage; agents and roots have totals.
INPUT_TOKENS: Final = (semconv.USAGE_INPUT_TOKENS, semconv.TOTAL_INPUT_TOKENS)
OUTPUT_TOKENS: Final = (semconv.USAGE_OUTPUT_TOKENS, semconv.TOTAL_OUTPUT_TOKENS)
CACHED_TOKENS: Final = (semconv.USAGE_CACHE_READ_TOKENS, semconv.TOTAL_CACHE_READ_TOKENS)
REASONING_TOKENS: Final = (semconv.USAGE_REASONING_TOKENS, semconv.TOTAL_REASONING_TOKENS)
_COST: Final = (semconv.USAGE_COST_AMOUNT, semconv.TOTAL_COST)
_CALLS: Final = (semconv.CHAT, semconv.TEXT_COMPLETION, semconv.EMBEDDINGS)

_STYLES: Final = {"ok": "green", "error": "red", "open": "dim"}
_OTHER_STYLE: Final = "yellow"
_MINUTE: Final = 60


def number(attributes: Mapping[str, Any], keys: tuple[str, ...]) -> float | None:
    """Return the first of these attributes that is a number."""
    for key in keys:
        value = attributes.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return value
    return None


def tokens(
    attributes: Mapping[str, Any],
    keys: tuple[str, ...],
    part_keys: tuple[str, ...] = (),
    part: str = "",
) -> str:
    """Return a number of tokens, and a part of it in brackets: ``1,200 (1,000 cached)``; ``-`` if unknown."""
    count, inside = number(attributes, keys), number(attributes, part_keys)
    if count is None:
        return UNKNOWN
    return f"{count:,.0f} ({inside:,.0f} {part})" if inside else f"{count:,.0f}"


def cost(attributes: Mapping[str, Any]) -> str:
    """Return what was paid; ``unpriced`` for a call with usage and no price, ``-`` where nothing is known."""
    amount = number(attributes, _COST)
    if amount is None:
        is_call = attributes.get(semconv.OPERATION_NAME) in _CALLS
        used = number(attributes, INPUT_TOKENS + OUTPUT_TOKENS) is not None
        return UNPRICED if is_call and used else UNKNOWN
    currency = attributes.get(semconv.USAGE_COST_CURRENCY, "USD")
    return f"${_money(amount)}" if currency == "USD" else f"{_money(amount)} {printable(currency, 'ascii')}"


def _money(amount: float) -> str:
    # Four digits that say something, two decimals at least: one call often costs a fraction of a cent.
    decimals = 2 if amount == 0 else max(2, 3 - math.floor(math.log10(abs(amount))))
    return f"{amount:,.{decimals}f}"


def duration(start_ns: int, end_ns: int | None) -> str:
    """Return a readable duration from two times in nanoseconds; ``-`` for a span that has not ended."""
    if end_ns is None:
        return UNKNOWN
    seconds = (end_ns - start_ns) / 1e9
    # Rounded first: what rounds to a second or a minute is one.
    if (milliseconds := round(seconds * 1000)) < 1000:  # noqa: PLR2004 - of a second
        return f"{milliseconds} ms"
    if (hundredths := round(seconds, 2)) < _MINUTE:
        return f"{hundredths:.2f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes}m {rest:02d}s"


def outcome(attributes: Mapping[str, Any], *, error: bool, ended: bool) -> tuple[str, str]:
    """Return the outcome, with the type of the error, and a rich style for it."""
    name = attributes.get(semconv.OUTCOME) or ("error" if error else "ok" if ended else "open")
    error_type = attributes.get(semconv.ERROR_TYPE)
    text = f"{name}: {error_type}" if error_type else str(name)
    return text, _STYLES.get(str(name), _OTHER_STYLE)


def printable(value: object, encoding: str = "utf-8") -> str:
    """Return a text that is safe to print: names come from models and users and may hold terminal codes."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value))
    return text.encode(encoding, "replace").decode(encoding)
