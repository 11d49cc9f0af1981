"""Cost of a model call: which price applies, the arithmetic per token class, and what stays unknown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litespan import guard
from litespan.charging import charge
from litespan.price_table import Price, given_price, number, table_price
from litespan.pricing import PriceBook
from litespan.records import Cost, ModelCall, Usage
from litespan.settings import Settings, load_settings

MILLION = 1_000_000
TABLE: dict[str, dict[str, Any]] = {
    "gpt-4o": {
        "litellm_provider": "openai",
        "input_cost_per_token": 2.5e-6,
        "output_cost_per_token": 1e-5,
        "cache_read_input_token_cost": 1.25e-6,
        "input_cost_per_token_priority": 4.25e-6,
        "output_cost_per_token_priority": 1.7e-5,
    },
    "gpt-4o-2024-08-06": {
        "litellm_provider": "openai",
        "input_cost_per_token": 2.5e-6,
        "output_cost_per_token": 1e-5,
    },
    "azure/gpt-4o": {
        "litellm_provider": "azure",
        "input_cost_per_token": 3e-6,
        "output_cost_per_token": 1.2e-5,
    },
    "claude-x": {
        "litellm_provider": "anthropic",
        "input_cost_per_token": 3e-6,
        "output_cost_per_token": 1.5e-5,
        "cache_read_input_token_cost": 3e-7,
        "cache_creation_input_token_cost": 3.75e-6,
        "input_cost_per_token_above_200k_tokens": 6e-6,
        "output_cost_per_token_above_200k_tokens": 2.25e-5,
        "cache_read_input_token_cost_above_200k_tokens": 6e-7,
    },
    "gemini-x": {
        "litellm_provider": "vertex_ai-language-models",
        "input_cost_per_token": 1e-6,
        "output_cost_per_token": 4e-6,
        "output_cost_per_reasoning_token": 6e-6,
        "input_cost_per_audio_token": 5e-6,
    },
    "dashscope/qwen": {
        "litellm_provider": "dashscope",
        "tiered_pricing": [
            {"range": [0, 1000], "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6},
            {"range": [1000, 9000], "input_cost_per_token": 3e-6, "output_cost_per_token": 6e-6},
        ],
    },
    "ft:gpt-4o": {"litellm_provider": "openai", "input_cost_per_token": 3e-6, "output_cost_per_token": 9e-6},
}


def price_book(table: Mapping[str, Mapping[str, Any]] = TABLE, **settings: object) -> PriceBook:
    """Build a price book over a small table."""
    return PriceBook(load_settings({}, **settings), table.get, "test table")


def call(model: str = "gpt-4o", provider: str | None = "openai", **fields: Any) -> ModelCall:
    """Build a call of a million input and a million output tokens."""
    fields.setdefault("usage", Usage(MILLION, MILLION))
    return ModelCall(model=model, litellm_provider=provider, **fields)


def amount(cost: Cost | None) -> float | None:
    """Return the amount without the last digits of its arithmetic."""
    return None if cost is None else round(cost.amount, 9)


def classes(cost: Cost | None) -> dict[str, float]:
    """Return the cost by class without the last digits of its arithmetic."""
    assert cost is not None
    return {name: round(part, 9) for name, part in cost.by_class.items()}


class TestWhichPriceApplies:
    """The first source of a price that applies wins."""

    def test_table(self) -> None:
        """Without anything better the table prices the call."""
        cost = price_book().cost(call())

        assert cost is not None
        assert (amount(cost), cost.source, cost.currency) == (12.5, "local", "USD")

    def test_cache_hit_is_free(self) -> None:
        """An answer from LiteLLM's own cache costs nothing, whatever usage and prices say."""
        cost = price_book().cost(call(cache_hit=True, provider_cost=3.0, price={"input": 1.0, "output": 1.0}))

        assert cost == Cost(0.0, "local")

    def test_price_on_the_model_comes_first(self) -> None:
        """A price given on the model goes before settings, hook and provider."""
        prices = price_book(
            prices={"gpt-4o": {"input": 7, "output": 7}}, price_hook=lambda *_: {"input": 8, "output": 8}
        )

        assert amount(prices.cost(call(price={"input": 1.0, "output": 2.0}, provider_cost=9.0))) == 3

    def test_settings_by_full_name_then_bare_name(self) -> None:
        """A price for "provider/model" goes before one for the model, and neither leaks to other models."""
        prices = price_book(
            prices={"openai/gpt-4o": {"input": 1, "output": 1}, "gpt-4o": {"input": 2, "output": 2}}
        )

        assert amount(prices.cost(call(provider_cost=9.0))) == 2
        assert amount(prices.cost(call(provider="azure"))) == 4
        assert amount(prices.cost(call(provider=None))) == 4
        assert amount(prices.cost(call("claude-x", "anthropic", provider_cost=9.0))) == 9

    def test_hook_gets_model_and_provider(self) -> None:
        """The hook is asked with the bare name and LiteLLM's provider; None means it knows no price."""
        asked: list[tuple[str, str | None]] = []

        def hook(model: str, provider: str | None) -> dict[str, float] | None:
            asked.append((model, provider))
            return {"input": 1, "output": 1} if model == "mine" else None

        prices = price_book(price_hook=hook)

        assert amount(prices.cost(call("mine", provider_cost=9.0))) == 2
        assert amount(prices.cost(call(provider_cost=9.0))) == 9
        assert asked == [("mine", "openai"), ("gpt-4o", "openai")]

    @pytest.mark.internal_errors_expected
    @pytest.mark.parametrize(
        "answer", [KeyError("gpt-4o"), {"input": -1, "output": 1}, {"input": 1}, "cheap"]
    )
    def test_hook_that_fails_is_reported_and_passed_over(self, answer: object) -> None:
        """A hook that raises, or answers with no price, is counted and the next source is used."""

        def hook(model: str, provider: str | None) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

        assert amount(price_book(price_hook=hook).cost(call())) == 12.5
        assert guard.internal_errors() == {"price_hook": 1}

    def test_the_providers_own_figure(self) -> None:
        """The provider's figure goes before the table and stays in one piece."""
        cost = price_book().cost(call(provider_cost=0.25))

        assert cost == Cost(0.25, "provider", by_class={"unsplit": 0.25})

    def test_the_providers_figure_needs_no_usage(self) -> None:
        """A cost that the provider reported is known even where its tokens are not."""
        assert amount(price_book().cost(call(provider_cost=0.25, usage=None))) == 0.25

    @pytest.mark.parametrize("figure", [0, 0.0, -1.0, math.nan, math.inf])
    def test_a_senseless_figure_is_no_figure(self, figure: float) -> None:
        """Zero (a proxy that does not know yet), negative and infinite figures are unknown."""
        assert amount(price_book().cost(call(provider_cost=figure))) == 12.5
        assert price_book().cost(call("unlisted", provider_cost=figure)) is None

    def test_a_given_price_of_zero_is_a_price(self) -> None:
        """A user who says that a model is free gets a cost of 0, not an unknown one."""
        cost = price_book(prices={"mine": {"input": 0, "output": 0}}).cost(call("mine"))

        assert amount(cost) == 0

    def test_origin(self) -> None:
        """The book tells which table it prices from."""
        assert price_book().origin == "test table"


class TestLookUp:
    """A model gets its own provider's price or none."""

    @pytest.mark.parametrize(
        ("model", "provider", "expected"),
        [
            ("gpt-4o", "openai", 12.5),
            ("gpt-4o", None, 12.5),
            ("gpt-4o", "text-completion-openai", 12.5),
            ("gpt-4o", "azure", 15.0),
            ("gpt-4o", "azure_text", 15.0),
            ("gemini-x", "vertex_ai", 5.0),
            ("gemini-x", "vertex_ai_beta", 5.0),
            ("ft:gpt-4o:my-org:name:id", "openai", 12.0),
            ("gpt-4o", "custom_openai", None),
            ("gpt-4o", "litellm_proxy", None),
            ("gpt-4o", "hosted_vllm", None),
            ("gpt-4o", "azure_ai", None),
            ("gpt-4o-2024-08-06", "azure", None),
            ("azure/gpt-4o", "openai", None),
            ("claude-x", "bedrock", None),
            ("my-model", "openai", None),
            ("", "openai", None),
            (None, "openai", None),
        ],
    )
    def test_only_the_same_provider(
        self, model: str | None, provider: str | None, expected: float | None
    ) -> None:
        """A name that another provider lists has no price here."""
        usage = Usage(MILLION, MILLION)

        cost = price_book().cost(ModelCall(model=model, litellm_provider=provider, usage=usage))

        assert amount(cost) == expected

    @pytest.mark.parametrize(
        ("requested", "answered", "known"),
        [
            ("claude-y", "claude-y-20260101", True),
            ("claude-y-latest", "claude-y-20260101", True),
            ("claude-y", "anthropic/claude-y-20260101", True),
            ("my-alias", "claude-y-20260101", False),
            ("claude", "claude-y-20260101", False),
            ("claude-y", "claude-y-mini", False),
            ("claude-y", "claude-y-20260101-mini", False),
        ],
    )
    def test_answered_by_a_dated_version(self, requested: str, answered: str, *, known: bool) -> None:
        """The response model prices a call only as a dated version of the requested name."""
        entry = {"litellm_provider": "anthropic", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}
        table = {"claude-y-20260101": entry, "claude-y-mini": entry, "claude-y-20260101-mini": entry}

        cost = price_book(table).cost(call(requested, "anthropic", response_model=answered))

        assert amount(cost) == (2 if known else None)

    @pytest.mark.parametrize(
        ("host", "expected"),
        [
            ("bedrock-runtime.us-gov-west-1.amazonaws.com", 4),
            ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", 4),
            ("bedrock-runtime.us-east-1.amazonaws.com", 2),
            ("bedrock.example.com", 2),
            ("127.0.0.1", 2),
            (None, 2),
        ],
    )
    def test_regions_of_bedrock(self, host: str | None, expected: float) -> None:
        """A region that has its own entry is priced by it, and the host tells the region."""
        entry = {"litellm_provider": "bedrock", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}
        dear = {**entry, "input_cost_per_token": 3e-6}
        prices = price_book({"nova": entry, "bedrock/us-gov-west-1/nova": dear})
        assert amount(prices.cost(call("nova", "bedrock"))) == 2

        assert amount(prices.cost(call("nova", "bedrock", server_address=host))) == expected

    @pytest.mark.parametrize(
        ("requested", "answered", "expected"),
        [
            ("m", "m", 2),
            ("m", "m-2026-01-01", 10),
            ("m-latest", "m-2026-01-01", 10),
            ("m", "openai/m-2026-01-01", 10),
            ("m", "other", None),
            ("m", "same", 2),
            ("m", "unheard-of", 2),
        ],
    )
    def test_answered_by_something_dearer(
        self, requested: str, answered: str, expected: float | None
    ) -> None:
        """A listed version has its own price; a listed stranger at another price leaves the call without."""
        cheap = {"litellm_provider": "openai", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}
        dear = {"litellm_provider": "openai", "input_cost_per_token": 5e-6, "output_cost_per_token": 5e-6}
        table = {"m": cheap, "same": cheap, "m-2026-01-01": dear, "other": dear}

        assert amount(price_book(table).cost(call(requested, response_model=answered))) == expected

    def test_an_alias_is_not_priced_as_what_it_answers(self) -> None:
        """A private model that answers as gpt-4o stays without a price."""
        assert price_book().cost(call("my-model", response_model="gpt-4o")) is None

    def test_prices_that_the_program_registers_later(self) -> None:
        """Prices that the program adds to LiteLLM's table, or changes in it, count from the next call on."""
        table = {"mine": {"litellm_provider": "openai", "input_cost_per_token": 1e-6}}
        prices = price_book(table)
        assert prices.cost(call("mine")) is None

        table["mine"]["output_cost_per_token"] = 1e-6
        assert amount(prices.cost(call("mine"))) == 2

        table["mine"]["input_cost_per_token"] = 5e-6
        assert amount(prices.cost(call("mine"))) == 6

    def test_what_is_remembered_is_bounded(self) -> None:
        """Endless model names do not fill the memory."""
        entry = {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}
        prices = PriceBook(Settings(), lambda _: entry, "endless")

        for index in range(3000):
            prices.cost(call(f"model-{index}"))

        assert len(prices._parsed) <= 1024


class TestArithmetic:
    """Disjoint classes whose sum is the amount."""

    def test_cached_and_reasoning_tokens(self) -> None:
        """Each token is charged once, in its own class."""
        usage = Usage(1000, 500, cache_read_tokens=400, cache_write_tokens=100, reasoning_tokens=200)

        cost = price_book().cost(call("claude-x", "anthropic", usage=usage))

        assert classes(cost) == {
            "input": 0.0015,
            "cache_read": 0.00012,
            "cache_write": 0.000375,
            "output": 0.0045,
            "reasoning": 0.003,
        }
        assert amount(cost) == 0.009495

    def test_cache_savings(self) -> None:
        """Savings are the full input price of the cached tokens minus what they cost, surcharge included."""
        read = Usage(1000, 0, cache_read_tokens=1000)
        write = Usage(1000, 0, cache_write_tokens=1000)
        prices = price_book()

        saved = prices.cost(call("claude-x", "anthropic", usage=read))
        paid = prices.cost(call("claude-x", "anthropic", usage=write))
        plain = prices.cost(call("claude-x", "anthropic", usage=Usage(1000, 0)))

        assert saved is not None
        assert paid is not None
        assert plain is not None
        assert saved.cache_savings == pytest.approx(0.0027)
        assert paid.cache_savings == pytest.approx(-0.00075)
        assert plain.cache_savings is None

    def test_one_hour_writes(self) -> None:
        """One-hour writes cost twice the input price on Claude where the table has no price for them."""
        usage = Usage(1000, 0, cache_write_tokens=1000, cache_write_1h_tokens=400)

        cost = price_book().cost(call("claude-x", "anthropic", usage=usage))

        assert classes(cost) == {"cache_write": round(600 * 3.75e-6 + 400 * 6e-6, 9)}

    def test_one_hour_writes_at_the_tables_price(self) -> None:
        """A price for one-hour writes in the table is used as it is."""
        table = {"claude-x": TABLE["claude-x"] | {"cache_creation_input_token_cost_above_1hr": 7e-6}}
        usage = Usage(1000, 0, cache_write_1h_tokens=1000)

        assert amount(price_book(table).cost(call("claude-x", "anthropic", usage=usage))) == 0.007

    @pytest.mark.parametrize("field", ["cache_write_tokens", "cache_write_1h_tokens"])
    def test_a_missing_surcharge_is_unknown(self, field: str) -> None:
        """Cache writes without a price in the table leave the call without one."""
        usage = Usage(1000, 0)
        setattr(usage, field, 10)

        assert price_book().cost(call(usage=usage)) is None

    def test_a_missing_discount_is_no_discount(self) -> None:
        """Cache reads without a price in the table cost the input price."""
        usage = Usage(1000, 0, cache_read_tokens=1000)

        cost = price_book().cost(call(provider="azure", usage=usage))

        assert classes(cost) == {"cache_read": 0.003}
        assert cost is not None
        assert cost.cache_savings == pytest.approx(0)

    @pytest.mark.parametrize(("input_tokens", "expected"), [(200_000, 0.6), (200_001, 1.200006)])
    def test_long_inputs(self, input_tokens: int, expected: float) -> None:
        """Above the size in the table all tokens of the call have the higher price."""
        cost = price_book().cost(call("claude-x", "anthropic", usage=Usage(input_tokens, 0)))

        assert amount(cost) == expected

    def test_long_inputs_with_cache(self) -> None:
        """Cached tokens follow the size of the input: table price for reads, Claude's ratios for writes."""
        usage = Usage(300_000, 1000, cache_read_tokens=100_000, cache_write_tokens=100_000)

        cost = price_book().cost(call("claude-x", "anthropic", usage=usage))

        assert classes(cost) == {"input": 0.6, "cache_read": 0.06, "cache_write": 0.75, "output": 0.0225}

    @pytest.mark.parametrize(("input_tokens", "expected"), [(1000, 0.003), (1001, 0.009003), (99_000, 0.303)])
    def test_tiered_pricing(self, input_tokens: int, expected: float) -> None:
        """The table's other spelling of prices by size is understood, and its last step is open."""
        cost = price_book().cost(call("qwen", "dashscope", usage=Usage(input_tokens, 1000)))

        assert amount(cost) == expected

    def test_unknown_input_has_no_tier(self) -> None:
        """Where the price depends on the input and the input is unknown, so is the cost."""
        usage = Usage(output_tokens=10, complete=False)

        assert price_book().cost(call("qwen", "dashscope", usage=usage)) is None
        assert amount(price_book().cost(call(usage=usage))) == 0.0001

    @pytest.mark.parametrize(
        ("model", "tier", "expected"),
        [
            ("gpt-4o", "priority", 21.25),
            ("gpt-4o", "Priority", 21.25),
            ("gpt-4o", "flex", None),
            ("gpt-4o", "scale", None),
            ("gpt-4o", "batch", None),
            ("gpt-4o", "default", 12.5),
            ("gpt-4o", "standard", 12.5),
            ("gpt-4o-2024-08-06", "priority", None),
        ],
    )
    def test_service_tiers(self, model: str, tier: str, expected: float | None) -> None:
        """A tier has its own price; one that is not listed is unknown."""
        assert amount(price_book().cost(call(model, service_tier=tier))) == expected

    @pytest.mark.parametrize(
        ("asked", "answered", "expected"),
        [("priority", None, 21.25), ("priority", "default", 12.5), ("auto", None, 12.5), (7, None, 12.5)],
    )
    def test_the_tier_that_answered_counts(
        self, asked: object, answered: str | None, expected: float
    ) -> None:
        """The provider's word on the tier goes before the request's, which counts where there is no other."""
        cost = price_book().cost(call(parameters={"service_tier": asked}, service_tier=answered))

        assert amount(cost) == expected

    def test_what_is_remembered_is_of_the_same_tier(self) -> None:
        """A call that asks for a tier and one that does not are told apart, one after the other."""
        book = price_book()
        asked = [{"service_tier": "priority"}, {}, {"service_tier": "priority"}]

        assert [amount(book.cost(call(parameters=parameters))) for parameters in asked] == [
            21.25,
            12.5,
            21.25,
        ]

    @pytest.mark.parametrize("field", ["cache_read_tokens", "audio_input_tokens", "reasoning_tokens"])
    @pytest.mark.parametrize(("input_tokens", "tier"), [(300_000, None), (1000, "priority")])
    def test_parts_whose_price_is_listed_elsewhere(
        self, field: str, input_tokens: int, tier: str | None
    ) -> None:
        """A part with a price of its own for short inputs has none for long ones or tiers that list none."""
        entry = {
            "litellm_provider": "openai",
            "cache_read_input_token_cost": 1e-7,
            "input_cost_per_audio_token": 9e-6,
            "output_cost_per_reasoning_token": 7e-6,
        }
        for suffix, factor in {"": 1, "_above_200k_tokens": 2, "_priority": 3}.items():
            entry |= {f"input_cost_per_token{suffix}": 1e-6 * factor}
            entry |= {f"output_cost_per_token{suffix}": 2e-6 * factor}
        prices, usage = price_book({"m": entry}), Usage(input_tokens, 100)
        assert prices.cost(call("m", usage=usage, service_tier=tier)) is not None

        setattr(usage, field, 50)

        assert prices.cost(call("m", usage=usage, service_tier=tier)) is None

    def test_a_discount_by_deepseeks_other_name(self) -> None:
        """Entries that list the price of cached input under another key have that discount."""
        table = {"m": TABLE["azure/gpt-4o"] | {"input_cost_per_token_cache_hit": 1e-7}}
        usage = Usage(1000, 0, cache_read_tokens=1000)

        assert amount(price_book(table).cost(call("m", "azure", usage=usage))) == 0.0001

    def test_cached_audio_is_not_guessed(self) -> None:
        """Nobody says how much of the audio came from the cache, so beside cached tokens it has no price."""
        usage = Usage(1000, 0, cache_read_tokens=400, audio_input_tokens=400)

        assert price_book().cost(call("gemini-x", "vertex_ai", usage=usage)) is None

    def test_audio(self) -> None:
        """Audio tokens cost their own price and are part of their side."""
        cost = price_book().cost(call("gemini-x", "vertex_ai", usage=Usage(1000, 0, audio_input_tokens=400)))

        assert classes(cost) == {"input": round(600e-6 + 2000e-6, 9)}

    @pytest.mark.parametrize("field", ["audio_input_tokens", "audio_output_tokens"])
    def test_audio_without_a_price(self, field: str) -> None:
        """Audio tokens are not priced as text."""
        usage = Usage(1000, 1000)
        setattr(usage, field, 1)

        assert price_book().cost(call(usage=usage)) is None

    def test_images_cost_as_text_unless_listed(self) -> None:
        """Image tokens cost their own price if the table has one, else the input price."""
        table = {"a": TABLE["gpt-4o"], "b": TABLE["gpt-4o"] | {"input_cost_per_image_token": 1e-5}}
        usage = Usage(1000, 0, image_input_tokens=500)
        prices = price_book(table)

        assert amount(prices.cost(call("a", usage=usage))) == 0.0025
        assert amount(prices.cost(call("b", usage=usage))) == 0.00625

    def test_reasoning_has_its_own_price(self) -> None:
        """Reasoning costs its own price where the table has one."""
        cost = price_book().cost(call("gemini-x", "vertex_ai", usage=Usage(0, 1000, reasoning_tokens=400)))

        assert classes(cost) == {"output": 0.0024, "reasoning": 0.0024}

    def test_a_given_price_covers_all_tokens(self) -> None:
        """Classes that a given price does not name cost what the class around them costs."""
        usage = Usage(MILLION, MILLION, 100_000, 200_000, 50_000, 300_000, 10_000, 10_000, 10_000)

        cost = charge(given_price({"input": 1.0, "output": 2.0}), usage)

        assert amount(cost) == 3
        assert cost is not None
        assert cost.cache_savings == pytest.approx(0)

    def test_all_classes_of_a_given_price(self) -> None:
        """A given price may name each class, in USD per million tokens."""
        price = {
            "input": 1,
            "cache_read": 2,
            "cache_write": 3,
            "cache_write_1h": 4,
            "output": 5,
            "reasoning": 6,
        }
        usage = Usage(4 * MILLION, 2 * MILLION, MILLION, 2 * MILLION, MILLION, MILLION)

        cost = charge(given_price(price), usage)

        assert classes(cost) == {"input": 1, "cache_read": 2, "cache_write": 7, "output": 5, "reasoning": 6}


class TestUnknown:
    """Unknown is None, never 0."""

    @pytest.mark.parametrize(
        "usage",
        [
            None,
            Usage(),
            Usage(complete=False),
            Usage(10, 10, cache_read_tokens=11),
            Usage(10, 10, cache_read_tokens=6, cache_write_tokens=6),
            Usage(10, 10, reasoning_tokens=11),
            Usage(-1, 10),
            Usage(10, 10, cache_read_tokens=-5),
            Usage(10**400, 10),
            Usage(10, 10**400),
            Usage(10, -1),
        ],
    )
    def test_no_usage_or_a_senseless_one(self, usage: Usage | None) -> None:
        """Without usage, or with one that contradicts itself, there is no cost."""
        assert price_book().cost(call("claude-x", "anthropic", usage=usage)) is None

    def test_half_a_usage(self) -> None:
        """What was reported is priced when the call stopped before the rest."""
        assert classes(price_book().cost(call(usage=Usage(1000, complete=False)))) == {"input": 0.0025}

    @pytest.mark.parametrize(
        "entry",
        [
            {},
            {"input_cost_per_token": 1e-6},
            {"output_cost_per_token": 1e-6},
            {"input_cost_per_token": None, "output_cost_per_token": 1e-6},
            {"input_cost_per_token": "free", "output_cost_per_token": 1e-6},
            {"input_cost_per_token": math.nan, "output_cost_per_token": 1e-6},
            {"input_cost_per_token": -1e-6, "output_cost_per_token": 1e-6},
            {"input_cost_per_token": 0, "output_cost_per_token": 0},
            {"input_cost_per_token": 1e-6, "output_cost_per_token": 0},
            {"input_cost_per_token": 0, "output_cost_per_token": 1e-6},
            {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6, "input_cost_per_request": 0.005},
            {"tiered_pricing": "by size"},
            {"tiered_pricing": [{"range": []}, None, {"range": ["a"]}]},
        ],
    )
    def test_entries_that_do_not_price_tokens(self, entry: dict[str, Any]) -> None:
        """An entry without both prices, or with a placeholder of 0 in it, prices nothing."""
        assert price_book({"mine": entry}).cost(call("mine")) is None

    def test_prices_written_as_text(self) -> None:
        """Prices that reached the table as text count."""
        entry = {"input_cost_per_token": "1e-6", "output_cost_per_token": "2e-6"}

        assert amount(price_book({"mine": entry}).cost(call("mine"))) == 3

    @pytest.mark.parametrize(
        ("model", "provider", "free"),
        [
            ("llama3", "ollama", True),
            ("llama3", "ollama_chat", True),
            ("gpt-oss:120b-cloud", "ollama", False),
        ],
    )
    def test_models_on_the_users_machine_are_free(self, model: str, provider: str, *, free: bool) -> None:
        """A price of 0 is believed only where the model runs on the user's own machine."""
        entry = {"litellm_provider": "ollama", "input_cost_per_token": 0.0, "output_cost_per_token": 0.0}

        cost = price_book({f"ollama/{model}": entry}).cost(call(model, provider))

        assert amount(cost) == (0 if free else None)

    @pytest.mark.parametrize(
        ("model", "provider", "known"),
        [("sonar", "perplexity", False), ("x-search-preview", "openai", False), ("gpt-x", "openai", True)],
    )
    def test_models_that_always_search(self, model: str, provider: str, *, known: bool) -> None:
        """Models whose bill is mostly a fee per search are not priced by their tokens."""
        entry = {
            "litellm_provider": provider,
            "input_cost_per_token": 1e-6,
            "output_cost_per_token": 1e-6,
            "search_context_cost_per_query": {"search_context_size_low": 0.03},
        }

        assert (price_book({model: entry}).cost(call(model, provider)) is not None) is known

    def test_embeddings_have_no_output(self) -> None:
        """A model without a price for output is priced as long as there is none."""
        entry = {"litellm_provider": "openai", "input_cost_per_token": 1e-7, "output_cost_per_token": 0.0}
        prices = price_book({"embed": entry})

        assert amount(prices.cost(call("embed", usage=Usage(1000)))) == 0.0001
        assert amount(prices.cost(call("embed", usage=Usage(1000, 0)))) == 0.0001
        assert prices.cost(call("embed", usage=Usage(1000, 1))) is None


tokens = st.none() | st.integers(-5, 10**7)
usages = st.builds(Usage, *[tokens] * 9)
keys = st.sampled_from(
    [
        base + bracket + tier
        for base in (
            "input_cost_per_token",
            "output_cost_per_token",
            "cache_read_input_token_cost",
            "cache_creation_input_token_cost",
            "cache_creation_input_token_cost_above_1hr",
            "output_cost_per_reasoning_token",
            "input_cost_per_audio_token",
            "output_cost_per_audio_token",
        )
        for bracket in ("", "_above_128k_tokens", "_above_1000_tokens", "_above_k_tokens")
        for tier in ("", "_priority", "_flex")
    ]
)
rates = (
    st.floats()
    | st.floats(0, 1e-4)
    | st.none()
    | st.text()
    | st.integers()
    | st.lists(st.integers())
    | st.sampled_from(["3e-7", 10**400])
)
entries = st.fixed_dictionaries(
    {"input_cost_per_token": st.floats(1e-9, 1e-4), "output_cost_per_token": st.floats(1e-9, 1e-4)}
).flatmap(lambda base: st.dictionaries(keys, rates).map(lambda extra: base | extra))


@given(
    entry=entries,
    usage=usages,
    model=st.sampled_from(["claude-x", "m"]),
    tier=st.sampled_from([None, "flex", "priority", ""]),
)
def test_a_cost_is_never_negative_and_its_parts_sum_up(
    entry: dict[str, Any], usage: Usage, model: str, tier: str | None
) -> None:
    """Whatever table and usage say: no exception, nothing negative or infinite, classes that sum up."""
    cost = price_book({model: entry}).cost(call(model, usage=usage, service_tier=tier))

    if cost is not None:
        assert 0 <= cost.amount < math.inf
        assert cost.amount == pytest.approx(math.fsum(cost.by_class.values()))
        assert all(part >= 0 for part in cost.by_class.values())
        assert set(cost.by_class) <= {"input", "cache_read", "cache_write", "output", "reasoning"}


@given(usage=usages, price=st.dictionaries(st.sampled_from(["input", "output", "cache_read"]), rates))
def test_any_given_price(usage: Usage, price: dict[str, Any]) -> None:
    """A price on the model that is not what it should be gives no cost rather than an exception."""
    cost = charge(given_price(price), usage)

    assert cost is None or cost.amount >= 0


@given(st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.binary())
def test_any_number(value: object) -> None:
    """A price is a finite number, 0 or more, or it is None."""
    parsed = number(value)

    assert parsed is None or 0 <= parsed < math.inf


def test_no_price_without_rates() -> None:
    """A price without rates answers None at any size of input."""
    assert Price(None).rates(10) is None
    assert table_price("m", {}, None) is None


def test_an_entry_that_a_router_filled_up_keeps_its_price() -> None:
    """Keys without a value, which a Router adds to its models' entries, say nothing about the price."""
    filled = {
        **TABLE["gpt-4o"],
        "input_cost_per_token_above_200k_tokens": None,
        "output_cost_per_token_above_128k_tokens": None,
        "cache_creation_input_token_cost_above_200k_tokens": None,
        "tiered_pricing": None,
    }

    assert table_price("gpt-4o", filled, None) == table_price("gpt-4o", TABLE["gpt-4o"], None)


class TestLiteLLMsTable:
    """The real table of the installed LiteLLM."""

    @pytest.fixture(scope="class")
    def chat_models(self) -> dict[str, dict[str, Any]]:
        """Return the table's models that answer in tokens."""
        import litellm

        return {
            key: entry
            for key, entry in litellm.model_cost.items()
            if entry.get("mode") in ("chat", "completion", "responses")
        }

    @staticmethod
    def called(key: str, entry: Mapping[str, Any], usage: Usage) -> ModelCall:
        """Build the call that this entry prices."""
        owner = str(entry["litellm_provider"]).partition("-")[0]
        prefix, _, rest = key.partition("/")
        return ModelCall(model=rest if rest and prefix == owner else key, litellm_provider=owner, usage=usage)

    def test_every_entry_can_be_priced_or_is_unknown(self, chat_models: dict[str, dict[str, Any]]) -> None:
        """No entry raises, and nearly all that list both prices are priced."""
        book = price_book(chat_models)
        usage = Usage(1000, 200, cache_read_tokens=100, reasoning_tokens=50)
        listed = {
            key: entry
            for key, entry in chat_models.items()
            if entry.get("input_cost_per_token") and entry.get("output_cost_per_token")
        }
        unpriced = [key for key, entry in listed.items() if not book.cost(self.called(key, entry, usage))]

        assert len(chat_models) > 1000
        assert len(unpriced) < 0.02 * len(listed)

    @pytest.mark.parametrize(
        ("provider", "model"),
        [
            ("openai", "gpt-4o"),
            ("openai", "gpt-4.1-mini"),
            ("azure", "gpt-4o"),
            ("anthropic", "claude-sonnet-4-5"),
            ("gemini", "gemini-2.5-pro"),
            ("vertex_ai", "gemini-2.5-flash"),
            ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
            ("deepseek", "deepseek-chat"),
            ("groq", "openai/gpt-oss-120b"),
        ],
    )
    @pytest.mark.parametrize("input_tokens", [1000, 250_000])
    def test_agrees_with_litellm(
        self, chat_models: dict[str, dict[str, Any]], provider: str, model: str, input_tokens: int
    ) -> None:
        """Plain and cached calls cost what LiteLLM's own arithmetic says."""
        import litellm
        from litellm.types.utils import Usage as HostUsage

        cached = 400 if chat_models.get(model, {}).get("cache_read_input_token_cost") else 0
        host_usage = HostUsage(
            prompt_tokens=input_tokens,
            completion_tokens=200,
            total_tokens=input_tokens + 200,
            prompt_tokens_details={"cached_tokens": cached},
        )
        expected = litellm.cost_per_token(model=model, custom_llm_provider=provider, usage_object=host_usage)

        cost = price_book(chat_models).cost(
            call(model, provider, usage=Usage(input_tokens, 200, cache_read_tokens=cached))
        )

        assert cost is not None
        assert cost.amount == pytest.approx(sum(expected))

    def test_one_hour_writes_are_not_free(self, chat_models: dict[str, dict[str, Any]]) -> None:
        """One-hour cache writes cost twice the input price where LiteLLM's arithmetic makes them free."""
        usage = Usage(1000, 0, cache_write_tokens=1000, cache_write_1h_tokens=1000)

        cost = price_book(chat_models).cost(call("claude-sonnet-4-5", "anthropic", usage=usage))

        assert amount(cost) == round(1000 * 2 * chat_models["claude-sonnet-4-5"]["input_cost_per_token"], 9)
