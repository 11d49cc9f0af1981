"""What the tokens that a provider reported cost at a price.

A call that reports a fee beside its tokens, as for web searches, has no local figure. What providers do not
report with the call (code execution, storage of a cache) is not part of one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import compress
from typing import Final, NamedTuple

from litespan.price_table import Price, Rates
from litespan.records import Cost, Usage, has_parts

LOCAL: Final = "local"

# The class of the cost for each part of a call's tokens, in the order of `Rates`. Audio and images are input
# or output at their own prices.
_CLASSES: Final = (
    *("input", "input", "input"),
    *("cache_read", "cache_write", "cache_write"),
    *("output", "output", "reasoning"),
)
_MAX_TOKENS: Final = 2**53  # beyond it, a float no longer counts every token


def charge(price: Price, usage: Usage | None) -> Cost | None:
    """Price the tokens that were reported; ``None`` without any, or where the price of some is not known.

    A usage whose parts are larger than the whole contradicts itself and has no cost.
    """
    if usage is None or usage.unrated:
        return None
    rates = price.rates(usage.input_tokens)
    if rates is None:
        return None
    return _charge_parts(usage, rates) if has_parts(usage) else _charge_plain(usage, rates)


def _charge_parts(usage: Usage, rates: Rates) -> Cost | None:
    tokens = _split(usage)
    if tokens is None or not _is_certain(usage, tokens, rates):
        return None
    by_class: dict[str, float] = {}
    for token_class, rate, count in compress(zip(_CLASSES, rates, tokens, strict=True), tokens):
        if rate is None:
            return None
        by_class[token_class] = by_class.get(token_class, 0.0) + count * rate
    amount = sum(by_class.values())
    if amount == math.inf:
        return None
    return Cost(amount, LOCAL, by_class=by_class, cache_savings=_savings(tokens, rates, by_class))


def _charge_plain(usage: Usage, rates: Rates) -> Cost | None:
    """Price a usage of nothing but input and output, which most are."""
    if not _is_priceable(usage):
        return None
    by_class: dict[str, float] = {}
    if usage.input_tokens:
        by_class["input"] = usage.input_tokens * rates.input
    if usage.output_tokens:
        if rates.output is None:
            return None
        by_class["output"] = usage.output_tokens * rates.output
    amount = sum(by_class.values())
    return None if amount == math.inf else Cost(amount, LOCAL, by_class=by_class)


def _is_priceable(usage: Usage) -> bool:
    """Say whether both counts can be ones, and the input is not missing.

    Only a call that stopped early is priced by what it had reported until then.
    """
    if usage.input_tokens is None and (usage.output_tokens is None or usage.complete):
        return False
    whole_input, whole_output = usage.input_tokens or 0, usage.output_tokens or 0
    return 0 <= whole_input <= _MAX_TOKENS and 0 <= whole_output <= _MAX_TOKENS


class _Tokens(NamedTuple):
    """Tokens of a call in parts that do not overlap, named and ordered as their :class:`Rates`."""

    input: int
    audio_input: int
    image_input: int
    cache_read: int
    cache_write: int
    cache_write_1h: int
    output: int
    audio_output: int
    reasoning: int


def _split(usage: Usage) -> _Tokens | None:
    """Split a usage into disjoint parts; ``None`` where it contradicts itself, or the input is missing.

    Providers count cached audio and images among both, so these parts take only what the cache leaves.
    """
    if not _is_priceable(usage):
        return None
    whole_input, whole_output = usage.input_tokens or 0, usage.output_tokens or 0
    read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    write_1h, reasoning = usage.cache_write_1h_tokens or 0, usage.reasoning_tokens or 0
    audio, audio_output = usage.audio_input_tokens or 0, usage.audio_output_tokens or 0
    image = usage.image_input_tokens or 0
    if min(read, written, write_1h, reasoning, audio, audio_output, image) < 0:
        return None
    written = max(written, write_1h)
    fresh, answer = whole_input - read - written, whole_output - reasoning
    if fresh < 0 or answer < 0:
        return None
    audio, audio_output = min(audio, fresh), min(audio_output, answer)
    image = min(image, fresh - audio)
    return _Tokens(
        fresh - audio - image, audio, image,
        read, written - write_1h, write_1h,
        answer - audio_output, audio_output, reasoning,
    )  # fmt: skip


def _is_certain(usage: Usage, tokens: _Tokens, rates: Rates) -> bool:
    """Tell whether the cost does not depend on how much of the audio and the images came from the cache.

    Providers do not say so, or LiteLLM drops it. It makes no difference only where nothing was cached, or
    where these tokens cost what text does.
    """
    if not (tokens.cache_read or tokens.cache_write or tokens.cache_write_1h):
        return True
    dear_audio = usage.audio_input_tokens and rates.audio_input != rates.input
    return not dear_audio and not (usage.image_input_tokens and rates.image_input != rates.input)


def _savings(tokens: _Tokens, rates: Rates, by_class: Mapping[str, float]) -> float | None:
    """Return what the cached tokens would have cost as plain input, minus what they did cost."""
    cached = tokens.cache_read + tokens.cache_write + tokens.cache_write_1h
    if not cached:
        return None
    return cached * rates.input - by_class.get("cache_read", 0.0) - by_class.get("cache_write", 0.0)
