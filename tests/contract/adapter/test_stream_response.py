"""The response object around a stream, and streams that end early."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import litellm
import pytest
from agents import ModelSettings, ModelTracing, trace
from litellm.exceptions import MidStreamFallbackError
from openai.types.shared import Reasoning

from litespan.testing import Reply
from tests.contract.adapter.harness import Adapter, arguments


async def test_response_repeats_the_settings(adapter: Adapter) -> None:
    """The first event's response holds the model and the settings of the request."""
    model = adapter.model(name="openai/gpt-5-mini")
    settings = ModelSettings(temperature=1.0, reasoning=Reasoning(effort="low"))
    first: Any = (await adapter.stream(model=model, settings=settings))[0]
    response = first.response
    assert ("openai/gpt-5-mini", 1.0, "auto") == (response.model, response.temperature, response.tool_choice)
    assert "low" == response.reasoning.effort
    assert False is response.parallel_tool_calls


@pytest.mark.parametrize("taken", [1, 4])
async def test_a_consumer_may_stop(adapter: Adapter, taken: int) -> None:
    """Closing the stream in the middle raises nothing, and the connection is given up."""
    adapter.provider.script("*", Reply.says("Hello there.", stall_after=3))
    with trace("adapter contract"):
        events = adapter.model().stream_response(**arguments("Hi", {}))
        async with aclosing(events):
            for _ in range(taken):
                await anext(events)
    assert await asyncio.to_thread(adapter.provider.wait_until_idle)
    assert "client_left" == adapter.provider.served[0].outcome


async def test_failure_before_the_first_event(adapter: Adapter) -> None:
    """A request that fails raises at the first event."""
    adapter.provider.script("*", Reply.fails(401))
    with pytest.raises(litellm.AuthenticationError):
        await adapter.stream()


async def test_failure_in_the_middle(adapter: Adapter) -> None:
    """An error inside the stream is raised after the events before it."""
    adapter.provider.script("*", Reply.fails(500, text="Hello there.", error_after=3))
    seen: list[str] = []

    async def read() -> None:
        """Note every event."""
        async for event in adapter.model().stream_response(**arguments("Hi", {})):
            seen.append(event.type)  # noqa: PERF401 - what came before the error counts

    with trace("adapter contract"), pytest.raises(MidStreamFallbackError, match="told to fail"):
        await read()
    assert "response.output_text.delta" in seen
    assert "response.completed" not in seen


async def test_streams_are_lazy(adapter: Adapter) -> None:
    """Making the stream sends nothing; the first read does."""
    events = adapter.model().stream_response(**arguments("Hi", {"tracing": ModelTracing.DISABLED}))
    assert not adapter.provider.served
    async with aclosing(events):
        await anext(events)
    assert 1 == adapter.provider.calls_served()
