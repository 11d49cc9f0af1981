"""Ten providers whose chat completions are nearly OpenAI's.

Followed are the pages on chat completions of each provider's API reference, as far as they speak of `usage`:

- Groq ("Create chat completion"): OpenAI's details, times beside them; a stream has its usage in `x_groq` of
  the last choice, and in a chunk of its own for who asks.
- Mistral ("Chat completion"): the usage comes with the finish reason, unasked; cached tokens are told.
- xAI ("Chat completions", "Cost tracking", "Streaming"): `completion_tokens` are without the reasoning, the
  total is with it; every chunk has the usage so far; `cost_in_usd_ticks` is the bill.
- Together ("Create chat completion"): `cached_tokens` stands beside the counts.
- vLLM ("OpenAI-compatible server"): usage of a stream only for who asks; no count of reasoning.
- Fireworks, Cerebras ("Create chat completion"): the usage comes with the finish reason, unasked.
- DeepInfra ("OpenAI chat completions"): `estimated_cost` in USD.
- Moonshot ("Chat completion"): `cached_tokens` beside the counts; a stream has its usage in the choice that
  finishes, and in a chunk of its own for who asks.
- Databricks ("Foundation model REST API reference"): the three counts.
"""

from __future__ import annotations

from dataclasses import replace

import litellm
import pytest

from litespan.testing import Reply
from tests.fakes.dialects import DIALECTS
from tests.fakes.openai_like import OpenAILikeWire
from tests.flow import figures
from tests.ledger.wires.agreement import assert_agree, call
from tests.ledger.wires.cases import ANSWER, Case, Scenario, assert_missing, every_scenario
from tests.versions import installed

MODELS = {
    "groq": "openai/gpt-oss-120b",
    "mistral": "mistral-large-latest",
    "xai": "grok-4",
    "together_ai": "openai/gpt-oss-120b",
    "hosted_vllm": "my-model",
    "fireworks_ai": "accounts/fireworks/models/kimi-k2-instruct",
    "cerebras": "gpt-oss-120b",
    "deepinfra": "deepseek-ai/DeepSeek-V3.1",
    "moonshot": "kimi-k2-thinking",
    "databricks": "databricks-claude-sonnet-4",
}
CONVENTIONAL = {"mistral": "mistral_ai", "xai": "x_ai", "moonshot": "moonshot_ai"}


def case_of(name: str) -> Case:
    """Return how to call one of the providers."""
    return Case(
        lambda: OpenAILikeWire(DIALECTS[name]), f"{name}/{MODELS[name]}", CONVENTIONAL.get(name, name)
    )


CASES = {name: case_of(name) for name in DIALECTS}
# LiteLLM does not ask for the usage of their streams, and 1.83 leaves it out where it comes unasked.
SILENT_STREAMS = ("databricks",)


@pytest.mark.parametrize("name", [name for name in CASES if name not in SILENT_STREAMS])
@every_scenario()
async def test_figures_are_the_providers(name: str, happens: Scenario) -> None:
    """Whatever happens to a call, its tokens and its cost are what the provider served."""
    await happens(CASES[name])


@every_scenario(
    "streamed",
    "streamed, usage asked",
    "tool, streamed",
    "429, then streamed",
    "cut before the usage",
    "no usage",  # LiteLLM fails: it cannot read such an answer
)
async def test_databricks(happens: Scenario) -> None:
    """The same holds for Databricks where LiteLLM passes its usage on."""
    await happens(CASES["databricks"])


@pytest.mark.parametrize("asks", [False, True])
async def test_usage_of_streams_of_databricks(*, asks: bool) -> None:
    """LiteLLM 1.83 drops the usage of its streams wherever it comes: it is missing, and nothing is invented.

    Newer versions pass it on where it comes unasked.
    """
    dialect = replace(DIALECTS["databricks"], places=frozenset({"finish"}))
    case = replace(CASES["databricks"], wire=lambda: OpenAILikeWire(dialect))
    with case.serving(ANSWER) as (provider, capture):
        options = {"stream_options": {"include_usage": True}} if asks else {}
        await call(**case.to(provider, stream=True, **options))

        assert provider.delivered().input_tokens
        if installed("litellm") < (1, 84):
            assert_missing(capture)
        else:
            assert_agree(provider, capture, "databricks")


@pytest.mark.parametrize("name", ["groq", "moonshot"])
async def test_usage_beside_the_usual_place_is_not_taken(name: str) -> None:
    """Who declines the usage of a stream has none, also where the provider tells it in a field of its own."""
    with CASES[name].serving(ANSWER) as (provider, capture):
        options = {"stream": True, "stream_options": {"include_usage": False}}
        await call(**CASES[name].to(provider, **options))

        assert_missing(capture)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["xai", "deepinfra"])
async def test_own_cost(name: str, *, stream: bool) -> None:
    """What the provider says that a call cost goes before the price table."""
    with CASES[name].serving(Reply.says("Hi", cost=0.125)) as (provider, capture):
        await call(**CASES[name].to(provider, stream=stream))

        [span] = capture.named("chat")
        attributes = span.attributes or {}
        cost = (attributes["gen_ai.usage.cost.amount"], attributes["gen_ai.usage.cost.source"])
        assert (0.125, "provider") == cost
        assert 0.125 == capture.total("litespan.cost")


async def test_reasoning_of_xai_is_part_of_the_output() -> None:
    """The output is what the model produced, thoughts included, though xAI counts them beside it."""
    with CASES["xai"].serving(ANSWER) as (provider, capture):
        await call(**CASES["xai"].to(provider))

        [span] = capture.named("chat")
        attributes = span.attributes or {}
        assert (90, 40) == (
            attributes["gen_ai.usage.output_tokens"],
            attributes["gen_ai.usage.reasoning.output_tokens"],
        )


async def test_model_is_named_as_the_provider_names_it() -> None:
    """The response's model has no name of the provider before it, which LiteLLM puts there."""
    with CASES["together_ai"].serving(ANSWER) as (provider, capture):
        await call(**CASES["together_ai"].to(provider))

        [span] = capture.named("chat")
        assert "openai/gpt-oss-120b" == (span.attributes or {})["gen_ai.response.model"]


def test_synchronous_calls() -> None:
    """Calls that do not wait in a loop have the same figures, streamed or not."""
    with CASES["xai"].serving(ANSWER, ANSWER) as (provider, capture):
        arguments = CASES["xai"].to(provider, messages=[{"role": "user", "content": "Hi"}])
        litellm.completion(**arguments)
        list(litellm.completion(**arguments, stream=True))

        assert_agree(provider, capture, "x_ai")


@pytest.mark.parametrize("name", ["hosted_vllm", "together_ai"])
async def test_server_that_refuses_the_usage_option(name: str) -> None:
    """Its stream is asked for once more without the option; the usage is what comes unasked, or missing."""
    with CASES[name].serving(ANSWER) as (provider, capture):
        provider.refuse_stream_options = 422
        await call(**CASES[name].to(provider, stream=True))

        [span] = capture.named("chat")
        assert [422, 200] == [served.status for served in provider.served]
        assert "ok" == (span.attributes or {})["litespan.outcome"]
        told = figures.of_provider(provider.delivered())
        assert (name == "together_ai") == (told.input > 0)
        assert told == figures.of_spans([span]) == figures.of_metrics(capture)
