"""The Anthropic and Gemini wires, through LiteLLM."""

from __future__ import annotations

import json
from typing import Any

import litellm
import pytest
from litellm.exceptions import RateLimitError

from litespan.testing import Provider, Reply, ServedUsage, ToolCall
from litespan.testing.wire import Arrival
from tests.fakes.gemini_wire import GeminiWire
from tests.fakes.litellm_calls import API_KEY, chat, model_on
from tests.versions import installed

OTHER_WIRES = ["anthropic", "gemini"]
TOOLS = (ToolCall("get_weather", {"city": "Bern"}), ToolCall("get_time", {}))
USAGE = ServedUsage(1719, 30, cache_read_tokens=400, cache_write_tokens=311, cache_write_1h_tokens=294)


async def answer(stream: bool, **arguments: Any) -> Any:
    """Make a call and return the whole answer, put together from the chunks if streamed."""
    if not stream:
        return await litellm.acompletion(**arguments)
    chunks = [chunk async for chunk in await litellm.acompletion(stream=True, **arguments)]
    return litellm.stream_chunk_builder(chunks)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("wire", OTHER_WIRES)
async def test_answers_with_text_reasoning_and_tools(provider: Provider, wire: str, *, stream: bool) -> None:
    """All parts of a reply arrive on every wire."""
    reply = Reply.says("It is sunny.", reasoning="looked outside", tool_calls=TOOLS)
    provider.script(model_on(wire), reply)

    choice = (await answer(stream, **chat(provider, wire))).choices[0]

    assert "It is sunny." == choice.message.content
    assert "looked outside" == choice.message.reasoning_content
    calls = [(call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls]
    assert [("get_weather", {"city": "Bern"}), ("get_time", {})] == calls
    assert "tool_calls" == choice.finish_reason


async def test_anthropic_splits_cache_writes_by_lifetime(provider: Provider) -> None:
    """Anthropic's usage tells cache reads and both kinds of cache writes, and the input includes them."""
    provider.script(model_on("anthropic"), Reply.says("ok", usage=USAGE))

    usage = (await litellm.acompletion(**chat(provider, "anthropic"))).usage

    details = usage.prompt_tokens_details
    lifetimes = details.cache_creation_token_details
    assert (1719, 30) == (usage.prompt_tokens, usage.completion_tokens)
    assert (400, 605) == (details.cached_tokens, usage.cache_creation_input_tokens)
    assert (311, 294) == (lifetimes.ephemeral_5m_input_tokens, lifetimes.ephemeral_1h_input_tokens)
    assert [USAGE] == [served.usage_delivered for served in provider.served]


async def test_an_anthropic_stream_tells_lifetimes_at_its_start_only(provider: Provider) -> None:
    """As with the real API, the split of cache writes is in message_start and not in the final usage."""
    provider.script(model_on("anthropic"), Reply.says("ok", usage=USAGE))
    stream = await litellm.acompletion(**chat(provider, "anthropic", stream=True))

    async for _ in stream:
        pass

    first, last = (chunk.usage for chunk in stream.chunks if getattr(chunk, "usage", None))
    lifetimes = first.prompt_tokens_details.cache_creation_token_details
    assert (311, 294) == (lifetimes.ephemeral_5m_input_tokens, lifetimes.ephemeral_1h_input_tokens)
    # LiteLLM 1.110 carries the split over to its sum at the end.
    carried = installed("litellm") >= (1, 110)
    assert carried == hasattr(last.prompt_tokens_details, "cache_creation_token_details")
    assert [(1719, 1), (1719, 30)] == [(use.prompt_tokens, use.completion_tokens) for use in (first, last)]
    assert [USAGE] == [served.usage_delivered for served in provider.served]


@pytest.mark.parametrize("stream", [False, True])
async def test_gemini_counts_thoughts_and_cached_content(provider: Provider, *, stream: bool) -> None:
    """Gemini's usage tells thoughts and cache reads; the output includes the thoughts."""
    served_usage = ServedUsage(100, 20, cache_read_tokens=40, reasoning_tokens=8)
    provider.script(model_on("gemini"), Reply.says("ok", usage=served_usage))

    arguments = chat(provider, "gemini", stream_options={"include_usage": True} if stream else None)
    usage = (await answer(stream, **arguments)).usage

    assert (100, 20) == (usage.prompt_tokens, usage.completion_tokens)
    assert 40 == usage.prompt_tokens_details.cached_tokens
    assert 8 == usage.completion_tokens_details.reasoning_tokens
    assert [served_usage] == [served.usage_delivered for served in provider.served]


def test_gemini_counts_thoughts_beside_the_candidates() -> None:
    """On the wire the candidates' tokens leave out the thoughts; LiteLLM accepts both forms."""
    [endpoint] = GeminiWire().endpoints
    arrival = Arrival(1, "/v1beta/models/m:generateContent", {"target": "m:generateContent"}, {}, {}, {})

    part = endpoint.whole(
        endpoint.read(arrival), Reply.says("ok", usage=ServedUsage(100, 20, reasoning_tokens=8))
    )

    metadata = json.loads(part.data)["usageMetadata"]
    assert (12, 8) == (metadata["candidatesTokenCount"], metadata["thoughtsTokenCount"])
    assert 120 == metadata["totalTokenCount"]


@pytest.mark.parametrize("wire", OTHER_WIRES)
async def test_reports_the_usage_of_a_stream_unasked(provider: Provider, wire: str) -> None:
    """Both wires report usage in every stream; LiteLLM holds it in the chunks that it keeps."""
    stream = await litellm.acompletion(**chat(provider, wire, stream=True))

    async for _ in stream:
        pass

    told = [chunk.usage for chunk in stream.chunks if getattr(chunk, "usage", None)]
    assert (12, 7) == (told[-1].prompt_tokens, told[-1].completion_tokens)
    assert [(ServedUsage(12, 7), False)] == [
        (served.usage_delivered, served.asked_for_usage) for served in provider.served
    ]


async def test_gemini_usage_grows_along_the_stream(provider: Provider) -> None:
    """Each Gemini event reports the whole input and the output so far."""
    stream = await litellm.acompletion(**chat(provider, "gemini", stream=True))

    async for _ in stream:
        pass

    told = [chunk.usage for chunk in stream.chunks if getattr(chunk, "usage", None)]
    assert [(12, 0), (12, 2), (12, 7)] == [(use.prompt_tokens, use.completion_tokens) for use in told]


@pytest.mark.parametrize(
    ("wire", "finish"), [("anthropic", "length"), ("gemini", "length"), ("anthropic", "content_filter")]
)
async def test_translates_the_finish_reason(provider: Provider, wire: str, finish: str) -> None:
    """A finish reason in OpenAI's words comes back through the wire's own words."""
    provider.script(model_on(wire), Reply.says("ok", finish_reason=finish))

    assert finish == (await litellm.acompletion(**chat(provider, wire))).choices[0].finish_reason


@pytest.mark.parametrize("wire", OTHER_WIRES)
async def test_a_refusal_is_filtered_content(provider: Provider, wire: str) -> None:
    """A refusal reaches the client as the finish reason content_filter."""
    provider.script(model_on(wire), Reply.refuses("No."))

    assert "content_filter" == (await litellm.acompletion(**chat(provider, wire))).choices[0].finish_reason


@pytest.mark.parametrize("wire", OTHER_WIRES)
async def test_words_errors_as_the_wire_does(provider: Provider, wire: str) -> None:
    """LiteLLM recognises the wire's rate limit error."""
    provider.script(model_on(wire), Reply.fails(429, message="Slow down."))

    with pytest.raises(RateLimitError, match=r"Slow down\."):
        await litellm.acompletion(**chat(provider, wire))

    assert [429] == [served.status for served in provider.served]


@pytest.mark.parametrize(
    ("wire", "header", "path"),
    [
        ("anthropic", "x-api-key", "/v1/messages"),
        ("gemini", "x-goog-api-key", "/v1beta/models/gemini-2.5-flash:generateContent"),
    ],
)
async def test_remembers_the_raw_request(provider: Provider, wire: str, header: str, path: str) -> None:
    """The memory holds path, headers and body as they came over the wire."""
    await litellm.acompletion(**chat(provider, wire, text="Remember me"))

    request = provider.served[0].request
    assert (wire, path, model_on(wire)) == (request.wire, request.path, request.model)
    assert API_KEY == request.headers[header]
    assert "Remember me" in json.dumps(request.json)
