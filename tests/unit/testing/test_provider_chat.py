"""The OpenAI chat wire, through LiteLLM."""

from __future__ import annotations

import json
from typing import Any

import litellm
import pytest

from litespan.testing import Provider, Reply, ServedUsage, ToolCall
from tests.fakes.litellm_calls import chat
from tests.versions import installed

ASK_FOR_USAGE = {"include_usage": True}
WEATHER = ToolCall("get_weather", {"city": "Bern", "days": 3}, id="call_weather")
CLOCK = ToolCall("get_time", {"zone": "CET"})


async def read_stream(**arguments: Any) -> list[Any]:
    """Make a streamed call and return its chunks."""
    return [chunk async for chunk in await litellm.acompletion(stream=True, **arguments)]


def text_of(chunks: list[Any]) -> str:
    """Join the text deltas."""
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def usages_of(chunks: list[Any]) -> list[Any]:
    """Return the usages that chunks carry."""
    return [chunk.usage for chunk in chunks if getattr(chunk, "usage", None)]


async def test_answers_without_a_script(provider: Provider) -> None:
    """A provider with nothing scripted gives a plain answer with usage."""
    response = await litellm.acompletion(**chat(provider))

    assert "Hello from the fake provider." == response.choices[0].message.content
    assert "stop" == response.choices[0].finish_reason
    assert (12, 7) == (response.usage.prompt_tokens, response.usage.completion_tokens)
    assert "gpt-4o-mini" == response.model


def test_serves_synchronous_calls(provider: Provider) -> None:
    """The synchronous client gets the same answer, with and without a stream."""
    plain = litellm.completion(**chat(provider))
    chunks = list(litellm.completion(**chat(provider, stream=True)))

    assert plain.choices[0].message.content == text_of(chunks)


async def test_reports_cached_and_reasoning_tokens(provider: Provider) -> None:
    """Cache reads, cache writes and reasoning arrive in the detail fields of the usage."""
    provider.script("gpt-4o-mini", Reply.says("ok", usage=ServedUsage(100, 20, 40, 3, 2, 8)))

    usage = (await litellm.acompletion(**chat(provider))).usage

    assert (100, 20, 120) == (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)
    assert 40 == usage.prompt_tokens_details.cached_tokens
    assert 5 == usage.prompt_tokens_details.cache_write_tokens
    assert 8 == usage.completion_tokens_details.reasoning_tokens


async def test_a_provider_may_report_no_usage(provider: Provider) -> None:
    """Without usage in the reply none is written, whether or not the client asks."""
    provider.default = Reply.says("ok", usage=None)

    await litellm.acompletion(**chat(provider))
    await read_stream(**chat(provider, stream_options=ASK_FOR_USAGE))

    assert [None, None] == [served.usage_delivered for served in provider.served]


async def test_streams_text_in_pieces(provider: Provider) -> None:
    """The text comes in as many deltas as the reply has pieces, then the finish reason."""
    provider.script("gpt-4o-mini", Reply.says("one two three four", pieces=4))

    chunks = await read_stream(**chat(provider))

    deltas = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content]
    assert ["one t", "wo th", "ree f", "our"] == deltas
    assert "stop" == chunks[-1].choices[0].finish_reason


async def test_a_stream_reports_usage_only_if_asked(provider: Provider) -> None:
    """Usage of a stream is written exactly when the client sends include_usage."""
    silent = await read_stream(**chat(provider))
    asked = await read_stream(**chat(provider, stream_options=ASK_FOR_USAGE))

    assert [] == usages_of(silent)
    assert [(12, 7)] == [(usage.prompt_tokens, usage.completion_tokens) for usage in usages_of(asked)]
    assert [None, ServedUsage(12, 7)] == [served.usage_delivered for served in provider.served]
    assert [False, True] == [served.asked_for_usage for served in provider.served]


async def test_calls_tools_in_parallel(provider: Provider) -> None:
    """Several tool calls arrive with their names, arguments and ids."""
    provider.script("gpt-4o-mini", Reply.calls(WEATHER, CLOCK))

    choice = (await litellm.acompletion(**chat(provider))).choices[0]

    calls = [(call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls]
    assert [("get_weather", {"city": "Bern", "days": 3}), ("get_time", {"zone": "CET"})] == calls
    assert ["call_weather", "call_000001_1"] == [call.id for call in choice.message.tool_calls]
    assert "tool_calls" == choice.finish_reason


async def test_streams_tool_calls_in_pieces(provider: Provider) -> None:
    """Streamed arguments come in several pieces that add up to the JSON of each call."""
    provider.script("gpt-4o-mini", Reply.calls(WEATHER, CLOCK, pieces=3))

    chunks = await read_stream(**chat(provider))
    whole: Any = litellm.stream_chunk_builder(chunks)

    pieces = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    assert 8 == len(pieces)
    calls = whole.choices[0].message.tool_calls
    assert [WEATHER.arguments, CLOCK.arguments] == [json.loads(call.function.arguments) for call in calls]


@pytest.mark.parametrize("stream", [False, True])
async def test_shows_reasoning(provider: Provider, *, stream: bool) -> None:
    """Reasoning text comes beside the answer, as reasoning_content."""
    provider.script("gpt-4o-mini", Reply.says("42", reasoning="six times seven"))

    if stream:
        chunks = await read_stream(**chat(provider))
        shown = "".join(getattr(chunk.choices[0].delta, "reasoning_content", None) or "" for chunk in chunks)
    else:
        shown = (await litellm.acompletion(**chat(provider))).choices[0].message.reasoning_content

    assert "six times seven" == shown


async def test_refuses_to_answer(provider: Provider) -> None:
    """A refusal has its own field and no content."""
    provider.script("gpt-4o-mini", Reply.refuses("I can not help with that."))

    message = (await litellm.acompletion(**chat(provider))).choices[0].message

    assert message.content is None
    if installed("litellm") >= (1, 110):
        assert "I can not help with that." == message.refusal
    else:
        assert {"refusal": "I can not help with that."} == message.provider_specific_fields


async def test_passes_on_what_the_answer_says_about_itself(provider: Provider) -> None:
    """Model, fingerprint, tier, finish reason, cost and extra headers are those of the reply."""
    provider.script(
        "gpt-4o-mini",
        Reply.says(
            "ok",
            model="gpt-4o-mini-2024-07-18",
            system_fingerprint="fp_1",
            service_tier="flex",
            finish_reason="length",
            cost=0.25,
            headers={"x-litellm-response-cost": "0.25"},
        ),
    )

    response = await litellm.acompletion(**chat(provider))

    assert ("gpt-4o-mini-2024-07-18", "fp_1") == (response.model, response.system_fingerprint)
    assert ("flex", "length") == (response.service_tier, response.choices[0].finish_reason)
    assert 0.25 == response.usage.cost
    headers = response._hidden_params["additional_headers"]
    assert "req_000001" == headers["llm_provider-x-request-id"]
    assert "0.25" == headers["llm_provider-x-litellm-response-cost"]


@pytest.mark.parametrize("stream", [False, True])
async def test_answers_with_several_choices(provider: Provider, *, stream: bool) -> None:
    """A request for n choices gets n."""
    arguments = chat(provider, n=2)
    if stream:
        chunks = await read_stream(**arguments)
        indexes = {choice.index for chunk in chunks for choice in chunk.choices}
    else:
        indexes = {choice.index for choice in (await litellm.acompletion(**arguments)).choices}

    assert {0, 1} == indexes


async def test_gives_log_probabilities(provider: Provider) -> None:
    """Log probabilities come when the reply has them."""
    provider.script("gpt-4o-mini", Reply.says("ok", logprobs=True))

    choice = (await litellm.acompletion(**chat(provider, logprobs=True))).choices[0]

    assert ["ok"] == [entry["token"] for entry in choice.logprobs["content"]]
