"""The other operations of the OpenAI wire, through LiteLLM: embeddings, text completions, responses."""

from __future__ import annotations

import base64
import struct
from typing import Any

import litellm
import pytest

from litespan.testing import Provider, Reply, ServedUsage, ToolCall
from tests.fakes.litellm_calls import target

EVERYTHING = Reply.says(
    "It is sunny.",
    reasoning="looked outside",
    tool_calls=(ToolCall("get_weather", {"city": "Bern"}),),
    usage=ServedUsage(100, 20, 40, 0, 0, 8),
)


async def test_embeds_each_input(provider: Provider) -> None:
    """Each input gets a vector; the usage knows input tokens only."""
    response = await litellm.aembedding(**target(provider), input=["a", "b"])

    assert [[0.25, -0.5, 1.0]] * 2 == [item["embedding"] for item in response.data]
    assert (12, 12) == (response.usage.prompt_tokens, response.usage.total_tokens)
    assert [ServedUsage(12)] == [served.usage_delivered for served in provider.served]
    assert ["embeddings"] == [served.operation for served in provider.served]


async def test_embeds_as_base64_if_asked(provider: Provider) -> None:
    """A client may ask for the vectors as packed floats."""
    response = await litellm.aembedding(**target(provider), input="a", encoding_format="base64")

    packed = base64.b64decode(response.data[0]["embedding"])
    assert (0.25, -0.5, 1.0) == struct.unpack("<3f", packed)


async def test_completes_text(provider: Provider) -> None:
    """A text completion answers a prompt."""
    arguments = {**target(provider), "model": "text-completion-openai/gpt-3.5-turbo-instruct"}

    response = await litellm.atext_completion(**arguments, prompt="Say hello")

    assert "Hello from the fake provider." == response.choices[0].text
    assert 19 == response.usage.total_tokens
    assert ["text_completion"] == [served.operation for served in provider.served]
    assert ["Say hello"] == provider.served[0].request.messages


async def test_streams_a_text_completion(provider: Provider) -> None:
    """A streamed text completion reports its usage when asked."""
    arguments = {**target(provider), "model": "text-completion-openai/gpt-3.5-turbo-instruct"}
    stream = await litellm.atext_completion(
        **arguments, prompt="Say hello", stream=True, stream_options={"include_usage": True}
    )

    chunks = [chunk async for chunk in stream]

    # The chunk with the usage has no choice, or an empty one: that depends on LiteLLM's version.
    texts = [choice.text or "" for chunk in chunks for choice in chunk.choices]
    assert "Hello from the fake provider." == "".join(texts)
    assert 19 == chunks[-1].usage.total_tokens
    assert [ServedUsage(12, 7)] == [served.usage_delivered for served in provider.served]


async def test_answers_as_a_response(provider: Provider) -> None:
    """The responses endpoint gives reasoning, message and function call as items, and the usage."""
    provider.script("gpt-4o-mini", EVERYTHING)

    response = await litellm.aresponses(**target(provider), input="How is the weather?")

    assert ["reasoning", "message", "function_call"] == [item.type for item in response.output]
    assert "It is sunny." == response.output[1].content[0].text
    usage = response.usage
    assert (100, 20, 40) == (
        usage.input_tokens,
        usage.output_tokens,
        usage.input_tokens_details.cached_tokens,
    )
    assert 8 == usage.output_tokens_details.reasoning_tokens
    assert ["responses"] == [served.operation for served in provider.served]


async def test_streams_a_response(provider: Provider) -> None:
    """The stream tells the same, and reports the usage unasked in its last event."""
    provider.script("gpt-4o-mini", EVERYTHING)

    stream = await litellm.aresponses(**target(provider), input="How is the weather?", stream=True)
    events: list[Any] = [event async for event in stream]

    kinds = [getattr(event.type, "value", event.type) for event in events]
    text = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert ("response.created", "response.completed") == (kinds[0], kinds[-1])
    assert "It is sunny." == "".join(text)
    assert [ServedUsage(100, 20, 40, 0, 0, 8)] == [served.usage_delivered for served in provider.served]
    assert not provider.served[0].asked_for_usage


async def test_ends_a_response_early(provider: Provider) -> None:
    """A finish reason other than a natural one makes an incomplete response."""
    provider.script("gpt-4o-mini", Reply.says("It is", finish_reason="length"))

    response = await litellm.aresponses(**target(provider), input="How is the weather?")

    assert ("incomplete", "max_output_tokens") == (response.status, response.incomplete_details.reason)


@pytest.mark.parametrize("stream", [False, True])
async def test_refuses_in_a_response(provider: Provider, *, stream: bool) -> None:
    """A refusal is a content part of its own."""
    provider.script("gpt-4o-mini", Reply.refuses("No."))

    answer = await litellm.aresponses(**target(provider), input="Hi", stream=stream)
    response = [event async for event in answer][-1].response if stream else answer

    assert "No." == response.output[0].content[0].refusal
