"""Prices: one entry of LiteLLM's price table, or a price given by the user, as rates per token class.

Where the data does not price a class of tokens, one rule decides: a missing *discount* is no discount (the
class costs what the tokens around it cost, the most it can be), a missing *surcharge* is unknown (``None``,
and a call with such tokens has no price). So an amount is never lower than what the data allows to say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from litespan.providers import provider_family

# Anthropic publishes the prices of cache writes as multiples of the input price, on every cloud.
_CLAUDE_WRITE_RATIO: Final = 1.25
_CLAUDE_WRITE_1H_RATIO: Final = 2.0

# Providers that run on the user's machines. Elsewhere a price of 0 in the table stands for "not known":
# ``openrouter/auto`` has it, which costs whatever model it picks.
_SELF_HOSTED: Final = frozenset(
    {
        "docker_model_runner",
        "hosted_vllm",
        "lemonade",
        "llamafile",
        "lm_studio",
        "ollama",
        "vllm",
        "xinference",
    }
)
# Ollama's names of models that run on its servers, not on the user's.
_HOSTED_BY_OLLAMA: Final = ("-cloud", ":cloud")

_PER_MILLION: Final = 1e-6
_BRACKET: Final = re.compile(r"(?:in|out)put_cost_per_token(_above_(\d+)(k?)_tokens)")


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices in USD per token by class; ``None`` where the price of a class is not known."""

    input: float
    output: float | None
    cache_read: float | None
    cache_write: float | None
    cache_write_1h: float | None
    reasoning: float | None
    audio_input: float | None
    audio_output: float | None
    image_input: float | None


@dataclass(frozen=True, slots=True)
class Price:
    """The rates of a model, and those that hold instead when the input is longer than so many tokens."""

    base: Rates | None
    above: tuple[tuple[int, Rates | None], ...] = ()

    def rates(self, input_tokens: int | None) -> Rates | None:
        """Return the rates for a call: all its tokens are priced by the length of its input."""
        if not self.above:
            return self.base
        if input_tokens is None:
            return None
        found = self.base
        for threshold, rates in self.above:
            if input_tokens > threshold:
                found = rates
        return found


def number(value: object) -> float | None:
    """Return a price or an amount that is finite and not negative; ``None`` for anything else.

    Texts count: prices from YAML configurations reach LiteLLM's table as ``"3e-7"``.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        parsed = float(value)
    except (ValueError, OverflowError):
        return None
    return parsed if 0 <= parsed < math.inf else None


def given_price(price: Mapping[str, float]) -> Price:
    """Build the price that a user gave, in USD per million tokens by class.

    A class that it does not name costs what the class around it costs: reads and writes of a cache as
    input, one-hour writes as writes, reasoning as output, audio and images as the side they are on.
    """
    per_token = {
        name: rate * _PER_MILLION for name, amount in price.items() if (rate := number(amount)) is not None
    }
    if "input" not in per_token or "output" not in per_token:
        return Price(None)
    entry, output = per_token["input"], per_token["output"]
    write = per_token.get("cache_write", entry)
    return Price(
        Rates(
            input=entry,
            output=output,
            cache_read=per_token.get("cache_read", entry),
            cache_write=write,
            cache_write_1h=per_token.get("cache_write_1h", write),
            reasoning=per_token.get("reasoning", output),
            audio_input=entry,
            audio_output=output,
            image_input=entry,
        )
    )


def table_price(model: str, entry: Mapping[str, Any], service_tier: str | None) -> Price | None:
    """Build the price of one entry of LiteLLM's table; ``None`` where it does not price the tokens of a call.

    ``service_tier`` is the provider's answer: ``priority`` and ``flex`` have prices of their own.
    """
    # A Router writes every key that LiteLLM knows into the entries of its models, with None for no price.
    entry = {key: value for key, value in entry.items() if value is not None}
    if _charges_by_call(model, entry) or _is_placeholder(model, entry):
        return None
    tier = f"_{service_tier.lower()}" if service_tier and service_tier.lower() in ("priority", "flex") else ""
    brackets = sorted(_brackets(entry, model, tier), key=lambda bracket: bracket[0])
    if brackets and brackets[0][0] == 0:
        return Price(brackets[0][1], tuple(brackets[1:]))
    base = _rates(_Reader(entry, tier=tier), model)
    return Price(base, tuple(brackets)) if base else None


def _charges_by_call(model: str, entry: Mapping[str, Any]) -> bool:
    """Tell models with a fee on every call, beside which the tokens are the smaller part of the bill."""
    searches = entry.get("litellm_provider") == "perplexity" or "-search" in model
    return bool(
        entry.get("input_cost_per_request") or (searches and entry.get("search_context_cost_per_query"))
    )


def _is_placeholder(model: str, entry: Mapping[str, Any]) -> bool:
    if number(entry.get("input_cost_per_token")) or number(entry.get("output_cost_per_token")):
        return False
    if entry.get("tiered_pricing"):
        return False
    self_hosted = provider_family(str(entry.get("litellm_provider"))) in _SELF_HOSTED
    return not self_hosted or model.endswith(_HOSTED_BY_OLLAMA)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the prices of an entry for one service tier and one length of input."""

    entry: Mapping[str, Any]
    bracket: str = ""
    tier: str = ""

    def read(self, key: str, bracket: str | None = None) -> float | None:
        bracket = self.bracket if bracket is None else bracket
        price = number(self.entry.get(key + bracket + self.tier))
        if price is None and self.tier == "_flex":
            price = number(self.entry.get(key + bracket))
        if price is None and bracket and key + bracket not in self.entry:
            return self.read(key, "")
        return price

    def read_own(self, key: str) -> float | None:
        """Read a price that would be wrong if it were taken from a shorter input's."""
        return self.read(key) if key + self.bracket in self.entry else None


def _rates(reader: _Reader, model: str) -> Rates | None:
    entry, output = reader.read("input_cost_per_token"), reader.read("output_cost_per_token")
    if entry is None or output is None or (output and not entry):
        return None
    if entry and not output:
        output = None
    claude = "claude" in model.lower()
    write = reader.read_own("cache_creation_input_token_cost")
    write_1h = reader.read_own("cache_creation_input_token_cost_above_1hr")
    return Rates(
        input=entry,
        output=output,
        # Beside a paid input price, a price of 0 is a placeholder as well: hence `or`.
        cache_read=reader.read("cache_read_input_token_cost") or entry,
        cache_write=write or (entry * _CLAUDE_WRITE_RATIO if claude else None),
        cache_write_1h=write_1h or (entry * _CLAUDE_WRITE_1H_RATIO if claude else None),
        reasoning=reader.read("output_cost_per_reasoning_token") or output,
        audio_input=reader.read("input_cost_per_audio_token"),
        audio_output=reader.read("output_cost_per_audio_token"),
        # Chat models take the tokens of an image at the price of text, unless the table says otherwise.
        image_input=reader.read("input_cost_per_image_token") or entry,
    )


def _brackets(entry: Mapping[str, Any], model: str, tier: str) -> Iterator[tuple[int, Rates | None]]:
    """Find prices by length of input, in both spellings of the table, as (tokens it must exceed, rates)."""
    suffixes = {found[1]: found for key in entry if (found := _BRACKET.fullmatch(key))}
    for suffix, found in suffixes.items():
        yield int(found[2]) * (1000 if found[3] else 1), _rates(_Reader(entry, suffix, tier), model)
    steps = entry.get("tiered_pricing")
    for step in steps if isinstance(steps, list) else ():
        bounds = step.get("range") if isinstance(step, Mapping) else None
        start = number(bounds[0]) if isinstance(bounds, (list, tuple)) and bounds else None
        if start is not None:
            yield int(start), _rates(_Reader(step, tier=tier), model)
