"""Gemini by its own API and by Vertex AI: generateContent and streamGenerateContent.

Followed are the pages "GenerateContentResponse: UsageMetadata" of the Gemini API reference and of Vertex
AI's, and the Gemini API's "Pricing". `promptTokenCount` includes `cachedContentTokenCount`;
`candidatesTokenCount` leaves out `thoughtsTokenCount`, which is billed as output; `toolUsePromptTokenCount`
counts what Google's own tools put in, beside the prompt; `totalTokenCount` has them all.
`promptTokensDetails`, `cacheTokensDetails` and `candidatesTokensDetails` split their counts by modality.
`trafficType` of Vertex AI tells how a call was served. Each event of a stream has the sums up to then.
Searches that ground an answer have a fee.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from decimal import Decimal
from typing import Any

import litellm
import pytest

from litespan.testing import Capture, Provider, Reply, ServedUsage, ToolCall
from tests.fakes.gemini_usage import Metering
from tests.fakes.gemini_wire import GeminiWire, VertexWire
from tests.fakes.google_tokens import TOKEN, service_account
from tests.flow import figures
from tests.ledger import rates
from tests.ledger.wires.agreement import assert_agree, assert_cut, assert_unpriced, call, every_mode
from tests.versions import cut_stream

NAMES = {"gemini": "gcp.gemini", "vertex_ai": "gcp.vertex_ai"}
NAME = "gemini-2.5-flash"
USAGE = ServedUsage(1000, 300, 400, reasoning_tokens=70)
ANSWER = Reply(text="one two three four", reasoning="Let me think of that.", usage=USAGE, pieces=4)
every_wire = pytest.mark.parametrize("wire", NAMES)

Serve = Callable[[Metering], Provider]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve both wires with what they tell beside the tokens."""
    with ExitStack() as running:

        def start(metering: Metering) -> Provider:
            wires = [GeminiWire(metering), VertexWire(metering)]
            manager: AbstractContextManager[Provider] = Provider(wires=wires)
            provider = running.enter_context(manager)
            provider.default = ANSWER
            return provider

        yield start


@pytest.fixture
def provider(serve: Serve) -> Provider:
    """Serve both wires."""
    return serve(Metering())


@pytest.fixture(scope="module")
def account() -> Iterator[dict[str, Any]]:
    """Sign in to Vertex AI on the loopback address."""
    with service_account() as credentials:
        yield credentials


@pytest.fixture
def to(account: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """Make the arguments that send a call to one of the wires."""

    def arguments(provider: Provider, wire: str, **options: Any) -> dict[str, Any]:
        base = provider.url(wire)
        if wire == "gemini":
            return {"model": f"gemini/{NAME}", "api_base": base, "api_key": "fake", **options}
        place = {"vertex_project": "fake-project", "vertex_location": "us-central1"}
        signed = {"vertex_credentials": account, **place}
        return {"model": f"vertex_ai/{NAME}", "api_base": f"{base}/models/{NAME}", **signed, **options}

    return arguments


To = Callable[..., dict[str, Any]]


@every_mode
@every_wire
async def test_tokens_and_cost_are_the_providers(
    provider: Provider, to: To, wire: str, mode: dict[str, Any]
) -> None:
    """Cached tokens and thoughts have their price; the growing counts of a stream are not added up."""
    with rates.registered(f"{wire}/{NAME}"), Capture() as capture:
        await call(**to(provider, wire, **mode))

        assert_agree(provider, capture, NAMES[wire])
    assert (400, 70) == (figures.of_metrics(capture).cache_read, figures.of_metrics(capture).reasoning)


async def test_vertex_is_signed_in_to(provider: Provider, to: To) -> None:
    """Vertex AI is called as LiteLLM calls it: with a token that google-auth fetched, under the project."""
    await call(**to(provider, "vertex_ai"))

    [served] = provider.served
    assert f"Bearer {TOKEN}" == served.request.headers["authorization"]
    assert "/v1/projects/fake-project/locations/us-central1/publishers/google/models" in served.request.path


@every_mode
@every_wire
async def test_tool_calls(provider: Provider, to: To, wire: str, mode: dict[str, Any]) -> None:
    """An answer that thinks and asks for tools is counted as any other."""
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    provider.default = ANSWER.but(tool_calls=(ToolCall("weather", {"city": "Rome"}), ToolCall("weather")))
    with rates.registered(f"{wire}/{NAME}"), Capture() as capture:
        await call(**to(provider, wire, tools=[tool], **mode))

        assert_agree(provider, capture, NAMES[wire])


@every_mode
@every_wire
async def test_prompts_of_googles_tools_are_input(
    serve: Serve, to: To, wire: str, mode: dict[str, Any]
) -> None:
    """`toolUsePromptTokenCount`, which LiteLLM drops, is found in the total and is part of the input."""
    provider = serve(Metering(tool_prompts=150))
    with rates.registered(f"{wire}/{NAME}"), Capture() as capture:
        await call(**to(provider, wire, **mode))

        assert_agree(provider, capture, NAMES[wire])
    assert 1000 == figures.of_metrics(capture).input


@every_mode
@every_wire
async def test_audio_and_images_have_their_price(
    serve: Serve, to: To, wire: str, mode: dict[str, Any]
) -> None:
    """Audio and images of the prompt are told apart and priced apart."""
    told = ServedUsage(1000, 300, reasoning_tokens=70)
    provider = serve(Metering(tool_prompts=50, audio=200, images=150))
    provider.default = ANSWER.but(usage=told)
    with rates.registered(f"{wire}/{NAME}") as listed, Capture() as capture:
        [rate] = listed.values()
        audio, image = 1009 * rates.UNIT, 1013 * rates.UNIT
        media = {"input_cost_per_audio_token": float(audio), "input_cost_per_image_token": float(image)}
        litellm.model_cost[f"{wire}/{NAME}"].update(media)
        await call(**to(provider, wire, **mode))

        assert figures.of_provider(told) == figures.of_spans(capture.named("chat"))
        bill = rate.cost(told) + 200 * (audio - rate.input) + 150 * (image - rate.input)
        assert bill == Decimal(capture.total("litespan.cost"))
    [span] = capture.named("chat")
    assert (200, 150) == tuple(
        (span.attributes or {})[f"gen_ai.usage.{modality}.input_tokens"] for modality in ("audio", "image")
    )


@every_mode
@every_wire
async def test_cached_audio_has_no_cost(serve: Serve, to: To, wire: str, mode: dict[str, Any]) -> None:
    """LiteLLM does not pass on which audio was cached, so that no price is sure."""
    provider = serve(Metering(audio=200, cached_audio=60))
    with rates.registered(f"{wire}/{NAME}"), Capture() as capture:
        litellm.model_cost[f"{wire}/{NAME}"]["input_cost_per_audio_token"] = 1e-6
        await call(**to(provider, wire, **mode))

        assert_unpriced(provider, capture)


@every_mode
@every_wire
@pytest.mark.parametrize("metering", [Metering(made_images=200), Metering(searches=("rome", "rain"))])
async def test_pictures_and_searches_have_no_rate(
    serve: Serve, to: To, wire: str, metering: Metering, mode: dict[str, Any]
) -> None:
    """Output that is an image, and searches that ground an answer, cost what no rate of the output says."""
    provider = serve(metering)
    with rates.registered(f"{wire}/{NAME}"), Capture() as capture:
        await call(**to(provider, wire, **mode))

        assert_unpriced(provider, capture)


@every_mode
async def test_prepaid_calls_have_no_cost(serve: Serve, to: To, mode: dict[str, Any]) -> None:
    """A call that was served from capacity that is paid for by the hour has no cost of its own."""
    provider = serve(Metering(traffic="PROVISIONED_THROUGHPUT"))
    with rates.registered(f"vertex_ai/{NAME}"), Capture() as capture:
        await call(**to(provider, "vertex_ai", **mode))

        assert_unpriced(provider, capture)


@every_mode
@pytest.mark.parametrize(("traffic", "factor"), [("ON_DEMAND", 1), ("ON_DEMAND_PRIORITY", 2)])
async def test_traffic_chooses_the_tier(
    serve: Serve, to: To, traffic: str, factor: int, mode: dict[str, Any]
) -> None:
    """A call that was served with priority has the price of that tier."""
    provider = serve(Metering(traffic=traffic))
    provider.default = ANSWER.but(usage=ServedUsage(1000, 300))
    with rates.registered(f"vertex_ai/{NAME}"), Capture() as capture:
        entry = litellm.model_cost[f"vertex_ai/{NAME}"]
        names = ("input_cost_per_token", "output_cost_per_token")
        entry.update({f"{name}_priority": 2 * entry[name] for name in names})
        await call(**to(provider, "vertex_ai", **mode))

        bill = factor * rates.cost(f"vertex_ai/{NAME}", ServedUsage(1000, 300))
        assert bill == Decimal(capture.total("litespan.cost"))


@every_wire
@pytest.mark.parametrize("place", [1, 2, 5, 7, "finish"])
async def test_cut_streams(provider: Provider, to: To, wire: str, place: Any) -> None:
    """A cut stream is incomplete and has the sums of its last event, never LiteLLM's invented ones."""
    provider.default = ANSWER.but(**{"cut_before" if place == "finish" else "cut_after": place})
    with rates.registered(f"{wire}/{NAME}"), Capture() as capture:
        with cut_stream():
            await call(**to(provider, wire, stream=True))

        assert_cut(provider, capture)
    told = provider.served[0].usage_delivered
    assert told is not None
    assert told.output_tokens < 300


@every_wire
async def test_cut_before_anything_was_said(provider: Provider, to: To, wire: str) -> None:
    """A stream that is cut before its first event has no usage at all."""
    provider.default = ANSWER.but(cut_after=0)
    with Capture() as capture:
        with cut_stream():
            await call(**to(provider, wire, stream=True))

        assert_cut(provider, capture)


@every_wire
@pytest.mark.parametrize("stream", [False, True])
async def test_refused_and_then_answered(provider: Provider, to: To, wire: str, *, stream: bool) -> None:
    """A provider without resources bills nothing for what it refuses; the call after it is counted alone."""
    provider.script(NAME, Reply.fails(429))
    refusals = (litellm.RateLimitError, litellm.exceptions.MidStreamFallbackError)
    with rates.registered(f"{wire}/{NAME}"), Capture() as capture:
        with pytest.raises(refusals):
            await call(**to(provider, wire, stream=stream))
        await call(**to(provider, wire, stream=stream))

        assert rates.cost(f"{wire}/{NAME}", USAGE) == Decimal(capture.total("litespan.cost"))
    assert 1 == capture.total("litespan.calls", litespan__outcome="error")
    assert figures.of_provider(USAGE) == figures.of_metrics(capture)


@every_wire
async def test_answer_without_usage(provider: Provider, to: To, wire: str) -> None:
    """A stream that tells no usage has none: it is missing, neither 0 nor LiteLLM's estimate."""
    provider.default = ANSWER.but(usage=None)
    with Capture() as capture:
        await call(**to(provider, wire, stream=True))

    [span] = capture.named("chat")
    assert "missing" == (span.attributes or {})["litespan.usage.source"]
    assert [] == [name for name in span.attributes or {} if name.startswith("gen_ai.usage.")]
    assert 1 == capture.total("litespan.calls.usage_missing", reason="not_reported")


def test_prepaid_streams_without_await_have_no_cost(serve: Serve, to: To) -> None:
    """How a stream was served is also known where it is read without await."""
    provider = serve(Metering(traffic="PROVISIONED_THROUGHPUT"))
    with rates.registered(f"vertex_ai/{NAME}"), Capture() as capture:
        message = {"role": "user", "content": "Hi"}
        list(litellm.completion(messages=[message], **to(provider, "vertex_ai", stream=True)))

        assert_unpriced(provider, capture)
