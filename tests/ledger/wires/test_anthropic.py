"""Anthropic's Messages API.

Followed are the pages "Messages", "Streaming messages", "Prompt caching", "Web search tool" and "Pricing" of
Anthropic's documentation. In `usage`, `input_tokens` leaves out `cache_read_input_tokens` and
`cache_creation_input_tokens`; `cache_creation` splits the writes by lifetime (`ephemeral_5m_input_tokens`,
`ephemeral_1h_input_tokens`); thinking is part of `output_tokens` and is not counted apart;
`server_tool_use.web_search_requests` counts searches, which have a fee each; `inference_geo` tells where the
model ran, and running in one country only has a surcharge. A stream tells a first usage in `message_start`
and the sums up to then in `message_delta`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import litellm
import pytest

from litespan.testing import Capture, Provider, Reply, ServedUsage, ToolCall
from tests.fakes.anthropic_billing import Billing
from tests.fakes.anthropic_wire import AnthropicWire
from tests.ledger import rates
from tests.ledger.wires.agreement import assert_agree, assert_cut, assert_unpriced, call, every_mode
from tests.versions import cut_stream

MODEL = "anthropic/claude-sonnet-4-5"
AZURE = "azure_ai/claude-sonnet-4-5"
USAGE = ServedUsage(1000, 300, 400, 50, 30, 70)
ANSWER = Reply(text="one two three four", reasoning="Let me think of that.", usage=USAGE, pieces=2)
EVENTS = 13
"""Events of a stream of that answer: start, ping, two blocks, delta, stop."""

Serve = Callable[[Billing], Provider]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve Anthropic's wire with what it tells beside the tokens."""
    with ExitStack() as running:

        def start(billing: Billing) -> Provider:
            manager: AbstractContextManager[Provider] = Provider(wires=[AnthropicWire(billing)])
            provider = running.enter_context(manager)
            provider.default = ANSWER
            return provider

        yield start


@pytest.fixture
def provider(serve: Serve) -> Provider:
    """Serve Anthropic's wire."""
    return serve(Billing())


def to(provider: Provider, **options: Any) -> dict[str, Any]:
    """Return the arguments that send a call to the provider."""
    return {"model": MODEL, "api_base": provider.url("anthropic"), "api_key": "fake", **options}


@every_mode
@pytest.mark.parametrize("billing", [Billing(), Billing(terse=True)], ids=["cumulative", "terse"])
async def test_tokens_and_cost_are_the_providers(
    serve: Serve, billing: Billing, mode: dict[str, Any]
) -> None:
    """Cache reads and writes of both lifetimes have their price, however much the end of a stream tells."""
    provider = serve(billing)
    with rates.registered(MODEL), Capture() as capture:
        await call(**to(provider, **mode))

        assert_agree(provider, capture, "anthropic")


@every_mode
async def test_claude_on_azure(provider: Provider, mode: dict[str, Any]) -> None:
    """Claude that Microsoft serves is counted the same, under Azure's name."""
    azure = {"model": AZURE, "api_base": f"{provider.url('anthropic')}/anthropic"}
    with rates.registered(AZURE), Capture() as capture:
        await call(**to(provider, **azure, **mode))

        assert_agree(provider, capture, "azure.ai.inference")


@every_mode
@pytest.mark.parametrize("model", [MODEL, AZURE])
async def test_thinking_is_not_estimated(provider: Provider, model: str, mode: dict[str, Any]) -> None:
    """LiteLLM's count of the visible thinking is not passed on as the provider's."""
    with Capture() as capture:
        await call(**to(provider, model=model, **mode))

    [span] = capture.named("chat")
    assert "gen_ai.usage.reasoning.output_tokens" not in (span.attributes or {})


@every_mode
async def test_tool_calls(provider: Provider, mode: dict[str, Any]) -> None:
    """An answer that thinks and asks for two tools is counted as any other."""
    calls = (ToolCall("weather", {"city": "Rome"}), ToolCall("weather"))
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    provider.default = ANSWER.but(tool_calls=calls)
    with rates.registered(MODEL), Capture() as capture:
        await call(**to(provider, tools=[tool], **mode))

        assert_agree(provider, capture, "anthropic")


@every_mode
async def test_call_with_searches_has_no_cost(serve: Serve, mode: dict[str, Any]) -> None:
    """Searches have a fee that no rate per token gives; their input, told at the end, is in the tokens."""
    provider = serve(Billing(searches=2))
    with rates.registered(MODEL), Capture() as capture:
        await call(**to(provider, **mode))

        assert_unpriced(provider, capture)


@every_mode
async def test_surcharge_of_a_place(serve: Serve, mode: dict[str, Any]) -> None:
    """A call that ran in one country only costs more than the listed rates: it has no cost here."""
    provider = serve(Billing(inference_geo="us"))
    with rates.registered(MODEL), Capture() as capture:
        await call(**to(provider, **mode))

        assert_unpriced(provider, capture)


@every_mode
async def test_surcharge_of_the_fast_mode(provider: Provider, mode: dict[str, Any]) -> None:
    """The fast mode costs several times the listed rates: such a call has no cost here."""
    model = "anthropic/claude-opus-4-6"
    with rates.registered(model), Capture() as capture:
        await call(**to(provider, **mode, model=model, speed="fast"))

        assert_unpriced(provider, capture)


@pytest.mark.parametrize("billing", [Billing(searches=1), Billing(inference_geo="us")])
async def test_fees_in_anthropics_own_format(serve: Serve, billing: Billing) -> None:
    """LiteLLM's call in Anthropic's own format is treated the same."""
    provider = serve(billing)
    hello = [{"role": "user", "content": "Hi"}]
    with rates.registered(MODEL), Capture() as capture:
        await litellm.anthropic_messages(**to(provider, messages=hello, max_tokens=100))

        assert_unpriced(provider, capture)


@every_mode
@pytest.mark.parametrize("place", ["global", "not_available"])
async def test_places_without_surcharge(serve: Serve, place: str, mode: dict[str, Any]) -> None:
    """Calls that ran anywhere, or on models that know no place, have the listed price."""
    provider = serve(Billing(inference_geo=place))
    with rates.registered(MODEL), Capture() as capture:
        await call(**to(provider, **mode))

        assert_agree(provider, capture, "anthropic")


@pytest.mark.parametrize("count", range(1, EVENTS - 1))
async def test_stream_cut_at_each_event(provider: Provider, count: int) -> None:
    """Until `message_delta` has come the call is incomplete, with the first usage and no invented one."""
    provider.default = ANSWER.but(cut_after=count)
    with rates.registered(MODEL), Capture() as capture:
        with cut_stream():
            await call(**to(provider, stream=True))

        assert_cut(provider, capture)
    assert ServedUsage(1000, 1, 400, 50, 30) == provider.served[0].usage_delivered


async def test_stream_cut_behind_its_usage(provider: Provider) -> None:
    """Once `message_delta` has come, all that is billed is known; only the end marker is missing."""
    provider.default = ANSWER.but(cut_before="done")
    with rates.registered(MODEL), Capture() as capture:
        await call(**to(provider, stream=True))

        assert_agree(provider, capture, "anthropic")


async def test_cut_before_anything_was_said(provider: Provider) -> None:
    """A stream that is cut before its first event has no usage at all."""
    provider.default = ANSWER.but(cut_after=0)
    with Capture() as capture:
        with cut_stream():
            await call(**to(provider, stream=True))

        assert_cut(provider, capture)


async def test_error_in_the_middle(provider: Provider) -> None:
    """An `error` event ends the call with an error; the tokens told before are kept and marked incomplete."""
    provider.default = ANSWER.but(error=Reply.fails(529).error, error_after=5)
    with Capture() as capture, pytest.raises(litellm.exceptions.MidStreamFallbackError):
        await call(**to(provider, stream=True))

    [span] = capture.named("chat")
    attributes = span.attributes or {}
    assert ("error", True) == (attributes["litespan.outcome"], attributes["litespan.usage.incomplete"])
    assert (1000, 1) == (attributes["gen_ai.usage.input_tokens"], attributes["gen_ai.usage.output_tokens"])
    assert 1 == sum(point.value for point in capture.points("litespan.calls.usage_missing"))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [429, 529])
async def test_refused_and_then_answered(provider: Provider, status: int, *, stream: bool) -> None:
    """An overloaded provider bills nothing for what it refuses; the call after it is counted alone."""
    provider.script("claude-sonnet-4-5", Reply.fails(status))
    with rates.registered(MODEL), Capture() as capture:
        with pytest.raises((litellm.InternalServerError, litellm.RateLimitError)):
            await call(**to(provider, stream=stream))
        await call(**to(provider, stream=stream))

        assert rates.cost("claude-sonnet-4-5", provider.delivered()) == capture.total("litespan.cost") > 0
    assert 1 == capture.total("litespan.calls", litespan__outcome="error")
    assert 0 == capture.total("litespan.calls.usage_missing")
