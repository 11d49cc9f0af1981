"""Streams that do not end as they should: cut, stalled, failed inside. Seen raw and through LiteLLM."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import litellm
import openai
import pytest
from litellm.exceptions import MidStreamFallbackError

from litespan.testing import Provider, Reply, ServedUsage
from litespan.testing.reply import Mark
from tests.fakes.litellm_calls import WIRES, chat, model_on
from tests.versions import cut_stream, installed

USAGE = ServedUsage(12, 7)
REPLY = Reply.says("one two three", pieces=3, usage=USAGE)

# What each wire has told of the usage when it is cut at a place, if the client asked for usage.
DELIVERED = {
    ("openai", "finish"): None,
    ("openai", "usage"): None,
    ("openai", "done"): USAGE,
    ("anthropic", "finish"): ServedUsage(12, 1),
    ("anthropic", "usage"): ServedUsage(12, 1),
    ("anthropic", "done"): USAGE,
    ("gemini", "finish"): ServedUsage(12, 2),
    ("gemini", "usage"): ServedUsage(12, 2),
    ("gemini", "done"): USAGE,
}
PATHS = {
    "openai": "/chat/completions",
    "anthropic": "/v1/messages",
    "gemini": "/models/gemini-2.5-flash:streamGenerateContent",
}


async def read_raw(provider: Provider, wire: str) -> tuple[bytes, bool]:
    """Read a stream without any SDK; return its body and whether it ended properly."""
    body = {"model": model_on(wire), "stream": True, "stream_options": {"include_usage": True}}
    received = b""
    url = provider.url(wire) + PATHS[wire]
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        try:
            async for piece in response.content.iter_any():
                received += piece
        except aiohttp.ClientPayloadError:
            return received, False
    return received, True


async def drain(stream: Any) -> None:
    """Read a stream to its end."""
    async for _ in stream:
        pass


@pytest.mark.parametrize("place", ["finish", "usage", "done"])
@pytest.mark.parametrize("wire", WIRES)
async def test_a_cut_stream_loses_what_was_to_come(provider: Provider, wire: str, place: Mark) -> None:
    """A cut delivers all events before its place and nothing after it, not even a proper end."""
    provider.script("*", REPLY, REPLY.but(cut_before=place))

    complete, ended = await read_raw(provider, wire)
    received, ended_after_cut = await read_raw(provider, wire)

    assert (True, False) == (ended, ended_after_cut)
    assert complete.replace(b"000001", b"000002").startswith(received)
    assert received.endswith(b"\n\n")
    assert ["finished", "cut"] == [served.outcome for served in provider.served]
    assert [USAGE, DELIVERED[wire, place]] == [served.usage_delivered for served in provider.served]
    assert [USAGE, USAGE] == [served.billed for served in provider.served]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("count", [0, 1, 3])
async def test_a_cut_after_a_number_of_events(provider: Provider, wire: str, count: int) -> None:
    """A cut can be placed by the number of events, counted on the wire."""
    provider.script("*", REPLY.but(cut_after=count))

    received, ended = await read_raw(provider, wire)

    assert (count, False) == (received.count(b"\n\n"), ended)


@pytest.mark.parametrize("wire", WIRES)
async def test_litellm_hides_a_cut(provider: Provider, wire: str) -> None:
    """LiteLLM 1.83 ends a cut stream like a good one; only the provider's memory knows."""
    provider.script(model_on(wire), REPLY.but(cut_before="finish"))

    text, reason = "", None
    with cut_stream():
        async for chunk in await litellm.acompletion(**chat(provider, wire, stream=True)):
            text += chunk.choices[0].delta.content or ""
            reason = chunk.choices[0].finish_reason

    assert "one two three".startswith(text.strip())
    assert installed("litellm") >= (1, 84) or "stop" == reason
    assert ["cut"] == [served.outcome for served in provider.served]


async def test_a_cut_answer_without_a_stream(provider: Provider) -> None:
    """A cut of a plain answer sends the headers and half of the body."""
    provider.script("gpt-4o-mini", REPLY.but(cut_after=0))

    with pytest.raises(openai.APIError):
        await litellm.acompletion(**chat(provider, max_retries=0))

    assert [("cut", 200, None)] == [
        (served.outcome, served.status, served.usage_delivered) for served in provider.served
    ]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("wire", WIRES)
async def test_a_body_may_end_with_its_connection(provider: Provider, wire: str, *, stream: bool) -> None:
    """A body without length and chunks is complete when the connection closes."""
    provider.default = REPLY.but(chunked=False)

    answer: Any = await litellm.acompletion(**chat(provider, wire, stream=stream))
    if stream:
        answer = litellm.stream_chunk_builder([chunk async for chunk in answer])

    assert "one two three" == answer.choices[0].message.content
    # The client may have its answer a moment before the server has closed the connection.
    assert await asyncio.to_thread(provider.wait_until_idle)
    assert ["finished"] == [served.outcome for served in provider.served]


async def test_a_close_delimited_body_hides_a_cut(provider: Provider) -> None:
    """Without chunks not even the transport can tell a cut from the end."""
    provider.script("*", REPLY.but(chunked=False, cut_before="usage"))

    received, ended = await read_raw(provider, "openai")

    assert ended
    assert b"[DONE]" not in received


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_a_stream_may_fail_inside(provider: Provider, wire: str) -> None:
    """An error event in the stream raises at the client, after the events before it."""
    provider.script(model_on(wire), Reply.fails(500, message="Overloaded.", text="one two", error_after=4))
    stream = await litellm.acompletion(**chat(provider, wire, stream=True))

    first = await anext(stream)
    with pytest.raises(MidStreamFallbackError, match=r"Overloaded\."):
        await drain(stream)

    assert first.choices[0].finish_reason is None
    assert [200] == [served.status for served in provider.served]


async def test_a_stalled_stream_waits_for_the_client_to_leave(provider: Provider) -> None:
    """A stalled stream stays open after its last event until the client closes it."""
    provider.script("gpt-4o-mini", REPLY.but(stall_after=3))
    stream = await litellm.acompletion(**chat(provider, stream=True))

    while not (shown := (await anext(stream)).choices[0].delta.content):
        pass  # LiteLLM from 1.110 on begins with an empty chunk
    still_open = provider.served[0].outcome
    reading = asyncio.ensure_future(drain(stream))
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await stream.aclose()

    assert "one t" == shown
    assert "open" == still_open
    assert await asyncio.to_thread(provider.wait_until_idle)
    assert ["client_left"] == [served.outcome for served in provider.served]
