"""Mistakes that litespan could make, each as a patch of its own functions. The ledger must notice them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pkgutil import resolve_name
from typing import Any, Final, NamedTuple

import litellm
import pytest

from litespan.price_table import Price
from litespan.records import ABANDONED, CANCELLED, ERROR, INCOMPLETE, OK, Cost, Usage
from litespan.sources.litellm_usage import usage_from

Patch = pytest.MonkeyPatch
Apply = Callable[[Patch], None]

_SOURCES: Final = "litespan.sources"
_CALL: Final = f"{_SOURCES}.litellm_call.OpenCall"
_MEASURED: Final = "litespan.emit.call_measurements.CallMeasurements"
_STREAM_USAGE: Final = f"{_SOURCES}.litellm_readers.stream_usage"


class Mutation(NamedTuple):
    """One mistake: what it is, and what makes litespan make it."""

    name: str
    apply: Apply


def _with(target: str, make: Callable[[Any], Any]) -> Apply:
    """Replace what a dotted name stands for by what is made of it."""
    place, _, name = target.rpartition(".")

    def apply(patch: Patch) -> None:
        owner = resolve_name(place)
        patch.setattr(owner, name, make(getattr(owner, name)))

    return apply


# -- prices ------------------------------------------------------------------------------------------------
def _rates(change: Callable[[Any], Any]) -> Apply:
    """Change the rates that are read from LiteLLM's table."""

    def make(original: Any) -> Any:
        def table_price(*arguments: Any) -> Price | None:
            price = original(*arguments)
            return price and price.base and Price(change(price.base), price.above)

        return table_price

    return _with("litespan.pricing.table_price", make)


def _split(change: Callable[[Any], Any]) -> Apply:
    """Change how a usage is split into parts that are priced."""

    def make(original: Any) -> Any:
        def split(usage: Usage) -> Any:
            tokens = original(usage)
            return tokens and change(tokens)

        return split

    return _with("litespan.charging._split", make)


def _cost(change: Callable[[Any, Any, Any], Any]) -> Apply:
    """Change what a call costs."""
    return _with(
        "litespan.pricing.PriceBook.cost", lambda original: lambda book, call: change(original, book, call)
    )


def _ignore_provider(original: Any, book: Any, call: Any) -> Any:
    call.provider_cost = None
    return original(book, call)


# -- usage -------------------------------------------------------------------------------------------------
def _usage(change: Callable[[Usage], None]) -> Apply:
    """Change every usage as it is read from LiteLLM."""

    def make(original: Any) -> Any:
        def changed(said: Any) -> Usage | None:
            usage: Usage | None = original(said)
            if usage is not None:
                change(usage)
            return usage

        return changed

    return _with(f"{_SOURCES}.litellm_quirks.counts_of", make)


def _add_cache_again(usage: Usage) -> None:
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    usage.input_tokens = (usage.input_tokens or 0) + cached


def _add_reasoning_again(usage: Usage) -> None:
    usage.output_tokens = (usage.output_tokens or 0) + (usage.reasoning_tokens or 0)


def _swap_cache(usage: Usage) -> None:
    usage.cache_read_tokens, usage.cache_write_tokens = usage.cache_write_tokens, usage.cache_read_tokens


def _forget_reasoning(usage: Usage) -> None:
    usage.reasoning_tokens = None


# -- streams -----------------------------------------------------------------------------------------------
def _ignore_last_chunk(original: Any) -> Any:
    return lambda call, chunks: original(call, list(chunks or ())[:-1])


def _believe_inventions(original: Any) -> Any:
    def invented(call: Any, chunks: Any) -> Usage | None:
        built = litellm.stream_chunk_builder(list(chunks or ()))
        return original(call, chunks) or usage_from(getattr(built, "usage", None))

    return invented


def _add_growing_counts(_: Any) -> Any:
    def added(usages: Any) -> Usage | None:
        total: Usage | None = None
        for usage in usages:
            if total is None:
                total = usage
            else:
                total.input_tokens = (total.input_tokens or 0) + (usage.input_tokens or 0)
                total.output_tokens = (total.output_tokens or 0) + (usage.output_tokens or 0)
        return total

    return added


def _drop_spend(dropped: str) -> Apply:
    def make(original: Any) -> Any:
        def note(call: Any, outcome: str) -> None:
            if outcome == dropped:
                call.record.usage = None
            original(call, outcome)

        return note

    return _with(f"{_CALL}._note_usage", make)


def _outcome(true: str, told: str) -> Apply:
    """Tell one outcome as another."""
    return _with(
        f"{_CALL}._end",
        lambda original: lambda call, outcome: original(call, told if outcome == true else outcome),
    )


# -- calls -------------------------------------------------------------------------------------------------
def _count_attempts(original: Any) -> Any:
    def count(measurements: Any, call: Any, span: Any) -> None:
        for _ in range(call.attempts or 1):
            original(measurements, call, span)

    return count


def _forget_lost(original: Any) -> Any:
    def begin(probe: Any) -> None:
        original(probe)
        probe.lost = 0

    return begin


def _leave_class_out(original: Any) -> Any:
    def count(measurements: Any, common: Any, costs: list[Cost]) -> None:
        original(measurements, common, [replace(cost, by_class=without_output(cost)) for cost in costs])

    def without_output(cost: Cost) -> dict[str, float]:
        return {name: amount for name, amount in cost.by_class.items() if name != "output"}

    return count


def _no_reasoning(original: Any) -> Any:
    return lambda usage, fields: original(usage and replace(usage, reasoning_tokens=None), fields)


def _all_scopes(_: Any) -> Any:
    def scopes(record: Any) -> list[Any]:
        found, above = [], record.parent
        while above is not None:
            found += [above] if hasattr(above, "totals") else []
            above = above.parent
        return found

    return scopes


MUTATIONS: Final = (
    Mutation("cache reads at the full price", _rates(lambda rates: replace(rates, cache_read=rates.input))),
    Mutation("cache writes at the full price", _rates(lambda rates: replace(rates, cache_write=rates.input))),
    Mutation("one-hour writes free", _rates(lambda rates: replace(rates, cache_write_1h=0.0))),
    Mutation(
        "one-hour writes as short ones",
        _rates(lambda rates: replace(rates, cache_write_1h=rates.cache_write)),
    ),
    Mutation(
        "reasoning at the price of output", _rates(lambda rates: replace(rates, reasoning=rates.output))
    ),
    Mutation("prices swapped", _rates(lambda rates: replace(rates, input=rates.output, output=rates.input))),
    Mutation(
        "reasoning priced twice", _split(lambda parts: parts._replace(output=parts.output + parts.reasoning))
    ),
    Mutation(
        "cached input priced twice",
        _split(lambda parts: parts._replace(input=parts.input + parts.cache_read)),
    ),
    Mutation("the provider's own cost ignored", _cost(_ignore_provider)),
    Mutation(
        "the cost of a stream is 0",
        _cost(lambda original, book, call: Cost(0.0, "local") if call.stream else original(book, call)),
    ),
    Mutation("reasoning added to the output", _usage(_add_reasoning_again)),
    Mutation("Anthropic's cache added to the input", _usage(_add_cache_again)),
    Mutation("cache reads and writes swapped", _usage(_swap_cache)),
    Mutation("reasoning not counted apart", _usage(_forget_reasoning)),
    Mutation("the last chunk ignored", _with(_STREAM_USAGE, _ignore_last_chunk)),
    Mutation(
        "growing counts of a stream added up", _with(f"{_SOURCES}.litellm_quirks.merge", _add_growing_counts)
    ),
    Mutation("LiteLLM's invented usage believed", _with(_STREAM_USAGE, _believe_inventions)),
    Mutation(
        "usage of streams not asked for",
        _with(f"{_SOURCES}.litellm_stream_usage.StreamUsage.ask", lambda _: lambda *_: None),
    ),
    Mutation("cut streams taken for whole ones", _outcome(INCOMPLETE, OK)),
    Mutation("abandoned streams taken for cancelled ones", _outcome(ABANDONED, CANCELLED)),
    Mutation("failures taken for successes", _outcome(ERROR, OK)),
    Mutation("what cancelled calls spent dropped", _drop_spend(CANCELLED)),
    Mutation("what abandoned streams spent dropped", _drop_spend(ABANDONED)),
    Mutation(
        "hits of LiteLLM's cache billed",
        _with(f"{_SOURCES}.litellm_mapping.from_cache", lambda _: lambda _: False),
    ),
    Mutation("a retry counted as a call", _with(f"{_MEASURED}.ended", _count_attempts)),
    Mutation(
        "a relayed call counted twice", _with("litespan.claims.tell_outer_call", lambda _: lambda _: None)
    ),
    Mutation(
        "LiteLLM's own nested calls counted",
        _with(f"{_SOURCES}.litellm_calls.CallSource._is_call_of_program", lambda _: lambda *_: True),
    ),
    Mutation(
        "failed calls never in doubt",
        _with(f"{_SOURCES}.litellm_failures.billing_doubt", lambda _: lambda _: None),
    ),
    Mutation(
        "lost answers of retried calls forgotten",
        _with(f"{_SOURCES}.litellm_transport.Probe.begin_attempt", _forget_lost),
    ),
    Mutation("reasoning left out of spans", _with("litespan.emit.call_attributes._usage", _no_reasoning)),
    Mutation("a class left out of the cost counter", _with(f"{_MEASURED}._count_costs", _leave_class_out)),
    Mutation(
        "agents read as calls by the summary",
        _with("litespan.cli.sums.facts._READ", lambda read: read | {"invoke_agent"}),
    ),
)

OF_LEVELS: Final = (
    Mutation("an agent's calls on its caller too", _with("litespan.scopes._scopes_with_totals", _all_scopes)),
)
"""Mistakes that only the test of the levels can see: the load has no totals of agents."""
