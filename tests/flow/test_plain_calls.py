"""Plain LiteLLM without agents: every kind of call is a span and is counted; attempts and cost are true."""

from __future__ import annotations

from typing import Any

import litellm
import pytest

from litespan.semconv import TOKEN_CLASS
from litespan.testing import Capture, Provider, Reply, ServedUsage
from tests.fakes.litellm_calls import WIRES, chat, target
from tests.flow import figures

PRICED = {"input": 3.0, "output": 15.0}


def attributes(capture: Capture) -> dict[str, Any]:
    """Return the attributes of the only span."""
    (span,) = capture.spans
    return dict(span.attributes or {})


@pytest.mark.parametrize("wire", WIRES)
async def test_awaited_and_blocking_calls(provider: Provider, wire: str) -> None:
    """A chat call is one root span with the provider's answer on it, awaited or not."""
    with Capture() as capture:
        await litellm.acompletion(**chat(provider, wire, temperature=0.5, max_tokens=50))
        litellm.completion(**chat(provider, wire))

    first, second = (dict(span.attributes or {}) for span in capture.named("chat"))
    assert (0.5, 50, ("stop",)) == (
        first["gen_ai.request.temperature"],
        first["gen_ai.request.max_tokens"],
        first["gen_ai.response.finish_reasons"],
    )
    assert ("127.0.0.1", "reported") == (second["server.address"], second["litespan.usage.source"])
    assert figures.of_provider(provider.delivered()) == figures.of_metrics(capture)
    assert 2 == figures.calls(capture) == capture.count("gen_ai.client.operation.duration")


async def test_a_parameter_of_zero(provider: Provider) -> None:
    """Zero is an answer, also where no other parameter was given."""
    with Capture() as capture:
        await litellm.acompletion(**chat(provider, WIRES[0], temperature=0))

    assert 0 == attributes(capture)["gen_ai.request.temperature"]


async def test_embeddings(provider: Provider) -> None:
    """Embeddings are spans and metrics of their own operation, with the provider's tokens."""
    arguments: dict[str, Any] = {**target(provider), "input": ["a", "b"]}
    arguments["model"] = "openai/text-embedding-3-small"
    with Capture() as capture:
        await litellm.aembedding(**arguments)
        litellm.embedding(**arguments)

    assert 2 == len(capture.named("embeddings text-embedding-3-small"))
    assert provider.delivered().input_tokens == capture.total(
        "gen_ai.client.inference.usage.input_tokens", gen_ai__operation__name="embeddings"
    )
    assert 2 == figures.calls(capture, gen_ai__operation__name="embeddings")


async def test_text_completions(provider: Provider) -> None:
    """The same for text completions, which some providers still have an endpoint for."""
    native = {**target(provider), "model": "text-completion-openai/gpt-3.5-turbo-instruct", "prompt": "Once"}
    with Capture() as capture:
        await litellm.atext_completion(**target(provider), prompt="Once")
        litellm.text_completion(**native)

    assert ["chat", "text_completion"] == [served.operation for served in provider.served]
    assert 2 == len(capture.named("text_completion"))
    assert figures.of_provider(provider.delivered()) == figures.of_metrics(capture)


async def test_attempts_of_a_retried_call(provider: Provider) -> None:
    """429, 429, 200 is one call with three attempts, and the tokens of the one answer."""
    limited = Reply.fails(429, retry_after=0.001)
    provider.script("*", limited, limited)
    with Capture() as capture:
        await litellm.acompletion(**chat(provider))

    assert [429, 429, 200] == [served.status for served in provider.served]
    assert 3 == attributes(capture)["litespan.attempts"] == capture.total("litespan.call.attempts")
    assert 1 == figures.calls(capture, litespan__outcome="ok")
    assert 12 == capture.total("gen_ai.client.inference.usage.input_tokens")


async def test_attempts_of_a_call_that_failed(provider: Provider) -> None:
    """The last failure is the call's, with the number of attempts, also where no transport is seen."""
    provider.default = Reply.fails(429, code="rate_limit", retry_after=0.001)
    with Capture(transport_probe=False) as capture, pytest.raises(litellm.RateLimitError):
        await litellm.acompletion(**chat(provider))

    found = attributes(capture)
    assert (3, "error") == (found["litespan.attempts"], found["litespan.outcome"])
    assert 3 == len(provider.served)


async def test_attempts_are_not_guessed(provider: Provider) -> None:
    """Without the probe the number of attempts of an answered call is not known, and so not shown."""
    with Capture(transport_probe=False) as capture:
        await litellm.acompletion(**chat(provider))

    assert "litespan.attempts" not in attributes(capture)
    assert [] == capture.points("litespan.call.attempts")


async def test_usage_that_the_provider_does_not_send_is_missing(provider: Provider) -> None:
    """A provider without usage leaves it missing: not 0 on the span, one count with its reason."""
    provider.default = Reply.says("Hi", usage=None)
    with Capture(prices={"gpt-4o-mini": PRICED}) as capture:
        await litellm.acompletion(**chat(provider))

    found = attributes(capture)
    assert "missing" == found["litespan.usage.source"]
    assert not [name for name in found if name.startswith("gen_ai.usage.")]
    assert 1 == capture.total("litespan.calls.usage_missing", reason="not_reported")
    assert [] == capture.points("litespan.cost")
    assert [] == capture.points("litespan.calls.unpriced")


async def test_cost_by_a_price_of_the_settings(provider: Provider) -> None:
    """A configured price (USD per million tokens) goes before the price table."""
    provider.default = Reply.says("Hi", usage=ServedUsage(1000, 100))
    with Capture(prices={"gpt-4o-mini": PRICED}) as capture:
        await litellm.acompletion(**chat(provider))

    assert pytest.approx(0.0045) == attributes(capture)["gen_ai.usage.cost.amount"]
    assert pytest.approx(0.003) == capture.total("litespan.cost", **{TOKEN_CLASS: "input"})
    assert pytest.approx(0.0015) == capture.total("litespan.cost", **{TOKEN_CLASS: "output"})
    assert pytest.approx(0.0045) == capture.total("gen_ai.client.operation.cost")


async def test_cost_by_the_price_hook(provider: Provider) -> None:
    """The hook is asked with the model and LiteLLM's provider, and prices what no table knows."""
    asked: list[tuple[str, str | None]] = []

    def hook(model: str, provider_name: str | None) -> dict[str, float] | None:
        asked.append((model, provider_name))
        return PRICED

    provider.default = Reply.says("Hi", usage=ServedUsage(1000, 100))
    with Capture(price_hook=hook) as capture:
        await litellm.acompletion(**{**chat(provider), "model": "openai/ours"})

    assert ("ours", "openai") in asked
    assert pytest.approx(0.0045) == attributes(capture)["gen_ai.usage.cost.amount"]


async def test_a_model_without_a_price_is_unpriced(provider: Provider) -> None:
    """An unknown model has tokens, one count and no cost, also if it answers as one that has a price."""
    provider.default = Reply.says("Hi", model="gpt-4o-mini-2024-07-18")
    with Capture() as capture:
        await litellm.acompletion(**{**chat(provider), "model": "openai/our-own"})

    assert not [name for name in attributes(capture) if "cost" in name]
    assert [] == capture.points("litespan.cost")
    assert 1 == capture.total("litespan.calls.unpriced", gen_ai__request__model="our-own")
    assert 12 == capture.total("gen_ai.client.inference.usage.input_tokens")


async def test_the_gateways_own_figure(provider: Provider) -> None:
    """What a gateway says that a call cost is its cost."""
    provider.default = Reply.says("Hi", headers={"x-litellm-response-cost": "0.25"})
    with Capture() as capture:
        await litellm.acompletion(**chat(provider))

    found = attributes(capture)
    assert (0.25, "provider") == (found["gen_ai.usage.cost.amount"], found["gen_ai.usage.cost.source"])
    assert 0.25 == capture.total("litespan.cost", **{TOKEN_CLASS: "unsplit"})


async def test_nothing_goes_to_stdout(provider: Provider, capsys: pytest.CaptureFixture[str]) -> None:
    """LiteLLM prints help when asked about models that it does not know; litespan does not make it."""
    with Capture():
        await litellm.acompletion(**{**chat(provider), "model": "openai/our-own"})
        async for _ in await litellm.acompletion(
            **{**chat(provider, stream=True), "model": "openai/our-own"}
        ):
            pass

    assert ("", "") == capsys.readouterr()
