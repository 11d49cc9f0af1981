"""Calls that a program makes while the SDK still names a model stream which it has left.

Only streams that are read without a ``Runner`` do that: their generator cannot reset the current span where
the program goes on.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import litellm
import pytest
from agents import Agent, OpenAIChatCompletionsModel, Runner, agent_span, trace
from agents.models.interface import Model
from inline_snapshot import snapshot

from litespan.testing import Capture, Provider, Reply
from tests.fakes.litellm_calls import chat
from tests.flow.models import litespan_model, open_stream
from tests.flow.own_models import OwnModel
from tests.flow.test_other_models import Maker, chat_model
from tests.flow.troubles import until_all_ended

MODELS = pytest.mark.parametrize("make", [litespan_model, chat_model], ids=["LiteLLM's", "OpenAI's"])
CLOSED = pytest.mark.parametrize("closed", [True, False], ids=["closed", "kept"])


@pytest.fixture(autouse=True)
def long_answer(provider: Provider) -> None:
    """Let the stream stop after a few pieces, and the calls after it be answered at once."""
    provider.script("*", Reply.says("a b c d e f", pieces=6, stall_after=4))
    provider.default = Reply.says("ok")


async def left(stream: Any) -> list[Any]:
    """Read the first event of a stream; return the only reference to it."""
    await anext(stream)
    return [stream]


@asynccontextmanager
async def beside(streams: list[Any], *, closed: bool) -> AsyncIterator[None]:
    """Go on after a stream was dropped, or while it is still open."""
    if closed:
        streams.clear()
        gc.collect()
    yield
    for stream in streams:
        await stream.aclose()


@asynccontextmanager
async def after_its_trace(model: Model, *, closed: bool) -> AsyncIterator[None]:
    """Leave a model's stream in a trace, and go on after that trace has ended."""
    with trace("Mine"):
        streams = await left(open_stream(model))
    async with beside(streams, closed=closed):
        yield
    await until_all_ended()


async def call_twice(provider: Provider) -> None:
    """Make two calls."""
    for _ in range(2):
        await litellm.acompletion(**chat(provider))


@MODELS
@CLOSED
async def test_after_its_trace(provider: Provider, capture: Capture, make: Maker, *, closed: bool) -> None:
    """A call made after the trace has ended joins it no more."""
    async with after_its_trace(make(provider), closed=closed):
        await call_twice(provider)

    assert ["invoke_workflow Mine", "  chat gpt-4o-mini", *["chat gpt-4o-mini"] * 2] == (
        capture.tree().splitlines()
    )


@MODELS
@CLOSED
async def test_in_the_next_trace(provider: Provider, capture: Capture, make: Maker, *, closed: bool) -> None:
    """A call and a run in a trace that begins later are in that one."""
    async with after_its_trace(make(provider), closed=closed):
        with trace("Next"):
            await call_twice(provider)
            await Runner.run(Agent(name="A", model=make(provider)), "Hi")

    assert (
        snapshot("""\
invoke_workflow Mine
  chat gpt-4o-mini
invoke_workflow Next
  chat gpt-4o-mini
  chat gpt-4o-mini
  invoke_agent A
    chat gpt-4o-mini\
""")
        == capture.tree()
    )


@MODELS
@CLOSED
async def test_run_after_its_trace(
    provider: Provider, capture: Capture, make: Maker, *, closed: bool
) -> None:
    """A run has a tree of its own, though the SDK gives it a parent in the trace before."""
    async with after_its_trace(make(provider), closed=closed):
        await Runner.run(Agent(name="A", model=make(provider)), "Hi")

    assert (
        snapshot("""\
invoke_workflow Mine
  chat gpt-4o-mini
invoke_workflow A
  invoke_agent A
    chat gpt-4o-mini\
""")
        == capture.tree()
    )


@MODELS
@CLOSED
async def test_within_its_trace(provider: Provider, capture: Capture, make: Maker, *, closed: bool) -> None:
    """A call made in the same agent is a call of its own there, and none of the stream's."""
    with trace("Mine"), agent_span("A"):
        streams = await left(open_stream(make(provider)))
        async with beside(streams, closed=closed):
            await call_twice(provider)
    await until_all_ended()

    expected = ["invoke_workflow Mine", "  invoke_agent A", *["    chat gpt-4o-mini"] * 3]
    assert expected == capture.tree().splitlines()
    assert 1 == capture.total("litespan.calls", litespan__outcome="abandoned")
    assert 2 == capture.total("litespan.calls", litespan__outcome="ok")


async def test_own_model_closed_in_another_task(provider: Provider, capture: Capture) -> None:
    """The same after a model of the program's own, once its span has ended."""
    with trace("Mine"):
        [stream] = await left(open_stream(OwnModel(provider)))
        await asyncio.create_task(stream.aclose())
        await call_twice(provider)
    await until_all_ended()

    assert ["invoke_workflow Mine", *["  chat gpt-4o-mini"] * 3] == capture.tree().splitlines()


async def test_trace_that_is_not_known_any_more(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """A span that ended long ago is no run that litespan was not told of."""
    with Capture(), trace("Mine"):
        [stream] = await left(open_stream(litespan_model(provider)))
        await asyncio.create_task(stream.aclose())
    with Capture() as capture:
        await litellm.acompletion(**chat(provider))

    assert "chat gpt-4o-mini" == capture.tree()
    assert "" == caplog.text


class ClientOverLiteLLM:
    """What the SDK's model of OpenAI's API needs of a client, with LiteLLM behind it."""

    def __init__(self, provider: Provider) -> None:
        self.base_url = provider.base_url
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=self._create))
        self._provider = provider

    async def _create(self, **options: Any) -> Any:
        given = {name: value for name, value in options.items() if isinstance(value, (str, list, bool))}
        return await litellm.acompletion(**{**chat(self._provider), **given, "model": "openai/gpt-4o-mini"})


async def test_call_that_the_stream_itself_makes(provider: Provider, capture: Capture) -> None:
    """A model that is running stands for the call that it makes."""
    with trace("Mine"):
        client: Any = ClientOverLiteLLM(provider)
        streams = await left(open_stream(OpenAIChatCompletionsModel("gpt-4o-mini", client)))
        async with beside(streams, closed=False):
            await call_twice(provider)
    await until_all_ended()

    assert ["invoke_workflow Mine", *["  chat gpt-4o-mini"] * 3] == capture.tree().splitlines()
