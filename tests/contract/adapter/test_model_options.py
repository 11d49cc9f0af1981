"""litespan's own arguments of a model: a price, and a stricter word on content."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import litellm
import pytest
from agents import Agent, trace

import litespan
from litespan import semconv
from litespan.testing import Capture, Provider, Reply, ServedUsage
from tests.contract.adapter.harness import arguments
from tests.fakes.litellm_calls import API_KEY, chat
from tests.flow.running import run_to_end

USAGE = ServedUsage(input_tokens=1_000_000, output_tokens=500_000)
PRICE = {"input": 3.0, "output": 10.0}
PRICED = 8.0
LISTED = 0.45
"""What the same tokens cost by LiteLLM's table (gpt-4o-mini: 0.15 and 0.60 USD per million)."""

CONTENT = {
    semconv.INPUT_MESSAGES,
    semconv.OUTPUT_MESSAGES,
    semconv.SYSTEM_INSTRUCTIONS,
    semconv.TOOL_DEFINITIONS,
}


def model(provider: Provider, name: str = "openai/gpt-4o-mini", **options: Any) -> litespan.LitellmModel:
    """Return a model that calls the provider."""
    return litespan.LitellmModel(name, base_url=provider.base_url, api_key=API_KEY, **options)


async def run(agent_model: Any, *, streamed: bool) -> None:
    """Run an agent with secrets in its prompt and its instructions to the end."""
    agent = Agent(name="A", instructions="secret rule", model=agent_model)
    await run_to_end(agent, "secret question", stream=streamed)


def costs(capture: Capture) -> list[float]:
    """Return the cost of each chat span (USD), in the order of their beginning."""
    return [(span.attributes or {}).get(semconv.USAGE_COST_AMOUNT) for span in capture.named("chat")]  # type: ignore[misc]


@pytest.mark.parametrize("streamed", [False, True])
async def test_price(provider: Provider, streamed: bool) -> None:
    """``price=`` prices the model's calls before LiteLLM's table does."""
    provider.default = Reply.says("Yes.", usage=USAGE)
    with Capture() as capture:
        await run(model(provider, price=PRICE), streamed=streamed)
    assert [pytest.approx(PRICED)] == costs(capture)


@pytest.mark.parametrize("streamed", [False, True])
async def test_price_of_an_unknown_model(provider: Provider, streamed: bool) -> None:
    """A model that no table knows has a cost once it has a price."""
    provider.default = Reply.says("Yes.", usage=USAGE)
    with Capture() as capture:
        await run(model(provider, "openai/in-house"), streamed=streamed)
        await run(model(provider, "openai/in-house", price=PRICE), streamed=streamed)
    assert [None, pytest.approx(PRICED)] == costs(capture)


@pytest.mark.parametrize("streamed", [False, True])
async def test_price_is_that_models_only(provider: Provider, streamed: bool) -> None:
    """Another model of the same name, called at the same time, is priced by the table."""
    provider.default = Reply.says("Yes.", usage=USAGE)
    with Capture() as capture:
        await asyncio.gather(
            *(run(model(provider), streamed=streamed) for _ in range(2)),
            *(run(model(provider, price=PRICE), streamed=streamed) for _ in range(2)),
        )
        await run(model(provider), streamed=streamed)
    assert sorted([LISTED, LISTED, PRICED, PRICED]) == pytest.approx(sorted(costs(capture)[:4]))
    assert [pytest.approx(LISTED)] == costs(capture)[4:]


async def test_price_does_not_leak_out_of_a_stream(provider: Provider) -> None:
    """A call that the program makes between two events of a priced stream is not priced by it."""
    provider.default = Reply.says("Yes.", usage=USAGE)
    with Capture() as capture, trace("adapter contract"):
        events: Any = model(provider, price=PRICE).stream_response(**arguments("Hi", {}))
        async with aclosing(events):
            await anext(events)
            await litellm.acompletion(**chat(provider))
            async for _ in events:
                pass
    assert sorted([LISTED, PRICED]) == pytest.approx(sorted(costs(capture)))


async def test_price_does_not_leak_out_of_a_call(provider: Provider) -> None:
    """Nor is a call that the program makes after a priced one."""
    provider.default = Reply.says("Yes.", usage=USAGE)
    with Capture() as capture, trace("adapter contract"):
        await model(provider, price=PRICE).get_response(**arguments("Hi", {}))
        await litellm.acompletion(**chat(provider))
    assert [pytest.approx(PRICED), pytest.approx(LISTED)] == costs(capture)


async def test_closing_a_priced_stream_closes_the_connection(provider: Provider) -> None:
    """Who closes the stream of a priced model in the middle gives up the connection at once."""
    provider.default = Reply.says("Yes.", stall_after=3)
    with Capture() as capture, trace("adapter contract"):
        events: Any = model(provider, price=PRICE).stream_response(**arguments("Hi", {}))
        await anext(events)
        await events.aclose()
        assert ["abandoned"] == [(span.attributes or {})[semconv.OUTCOME] for span in capture.named("chat")]
    assert await asyncio.to_thread(provider.wait_until_idle)
    assert "client_left" == provider.served[0].outcome


def captured(capture: Capture) -> set[str]:
    """Return the content attributes of the chat spans; fail if a secret is anywhere without them."""
    names = {name for span in capture.named("chat") for name in span.attributes or {}}
    if not names & CONTENT:
        assert "secret" not in str([dict(span.attributes or {}) for span in capture.named("chat")])
    return names & CONTENT


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("own_word", "kept"), [(None, True), (True, True), (False, False)])
async def test_content_on(provider: Provider, own_word: bool | None, kept: bool, streamed: bool) -> None:
    """Where content is on, ``capture_content=False`` keeps the content of that model's calls out."""
    with Capture(capture_content="SPAN_ONLY") as capture:
        await run(model(provider, capture_content=own_word), streamed=streamed)
    assert kept is bool(captured(capture))


@pytest.mark.parametrize("streamed", [False, True])
async def test_content_off(provider: Provider, streamed: bool) -> None:
    """Where content is off, ``capture_content=True`` does not switch it on."""
    with Capture() as capture:
        await run(model(provider, capture_content=True), streamed=streamed)
    assert set() == captured(capture)
