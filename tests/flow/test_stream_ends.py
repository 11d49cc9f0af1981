"""Where a stream ends, and with which chunk: as without litespan, whatever the connection does after that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import litellm
import openai
import pytest

from litespan.testing import Capture, Provider, Reply
from tests.fakes.litellm_calls import API_KEY, chat
from tests.flow.test_stream_unchanged import bare_and_seen, check_whole_call, read_async, read_sync

READS = [read_async, read_sync]
EVENTS = 8
"""Of Anthropic's stream of the reply below."""
SAID = Reply.says("Hello to all")


def at_openai(provider: Provider, read: Callable[..., Any]) -> dict[str, Any]:
    """Return the arguments of a stream that LiteLLM takes for one of OpenAI's own endpoint."""
    make = openai.AsyncOpenAI if read is read_async else openai.OpenAI
    client = make(api_key=API_KEY, base_url=provider.url("openai"))
    messages = [{"role": "user", "content": "Hi"}]
    return {"model": "openai/gpt-4o-mini", "client": client, "messages": messages, "stream": True}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("options", [{}, {"stream_options": None}, {"stream_options": {}}])
async def test_usage_of_openai_stays_a_chunk(
    provider: Provider, read: Callable[..., Any], options: dict[str, Any]
) -> None:
    """LiteLLM asks OpenAI itself for the usage, unless the program has options: the chunks stay the same."""
    bare, seen, capture = await bare_and_seen(at_openai(provider, read) | options, read)

    assert bare == seen
    check_whole_call(capture)


async def test_usage_of_openai_is_known_at_the_finish(provider: Provider) -> None:
    """A program that stops reading at the finish reason, before the chunk with the usage, has its tokens."""
    with Capture() as capture:
        async for chunk in await litellm.acompletion(**at_openai(provider, read_async)):
            if chunk.choices[0].finish_reason:
                break

    check_whole_call(capture)


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("reply", [SAID.but(stall_after=EVENTS), SAID.but(cut_before="done")])
async def test_stream_ends_with_its_last_event(
    provider: Provider, reply: Reply, read: Callable[..., Any]
) -> None:
    """Nothing is read after Anthropic's last event: the connection may stay open, or break."""
    provider.default = reply
    arguments = chat(provider, "anthropic", stream=True, timeout=5)

    bare, seen, capture = await bare_and_seen(arguments, read)

    assert bare == seen
    check_whole_call(capture)


@pytest.mark.parametrize("read", READS)
async def test_stream_that_says_nothing(provider: Provider, read: Callable[..., Any]) -> None:
    """What LiteLLM makes of a body without events has no chunk more, and the call is incomplete."""
    provider.default = Reply.garbage()

    bare, seen, capture = await bare_and_seen(chat(provider, "anthropic", stream=True), read)

    assert bare == seen
    [call] = capture.spans
    assert "incomplete" == (call.attributes or {})["litespan.outcome"]
