"""Prices: one entry of LiteLLM's price table, or a price given by the user, as rates per token class.

Where the data does not price a class of tokens, one rule decides: a missing *discount* is no discount (the
class costs what the tokens around it cost, the most it can be), a missing *surcharge* is unknown (``None``,
and a call with such tokens has no price). So an amount is never lower than what the data allows to say.
What has a price of its own for short inputs at the usual speed has one for long inputs and for other service
tiers too; where the data does not list that one, it is unknown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

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

# Service tiers whose price is the one without a suffix; OpenAI's, Anthropic's, Groq's and Vertex AI's words.
_STANDARD_TIERS: Final = frozenset({"", "auto", "default", "standard", "standard_only", "on_demand"})
_PRICED_TIERS: Final = frozenset({"priority", "flex"})

_INPUT: Final = "input_cost_per_token"
_OUTPUT: Final = "output_cost_per_token"
_CACHE_READ: Final = "cache_read_input_token_cost"
_CACHE_HIT: Final = "input_cost_per_token_cache_hit"  # what some of DeepSeek's entries call the same price

_PER_MILLION: Final = 1e-6
_BRACKET: Final = re.compile(r"(?:in|out)put_cost_per_token(_above_(\d+)(k?)_tokens)")


class Rates(NamedTuple):
    """Prices in USD per token by class; ``None`` where the price of a class is not known."""

    input: float
    audio_input: float | None
    image_input: float | None
    cache_read: float | None
    cache_write: float | None
    cache_write_1h: float | None
    output: float | None
    audio_output: float | None
    reasoning: float | None


_FREE: Final = Rates(*[0.0] * len(Rates._fields))


class Price(NamedTuple):
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
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float, str)):
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


def table_price(
    model: str, entry: Mapping[str, Any], service_tier: str | None, *, free_if_zero: bool = False
) -> Price | None:
    """Build the price of one entry of LiteLLM's table; ``None`` where it does not price the tokens of a call.

    ``service_tier`` is the provider's answer: ``priority`` and ``flex`` have prices of their own. Others, as
    for capacity that is paid for in advance, have none by the token. In the table 0 means "not known", but
    for models that one runs oneself. ``free_if_zero``: the program has said it, and means it.
    """
    tier = _suffix(service_tier)
    # A Router writes every key that LiteLLM knows into the entries of its models, with None for no price.
    entry = {key: value for key, value in entry.items() if value is not None}
    if tier is None or _charges_by_call(model, entry):
        return None
    if not free_if_zero and _is_placeholder(model, entry):
        return None
    brackets = sorted(_brackets(entry, model, tier), key=lambda bracket: bracket[0])
    if brackets and brackets[0][0] == 0:
        return Price(brackets[0][1], tuple(brackets[1:]))
    base = _rates(_Reader(entry, tier=tier), model)
    return Price(base, tuple(brackets)) if base else None


def _suffix(service_tier: str | None) -> str | None:
    tier = (service_tier or "").lower()
    if tier in _STANDARD_TIERS:
        return ""
    return f"_{tier}" if tier in _PRICED_TIERS else None


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
    provider = entry.get("litellm_provider")
    self_hosted = isinstance(provider, str) and provider_family(provider) in _SELF_HOSTED
    return not self_hosted or model.endswith(_HOSTED_BY_OLLAMA)


class _Reader(NamedTuple):
    """Reads the prices of an entry for one service tier and one length of input."""

    entry: Mapping[str, Any]
    bracket: str = ""
    tier: str = ""

    def side(self, key: str) -> float | None:
        """Read the price of input or output; a length that changes only one of them leaves the other."""
        price = self.own(key)
        if price is not None or any(name.startswith(key + self.bracket) for name in self.entry):
            return price
        return number(self.entry.get(key + self.tier))

    def part(
        self, key: str, side: str, *, around: float | None, unlisted: float | None = None
    ) -> float | None:
        """Read the price of a part of one side; beside a paid price, 0 is a placeholder.

        ``around`` is the price of the side; ``unlisted`` is what holds where the table never prices the part.
        """
        if price := self.own(key):
            return price
        usual = number(self.entry.get(key))
        if not usual:
            return unlisted
        return around if usual == number(self.entry.get(side)) else None

    def own(self, key: str) -> float | None:
        """Read a price that is listed for just this length and tier."""
        return number(self.entry.get(key + self.bracket + self.tier))


def _rates(reader: _Reader, model: str) -> Rates | None:
    entry, output = reader.side(_INPUT), reader.side(_OUTPUT)
    if entry is None or output is None or (output and not entry):
        return None
    if not entry:
        return _FREE
    output = output or None
    claude = "claude" in model.lower()
    cache_read = _CACHE_READ if _CACHE_READ in reader.entry else _CACHE_HIT
    write = reader.own("cache_creation_input_token_cost")
    write_1h = reader.own("cache_creation_input_token_cost_above_1hr")
    return Rates(
        input=entry,
        output=output,
        cache_read=reader.part(cache_read, _INPUT, around=entry, unlisted=entry),
        cache_write=write or (entry * _CLAUDE_WRITE_RATIO if claude else None),
        cache_write_1h=write_1h or (entry * _CLAUDE_WRITE_1H_RATIO if claude else None),
        reasoning=reader.part("output_cost_per_reasoning_token", _OUTPUT, around=output, unlisted=output),
        audio_input=reader.part("input_cost_per_audio_token", _INPUT, around=entry),
        audio_output=reader.part("output_cost_per_audio_token", _OUTPUT, around=output),
        # Chat models take the tokens of an image at the price of text, unless the table says otherwise.
        image_input=reader.part("input_cost_per_image_token", _INPUT, around=entry, unlisted=entry),
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
