"""Odd prices for made-up bills: what a provider charges, told to LiteLLM's table and kept apart from it.

The rates of one `with` block are distinct primes, one per token class and model, in units of 2**-24 USD per
token (0.06 USD per million). So no two mistakes give the same sum, and every product and sum is exact
both as a float and as a Decimal, up to bills of 5,000 USD: compare with `==`.

    with rates.registered("openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"):
        ...  # calls
        expected = sum(rates.cost(served.model, served.usage_delivered) for served in provider.served)
        assert Decimal(metric) == expected
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from itertools import islice
from typing import Any, Final, NamedTuple

import litellm
from litellm.utils import _invalidate_model_cost_lowercase_map

from litespan.providers import split_model
from litespan.testing import ServedUsage

UNIT: Final = Decimal(2) ** -24
"""USD of which every rate is a prime multiple."""

_FIRST_PRIME: Final = 11  # 0.66 USD per million tokens


class Rates(NamedTuple):
    """USD per token of one model, by class. The six parts of a bill do not overlap."""

    input: Decimal
    cache_read: Decimal
    cache_write: Decimal
    cache_write_1h: Decimal
    output: Decimal
    reasoning: Decimal

    def cost(self, usage: ServedUsage) -> Decimal:
        """Return the bill for a usage in USD: each token once, in its own class."""
        return sum((rate * count for rate, count in zip(self, parts(usage), strict=True)), Decimal(0))

    def by_class(self, usage: ServedUsage) -> dict[str, Decimal]:
        """Return the bill by class as litespan tells it: cache writes of both lifetimes are one class."""
        bill = {
            name: rate * count
            for name, rate, count in zip(self._fields, self, parts(usage), strict=True)
            if count
        }
        written = bill.pop("cache_write_1h", Decimal(0)) + bill.get("cache_write", Decimal(0))
        return {**bill, "cache_write": written} if written else bill


# Models of the `with` blocks that are open, by the full name that was registered.
_registered: dict[str, Rates] = {}


@contextmanager
def registered(*models: str) -> Iterator[Mapping[str, Rates]]:
    """Put rates for these models into LiteLLM's table, and put the table back as it was in the end.

    Name models as a program does, with the provider in front: `openai/gpt-4o-mini`,
    `bedrock/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0`, `azure/my-deployment`. What LiteLLM knows
    of a model besides its prices stays. Blocks may be nested; the names must differ. The rates depend only on
    the order of the names.
    """
    known, before = dict(_registered), dict(litellm.model_cost)
    numbers = _primes(skip=len(known) * len(Rates._fields))
    try:
        for model in models:
            if model in _registered:
                raise ValueError(f"{model!r} has its rates already.")
            _registered[model] = Rates(*(UNIT * prime for prime in islice(numbers, len(Rates._fields))))
            _enter(model, _registered[model])
        yield {model: _registered[model] for model in models}
    finally:
        _registered.clear()
        _registered.update(known)
        litellm.model_cost.clear()
        litellm.model_cost.update(before)
        _invalidate_model_cost_lowercase_map()


def of(model: str) -> Rates:
    """Return the rates of a model by its registered name, or by the name under which the provider got it.

    Raises:
        KeyError: inside no `with` block that registers it, or if two providers have that name.
    """
    found = [name for name in _registered if name == model or name.endswith(f"/{model}")]
    if len(found) != 1:
        raise KeyError(f"{model!r} is {found or 'not registered'}; registered: {list(_registered)}")
    return _registered[found[0]]


def cost(model: str, usage: ServedUsage | None) -> Decimal:
    """Return the bill of the provider in USD; 0 without a usage."""
    return of(model).cost(usage) if usage is not None else Decimal(0)


def parts(usage: ServedUsage) -> tuple[int, ...]:
    """Split a usage into parts that do not overlap, in the order of :class:`Rates`."""
    cached = usage.cache_read_tokens + usage.cache_write_tokens + usage.cache_write_1h_tokens
    return (
        usage.input_tokens - cached,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.cache_write_1h_tokens,
        usage.output_tokens - usage.reasoning_tokens,
        usage.reasoning_tokens,
    )


def _enter(model: str, rates: Rates) -> None:
    provider, name = split_model(model, litellm.provider_list, None)
    known = litellm.model_cost.get(model) or litellm.model_cost.get(name) or {}
    entry = {key: value for key, value in known.items() if "cost" not in key and key != "tiered_pricing"}
    key = f"{provider}/{name}" if provider else name
    owner = {"litellm_provider": str(provider)} if provider else {}
    litellm.model_cost[key] = {"mode": "chat", **entry, **owner, **_listed(rates)}
    _invalidate_model_cost_lowercase_map()


def _listed(rates: Rates) -> dict[str, Any]:
    return {
        "input_cost_per_token": float(rates.input),
        "cache_read_input_token_cost": float(rates.cache_read),
        "cache_creation_input_token_cost": float(rates.cache_write),
        "cache_creation_input_token_cost_above_1hr": float(rates.cache_write_1h),
        "output_cost_per_token": float(rates.output),
        "output_cost_per_reasoning_token": float(rates.reasoning),
    }


def _primes(skip: int) -> Iterator[int]:
    """Yield primes in order, without the first `skip` of them."""
    found: list[int] = []
    number = _FIRST_PRIME
    while True:
        if all(number % divisor for divisor in range(2, int(number**0.5) + 1)):
            found.append(number)
            if len(found) > skip:
                yield number
        number += 1
