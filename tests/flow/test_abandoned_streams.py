"""Streams that nobody reads to their end: dropped, broken off, or closed by somebody else."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import litellm
import pytest
from agents import Agent, ModelSettings, ModelTracing, Runner, trace
from agents.models.interface import Model
from litellm import CustomLLM
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

import litespan
from litespan.testing import Capture, Provider, Reply
from tests.fakes.litellm_calls import API_KEY, MODELS, chat
from tests.flow.models import litespan_model, open_stream
from tests.flow.troubles import until, until_all_ended


@pytest.fixture(autouse=True)
def long_answer(provider: Provider) -> None:
    """Let the answer stop after a few pieces, so that no stream comes to its end by itself."""
    provider.default = Reply.says("a b c d e f", pieces=6, stall_after=4)


async def drop(stream: AsyncIterator[Any]) -> None:
    """Read nothing."""


async def read_one(stream: AsyncIterator[Any]) -> None:
    """Read one chunk and leave."""
    async for _ in stream:
        break


async def close(stream: AsyncIterator[Any]) -> None:
    """Read one chunk and close."""
    await read_one(stream)
    await stream.aclose()  # type: ignore[attr-defined]


async def close_elsewhere(stream: AsyncIterator[Any]) -> None:
    """Read one chunk and close in another task."""
    await read_one(stream)
    await asyncio.create_task(stream.aclose())  # type: ignore[attr-defined]


Leave = Callable[[AsyncIterator[Any]], Awaitable[None]]
WAYS = [drop, read_one, close, close_elsewhere]


@pytest.mark.parametrize("leave", WAYS)
async def test_plain_stream_is_abandoned(leave: Leave, provider: Provider, capture: Capture) -> None:
    """A stream of LiteLLM that the program leaves is ended as abandoned, at the latest by a flush."""
    await leave(await litellm.acompletion(**chat(provider, stream=True)))
    gc.collect()
    litespan.flush()

    assert 0 == litespan.stats()["records_open"]
    assert "chat gpt-4o-mini litespan.outcome=abandoned" == capture.tree("litespan.outcome", "error.type")
    assert 1 == capture.total("litespan.calls", litespan__outcome="abandoned")
    assert 1 == capture.total("litespan.calls.usage_missing", reason="abandoned")


def test_plain_synchronous_stream_is_abandoned(provider: Provider, capture: Capture) -> None:
    """The same holds for a synchronous stream."""
    for _ in litellm.completion(**chat(provider, stream=True)):
        break
    gc.collect()
    litespan.flush()

    assert "chat gpt-4o-mini litespan.outcome=abandoned" == capture.tree("litespan.outcome", "error.type")
    assert 0 == litespan.stats()["records_open"]


def test_a_synchronous_stream_is_closed(provider: Provider, capture: Capture) -> None:
    """Closing one ends its call there, where LiteLLM's streams can be closed (1.110)."""
    stream: Any = litellm.completion(**chat(provider, stream=True))
    next(stream)
    can_be_closed = hasattr(litellm.CustomStreamWrapper, "close")

    assert can_be_closed == hasattr(stream, "close")
    if can_be_closed:
        stream.close()
        assert [] == list(stream)
        assert "chat gpt-4o-mini litespan.outcome=abandoned" == capture.tree("litespan.outcome")


@pytest.mark.usefixtures("capture")
@pytest.mark.parametrize("leave", WAYS)
async def test_a_stream_that_is_left_is_freed(leave: Leave, provider: Provider) -> None:
    """Nothing holds a stream that the program has dropped, so that its connection is closed as ever."""
    stream: Any = await litellm.acompletion(**chat(provider, stream=True))
    inside = weakref.ref(stream.completion_stream)
    await leave(stream)
    del stream

    def is_freed() -> bool:
        gc.collect()
        return inside() is None

    await until(is_freed)


@pytest.mark.parametrize("leave", WAYS[1:])
async def test_model_stream_is_abandoned(leave: Leave, provider: Provider, capture: Capture) -> None:
    """A stream of the SDK's model that the program leaves is ended as abandoned, in its place."""
    with trace("Mine"):
        await leave(open_stream(litespan_model(provider)))
    gc.collect()
    await until_all_ended()

    assert "invoke_workflow Mine\n  chat gpt-4o-mini litespan.outcome=abandoned" == capture.tree(
        "litespan.outcome"
    ).replace("Mine litespan.outcome=ok", "Mine")


async def test_stream_that_was_never_read_made_no_call(provider: Provider, capture: Capture) -> None:
    """A stream of the SDK's model that is dropped before its first read sends nothing and leaves nothing."""
    with trace("Mine"):
        await drop(open_stream(litespan_model(provider)))
    await until_all_ended()

    assert 0 == provider.calls_served()
    assert "invoke_workflow Mine" == capture.tree()


LAST_PIECE = "c"  # of what the provider says before it stops


class Silent(CustomLLM):
    """A provider of the program's own that never answers."""

    def __init__(self, asked: threading.Event) -> None:
        super().__init__()
        self._asked = asked

    async def acompletion(self, *args: Any, **kwargs: Any) -> Any:
        """Wait for ever."""
        self._asked.set()
        await asyncio.Event().wait()


def priced(name: str, base_url: str | None = None) -> Model:
    """Return a model that says something of its own about its calls."""
    return litespan.LitellmModel(name, base_url, API_KEY, price={"input": 1, "output": 1})


async def read_stream(provider: Provider, waits: threading.Event) -> None:
    """Read a stream of LiteLLM."""
    async for chunk in await litellm.acompletion(**chat(provider, stream=True)):
        if LAST_PIECE in (chunk.choices[0].delta.content or ""):
            waits.set()


async def read_stream_of_model(provider: Provider, waits: threading.Event) -> None:
    """Read a stream of a model."""
    async for event in open_stream(priced(MODELS["openai"], provider.url("openai"))):
        if LAST_PIECE in (getattr(event, "delta", None) or ""):
            waits.set()


async def ask_model(_provider: Provider, _waits: threading.Event) -> None:
    """Ask a model that does not answer; it tells itself that it was asked."""
    await priced("silent/any").get_response(  # a name of OpenAI's would go to OpenAI
        None, "Hi", ModelSettings(), [], None, [], ModelTracing.ENABLED,
        previous_response_id=None, conversation_id=None, prompt=None,
    )  # fmt: skip


# What the hosts raise themselves when they are closed outside of a loop, from Python 3.13 on.
HOSTS_OWN = (
    *("no running event loop", "coroutine ignored GeneratorExit"),
    "Not currently running on any asynchronous event loop. Available async backends: asyncio, trio",
)


def leave(waiting: Coroutine[Any, Any, None], waits: threading.Event) -> tuple[bool, str | None]:
    """Let a coroutine come to where it waits for the model, close its loop, and then the coroutine.

    Say whether that had come to its end, and with which words it was closed.
    The thread has another loop, which the hosts' clients ask for when they are closed.
    """
    loop, other = asyncio.new_event_loop(), asyncio.new_event_loop()
    asyncio.set_event_loop(other)
    task = loop.create_task(waiting)
    loop.run_until_complete(until(waits.is_set))
    loop.close()
    words = None
    try:
        waiting.close()
    except RuntimeError as error:
        words = str(error)
    finally:
        other.close()
    return task.done(), words


@pytest.mark.parametrize(
    ("wait", "name"),
    [(read_stream, "gpt-4o-mini"), (read_stream_of_model, "gpt-4o-mini"), (ask_model, "any")],
)
def test_coroutine_closed_in_another_context(
    wait: Callable[[Provider, threading.Event], Coroutine[Any, Any, None]],
    name: str,
    provider: Provider,
    capture: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who waits for a model in a loop that is closed hears of litespan nothing, outside its task neither."""
    waits = threading.Event()
    silent = {"provider": "silent", "custom_handler": Silent(waits)}
    monkeypatch.setattr(litellm, "custom_provider_map", [silent])
    monkeypatch.setattr(litellm, "provider_list", [*litellm.provider_list, "silent"])
    monkeypatch.setattr(litellm, "_custom_providers", ["silent"])
    with ThreadPoolExecutor(1) as thread:
        ended, words = thread.submit(leave, wait(provider, waits), waits).result()
    litespan.flush()

    assert not ended
    assert words is None or words in HOSTS_OWN
    told = capture.tree("litespan.outcome", "error.type")
    if words is None:
        assert f"chat {name} litespan.outcome=abandoned" == told
    else:
        assert told.startswith(f"chat {name} litespan.outcome=error error.type=")


async def test_leaving_the_events_of_a_run_does_not_stop_it(provider: Provider, capture: Capture) -> None:
    """The SDK runs on when its events are left; the run is seen to its natural end."""
    provider.default = Reply.says("a b c")
    async for _ in Runner.run_streamed(
        Agent[None](name="A", model=litespan_model(provider)), "hi"
    ).stream_events():
        break
    await until_all_ended()

    assert [
        "invoke_workflow A litespan.outcome=ok",
        "  invoke_agent A litespan.outcome=ok",
        "    chat gpt-4o-mini litespan.outcome=ok",
    ] == capture.tree("litespan.outcome").splitlines()


async def test_program_may_hold_a_trace_open_in_a_generator(provider: Provider, capture: Capture) -> None:
    """A generator with `trace()` around a run, closed in another task, ends everything it began."""

    async def events() -> AsyncIterator[Any]:
        with trace("Mine"):
            agent = Agent[None](name="A", model=litespan_model(provider))
            async for event in Runner.run_streamed(agent, "hi").stream_events():
                yield event

    generator = events()
    async for event in generator:
        if event.type == "raw_response_event":
            break
    await asyncio.create_task(generator.aclose())  # type: ignore[attr-defined]
    del generator
    gc.collect()
    litespan.shutdown()

    assert ["invoke_workflow Mine", "  invoke_agent A", "    chat gpt-4o-mini"] == capture.tree().splitlines()
    assert 1 == capture.total("litespan.calls")


class Dropping(SpanProcessor):
    """Lets a stream vanish while it holds a lock that it needs again for the end of that stream's span."""

    def __init__(self, streams: list[Any]) -> None:
        self._lock = threading.Lock()
        self._streams = streams

    def on_end(self, span: ReadableSpan) -> None:
        """Take the lock, as exporters and OpenTelemetry's own instruments do."""
        assert self._lock.acquire(timeout=5), "a stream's end came in the middle of another end"
        self._streams.clear()
        self._lock.release()


def test_stream_may_vanish_in_the_middle_of_anything(provider: Provider, capture: Capture) -> None:
    """The garbage collector may drop a stream while a lock is held; its end waits for a safe moment."""
    streams: list[Any] = []
    capture.tracer_provider.add_span_processor(Dropping(streams))
    streams.append(litellm.completion(**chat(provider, stream=True)))
    next(streams[0])

    litellm.embedding("openai/text-embedding-3-small", ["x"], api_base=provider.base_url, api_key="none")
    litespan.flush()

    assert [] == streams
    assert ["embeddings text-embedding-3-small", "chat gpt-4o-mini"] == [span.name for span in capture.spans]
