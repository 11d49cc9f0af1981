"""The made-up bills hold: exact in both kinds of numbers, known to LiteLLM and litespan, gone afterwards."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import litellm
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litespan.testing import Capture, Provider, Reply, ServedUsage
from tests.fakes import all_wires_provider
from tests.ledger import rates

MODELS = tuple(f"openai/odd-{number}" for number in range(40))
USAGE = ServedUsage(1000, 300, 400, 50, 30, 70)
counts = st.integers(0, 10**6)


def test_rates_are_distinct_and_depend_only_on_the_order() -> None:
    """Forty models have 240 different rates, and the same ones each time."""
    with rates.registered(*MODELS) as first:
        pass
    with rates.registered(*MODELS[:7]), rates.registered(*MODELS[7:]):
        again = {model: rates.of(model) for model in MODELS}

    assert first == again
    assert len({rate for card in first.values() for rate in card}) == 6 * len(MODELS)


@given(st.lists(st.tuples(st.sampled_from(MODELS), *[counts] * 6), max_size=10))
def test_sums_are_exact_as_floats(bills: list[tuple[Any, ...]]) -> None:
    """Bills of millions of tokens add up to the same number in floats and in Decimals."""
    with rates.registered(*MODELS):
        in_floats, in_decimals = 0.0, Decimal(0)
        for model, fresh, output, *others in bills:
            usage = ServedUsage(fresh + sum(others[:3]), output + others[3], *others)
            pairs = zip(rates.of(model), rates.parts(usage), strict=True)
            in_floats += sum(float(rate) * count for rate, count in pairs)
            in_decimals += rates.cost(model, usage)

    assert Decimal(in_floats) == in_decimals


def test_each_token_is_charged_once() -> None:
    """A bill by class is the bill, and the parts of a usage are the whole of it."""
    with rates.registered("openai/odd"):
        bill = rates.of("odd").by_class(USAGE)

        assert sum(bill.values()) == rates.cost("openai/odd", USAGE)
        assert set(bill) == {"input", "cache_read", "cache_write", "output", "reasoning"}
    assert sum(rates.parts(USAGE)) == USAGE.total_tokens


def test_litellms_table_is_put_back() -> None:
    """The table is afterwards what it was, also when the block fails; a real model keeps its other facts."""
    before = {key: dict(entry) for key, entry in litellm.model_cost.items()}

    with rates.registered("anthropic/claude-sonnet-4-5", "azure/mine"):
        assert litellm.model_cost["anthropic/claude-sonnet-4-5"]["max_output_tokens"] == 64000
        assert litellm.get_model_info("azure/mine")["input_cost_per_token"] > 0
    with pytest.raises(ZeroDivisionError), rates.registered("openai/gpt-4o"):
        _ = 1 / 0

    assert before == litellm.model_cost
    with pytest.raises(KeyError, match="not registered"):
        rates.of("mine")


def test_names_that_say_too_little() -> None:
    """A name that two providers have is refused, and so is one that has its rates already."""
    with rates.registered("openai/same", "groq/same"):
        with pytest.raises(KeyError, match="groq/same"):
            rates.of("same")
        with pytest.raises(ValueError, match="already"), rates.registered("groq/same"):
            pass
        assert rates.of("groq/same") != rates.of("openai/same")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("wire", "model"), [("openai", "openai/gpt-4o-mini"), ("anthropic", "anthropic/claude-sonnet-4-5")]
)
async def test_litespan_charges_them_exactly(wire: str, model: str, *, stream: bool) -> None:
    """What litespan says a call cost is the provider's bill to the last digit."""
    with all_wires_provider() as provider, rates.registered(model), Capture() as capture:
        provider.default = Reply(text="hi", usage=USAGE)
        await _call(provider, wire, model, stream=stream)

        [served] = provider.served
        expected = rates.cost(served.model, served.usage_delivered)

    assert Decimal(capture.total("litespan.cost")) == expected > 0
    assert [expected] == [Decimal(cost) for cost in _costs_on_spans(capture)]


def _costs_on_spans(capture: Capture) -> list[float]:
    return [float(str((span.attributes or {})["gen_ai.usage.cost.amount"])) for span in capture.named("chat")]


async def _call(provider: Provider, wire: str, model: str, *, stream: bool) -> None:
    answer = await litellm.acompletion(
        model=model,
        api_base=provider.url(wire),
        api_key="k",
        messages=[{"role": "user", "content": "hi"}],
        stream=stream,
    )
    if stream:
        async for _ in answer:
            pass
