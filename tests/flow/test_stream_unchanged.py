"""A program that streams sees, chunk by chunk and event by event, what it sees without litespan."""

from __future__ import annotations

import collections.abc
import copy
import gc
import inspect
import pickle
import re
import sys
import warnings
from collections.abc import Callable
from typing import Any

import litellm
import pytest
from agents import Agent, Runner
from agents.extensions.models.litellm_model import LitellmModel
from openai.types.responses import ResponseCompletedEvent

from litespan.testing import Capture, Provider, Reply, ToolCall
from tests.fakes.azure_wire import AzureWire
from tests.fakes.litellm_calls import API_KEY, MODELS, WIRES, chat, target
from tests.fakes.odd_streams import (
    Change,
    OddWire,
    after_the_finish,
    of_another_choice,
    without_a_choice,
)
from tests.flow.tools import weather
from tests.versions import installed

ROME, OSLO = ToolCall("weather", {"city": "Rome"}), ToolCall("weather", {"city": "Oslo"})
REPLIES = {
    "text": Reply.says("Hello to all of you", model="gpt-4o-mini-2024-07-18"),
    "no text": Reply.says(""),
    "one piece": Reply.says("Yes", pieces=1),
    "length": Reply.says("Hello to", finish_reason="length"),
    "reasoning": Reply.says("Four", reasoning="Two and two"),
    "tool call": Reply.calls(ROME),
    "text and parallel tool calls": Reply.calls(ROME, OSLO, text="I will ask twice."),
    "refusal": Reply.refuses("No."),
    "logprobs and tier": Reply.says(
        "Hello to all", logprobs=True, service_tier="flex", system_fingerprint="fp_1"
    ),
}


# What differs between any two runs, and what litespan may fill in.
VARYING = {"id", "created", "created_at", "item_id", "response_id", "call_id", "obfuscation", "usage"}


def essence(value: Any) -> Any:
    """Return everything of a chunk or event except ids, times and usage."""
    if hasattr(value, "model_dump"):
        return {"type of object": type(value).__name__, **essence(value.model_dump())}
    if isinstance(value, dict):
        return {name: essence(item) for name, item in value.items() if name not in VARYING}
    if isinstance(value, (list, tuple)):
        return [essence(item) for item in value]
    return value


async def read_async(arguments: dict[str, Any]) -> list[Any]:
    """Read a chat stream that is awaited."""
    return [essence(chunk) async for chunk in await litellm.acompletion(**arguments)]


async def read_sync(arguments: dict[str, Any]) -> list[Any]:
    """Read a chat stream that is not awaited."""
    return [essence(chunk) for chunk in litellm.completion(**arguments)]


async def bare_and_seen(arguments: dict[str, Any], read: Callable[..., Any]) -> tuple[Any, Any, Capture]:
    """Read a stream without litespan and with it; return both, and what litespan has of the second."""
    bare = await read(arguments)
    with Capture() as capture:
        seen = await read(arguments)
    return bare, seen, capture


def check_whole_call(capture: Capture) -> None:
    """See that there was one call, which is whole, with the usage of the usual reply."""
    [call] = capture.spans
    assert "ok" == (call.attributes or {})["litespan.outcome"]
    assert 7 == (call.attributes or {})["gen_ai.usage.output_tokens"]


@pytest.mark.parametrize("read", [read_async, read_sync])
@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("kind", REPLIES)
async def test_chunks_are_the_same(
    provider: Provider, kind: str, wire: str, read: Callable[..., Any]
) -> None:
    """Type, order, number and delta of every chunk are the bare run's, whatever the model answers."""
    provider.default = REPLIES[kind]
    arguments = chat(provider, wire, stream=True)

    bare, seen, capture = await bare_and_seen(arguments, read)

    assert bare == seen
    assert 1 == len(capture.named("chat"))
    assert ["ok"] == [dict(span.attributes or {})["litespan.outcome"] for span in capture.spans]


async def read_async_in_block(arguments: dict[str, Any]) -> list[Any]:
    """Read a chat stream that its block closes, which LiteLLM's can be from 1.110 on."""
    try:
        async with await litellm.acompletion(**arguments) as stream:
            return [essence(chunk) async for chunk in stream]
    except (AttributeError, TypeError) as error:
        return [type(error)]


async def read_sync_in_block(arguments: dict[str, Any]) -> list[Any]:
    """Do the same with one that is not awaited."""
    try:
        with litellm.completion(**arguments) as stream:
            return [essence(chunk) for chunk in stream]
    except (AttributeError, TypeError) as error:
        return [type(error)]


@pytest.mark.parametrize("read", [read_async_in_block, read_sync_in_block])
async def test_chunks_in_a_block_are_the_same(provider: Provider, read: Callable[..., Any]) -> None:
    """A program that has a block close the stream gets the bare run's chunks, and its call is whole."""
    arguments = chat(provider, stream=True)

    bare = await read(arguments)
    with Capture() as capture:
        seen = await read(arguments)
        gc.collect()

    assert bare == seen
    outcome = "ok" if hasattr(litellm.CustomStreamWrapper, "__aenter__") else "abandoned"
    assert [outcome] == [dict(span.attributes or {})["litespan.outcome"] for span in capture.spans]


@pytest.mark.parametrize("read", [read_async, read_sync])
@pytest.mark.parametrize("kind", ["text", "tool call"])
async def test_chunks_of_two_choices_are_the_same(
    provider: Provider, kind: str, read: Callable[..., Any]
) -> None:
    """With `n=2` both choices arrive as in the bare run."""
    provider.default = REPLIES[kind]
    arguments = chat(provider, stream=True, n=2)

    bare, seen, capture = await bare_and_seen(arguments, read)

    assert bare == seen
    assert provider.default.usage is not None
    assert provider.default.usage.input_tokens == capture.total("gen_ai.client.inference.usage.input_tokens")


@pytest.mark.parametrize("read", [read_async, read_sync])
async def test_chunks_without_usage_are_the_same(provider: Provider, read: Callable[..., Any]) -> None:
    """A provider that ignores the wish for usage changes nothing in the chunks, and the call has no usage."""
    provider.default = Reply.says("Hello", usage=None)
    arguments = chat(provider, stream=True)

    bare, seen, capture = await bare_and_seen(arguments, read)

    assert bare == seen
    assert ["missing"] == [dict(span.attributes or {})["litespan.usage.source"] for span in capture.spans]


@pytest.mark.parametrize("read", [read_async, read_sync])
async def test_chunks_of_azure_are_the_same(read: Callable[..., Any]) -> None:
    """What Azure says of the prompt before it answers does not become a chunk without a choice."""
    with Provider(wires=[AzureWire()]) as azure:
        arguments = {
            "model": "azure/my-deployment",
            "api_base": azure.url("azure"),
            "api_key": API_KEY,
            "api_version": "2024-10-21",
            "messages": [{"role": "user", "content": "Hi"}],
            "stream": True,
        }
        azure.default = REPLIES["text"]

        bare, seen, capture = await bare_and_seen(arguments, read)

    assert bare == seen
    check_whole_call(capture)


@pytest.mark.parametrize("read", [read_async, read_sync])
@pytest.mark.parametrize("change", [of_another_choice, after_the_finish, without_a_choice])
async def test_chunks_of_odd_streams_are_the_same(read: Callable[..., Any], change: Change) -> None:
    """The usage is kept from a program also where it comes late, and so is what has no choice at all."""
    with Provider(wires=[OddWire(change)]) as odd:
        arguments = {
            "model": "openai/m",
            "base_url": odd.url("odd"),
            "api_key": API_KEY,
            "messages": [{"role": "user", "content": "Hi"}],
            "stream": True,
        }
        odd.default = REPLIES["text"]

        bare, seen, capture = await bare_and_seen(arguments, read)

    if change is without_a_choice and installed("litellm") < (1, 84):
        # LiteLLM 1.83 makes an empty delta of each, which cannot be told from a provider's own.
        assert len(bare) + 2 == len(seen)
        assert bare == [chunk for chunk in seen if chunk in bare]
    else:
        assert bare == seen
    check_whole_call(capture)


@pytest.mark.parametrize("asked", [True, False])
async def test_chunks_are_the_same_when_the_program_decides(provider: Provider, *, asked: bool) -> None:
    """A program that says itself whether it wants usage gets the bare run's chunks too, usage included."""
    arguments = chat(provider, stream=True, stream_options={"include_usage": asked})

    bare = [
        chunk.model_dump(exclude={"id", "created"}) async for chunk in await litellm.acompletion(**arguments)
    ]
    with Capture():
        stream = await litellm.acompletion(**arguments)
        seen = [chunk.model_dump(exclude={"id", "created"}) async for chunk in stream]

    assert bare == seen


@pytest.mark.parametrize("read", [read_async, read_sync])
async def test_chunks_are_the_same_where_warnings_are_errors(
    provider: Provider, read: Callable[..., Any]
) -> None:
    """LiteLLM's own warnings about the usage that litespan asks for end no stream of a strict program."""
    arguments = chat(provider, stream=True)
    await bare_and_seen(arguments, read)  # what LiteLLM imports at its first call warns (1.109 and later)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bare, seen, capture = await bare_and_seen(arguments, read)

    assert bare == seen
    check_whole_call(capture)


async def test_text_completion_chunks_are_the_same(provider: Provider) -> None:
    """The chunks of a text completion, awaited or not, are the bare run's."""
    arguments = {**target(provider), "prompt": "Once upon", "stream": True}

    async def read() -> list[Any]:
        chunks = [chunk async for chunk in await litellm.atext_completion(**arguments)]
        chunks += list(litellm.text_completion(**arguments))
        # On the last chunk litespan fills the usage in; LiteLLM 1.83 has zeros on the others, 1.109 nothing.
        return [
            (essence(chunk), chunk.choices[0].finish_reason is not None or chunk.usage is None)
            for chunk in chunks
        ]

    bare = await read()
    with Capture() as capture:
        seen = await read()

    assert bare == seen
    assert 2 == len(capture.named("text_completion gpt-4o-mini"))
    assert 2 == capture.total("litespan.calls", litespan__outcome="ok")
    assert 24 == capture.total("gen_ai.client.inference.usage.input_tokens")


@pytest.mark.parametrize("wire", WIRES)
async def test_events_of_the_responses_api_are_the_same(provider: Provider, wire: str) -> None:
    """The events of the Responses API, native or made by LiteLLM from another wire, are the bare run's."""
    provider.default = REPLIES["text and parallel tool calls"]
    arguments = {**target(provider, wire), "input": "Hi", "stream": True}

    async def read() -> list[Any]:
        events = [essence(event) async for event in await litellm.aresponses(**arguments)]
        return [*events, *(essence(event) for event in litellm.responses(**arguments))]

    bare = await read()
    with Capture() as capture:
        seen = await read()

    assert bare == seen
    assert 2 == len(capture.named("chat"))
    assert (12 + 12) == capture.total("gen_ai.client.inference.usage.input_tokens")


@pytest.mark.parametrize("kind", ["text", "reasoning", "tool call", "text and parallel tool calls"])
@pytest.mark.parametrize("wire", WIRES)
async def test_events_of_the_agents_sdk_are_the_same(provider: Provider, wire: str, kind: str) -> None:
    """A streamed run delivers the bare run's events, and the same final output."""
    model = LitellmModel(MODELS[wire], provider.url(wire), API_KEY)
    agent = Agent(name="A", model=model, tools=[weather])

    async def read() -> list[Any]:
        provider.script("*", REPLIES[kind], Reply.says("That is all"))
        run = Runner.run_streamed(agent, "Hi")
        events = [event async for event in run.stream_events()]
        return [*(essence_of_event(event) for event in events), run.final_output]

    bare = await read()
    provider.reset()
    with Capture() as capture:
        seen = await read()

    assert bare == seen
    assert len(provider.served) == len(capture.named("chat"))


def essence_of_event(event: Any) -> Any:
    """Return the content of an event of the Agents SDK."""
    if event.type == "raw_response_event":
        return essence(event.data)
    if event.type == "run_item_stream_event":
        return [event.name, essence(event.item.raw_item), essence(event.item.to_input_item())]
    return [event.type, event.new_agent.name]


async def test_the_completed_event_has_the_usage(provider: Provider) -> None:
    """The one thing that a streamed run gains: the completed event has the provider's usage."""
    agent = Agent(name="A", model=LitellmModel(MODELS["openai"], provider.url("openai"), API_KEY))
    with Capture():
        run = Runner.run_streamed(agent, "Hi")
        events = [event async for event in run.stream_events()]

    raw = [event.data for event in events if event.type == "raw_response_event"]
    completed = [event.response for event in raw if isinstance(event, ResponseCompletedEvent)]
    assert [(12, 7)] == [(r.usage.input_tokens, r.usage.output_tokens) for r in completed if r.usage]


async def test_stream_object_is_the_hosts_to_the_program(provider: Provider) -> None:
    """`isinstance`, attributes and `aclose` of a stream are LiteLLM's own."""
    with Capture():
        stream: Any = await litellm.acompletion(**chat(provider, stream=True))
        stream.mine = "something"
        assert "something" == vars(stream)["mine"]
        del stream.mine
        assert not hasattr(stream, "mine")
        assert isinstance(stream, litellm.CustomStreamWrapper)
        assert "openai" == stream.custom_llm_provider
        stream.completion_stream, kept = None, stream.completion_stream
        assert vars(stream)["completion_stream"] is None
        stream.completion_stream = kept
        first = await anext(stream)
        assert first is stream.chunks[0] or first.choices[0].delta.role == "assistant"
        await stream.aclose()  # type: ignore[no-untyped-call]


# Each kind of stream that LiteLLM hands out: what makes it, with which arguments, on which wire.
STREAMS: dict[str, tuple[str, dict[str, Any], str]] = {
    "awaited chat": ("acompletion", {"messages": [{"role": "user", "content": "Hi"}]}, "openai"),
    "blocking chat": ("completion", {"messages": [{"role": "user", "content": "Hi"}]}, "openai"),
    "awaited text": ("atext_completion", {"prompt": "Hi"}, "openai"),
    "blocking text": ("text_completion", {"prompt": "Hi"}, "openai"),
    "awaited events": ("aresponses", {"input": "Hi"}, "openai"),
    "blocking events": ("responses", {"input": "Hi"}, "openai"),
    "events made of a chat": ("aresponses", {"input": "Hi"}, "anthropic"),
    "Anthropic's events": (
        "anthropic_messages", {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9}, "gemini",
    ),
}  # fmt: skip
# What programs and frameworks ask a stream for, beside what one of LiteLLM's streams has.
ASKED_FOR = {
    name for kind in vars(collections.abc).values() if isinstance(kind, type) for name in dir(kind)
} - {"__module__"} | {
    "__enter__",
    "__exit__",
    "__aenter__",
    "__aexit__",
    "__wrapped__",
    "aclose",
    "close",
    "fileno",
}
# What Python gives a class when it is first asked for, and from 3.13 on to any that is written in Python.
OF_ANY_CLASS = {"__annotations__"}
if sys.version_info >= (3, 13):
    OF_ANY_CLASS |= {"__firstlineno__", "__static_attributes__", "__weakref__"}
SHAPES = [kind for kind in vars(collections.abc).values() if isinstance(kind, type)]


def told_by(stream: Any) -> dict[str, Any]:
    """Return what a program can learn of a stream without reading it; addresses differ between any two."""
    return {
        # First: Python keeps a note of a copy on the class.
        "copied": tried(copy.copy, stream),
        "pickled": tried(pickle.dumps, stream),
        "has": {name for name in ASKED_FOR | set(dir(stream)) if hasattr(stream, name)} - OF_ANY_CLASS,
        "dir": sorted(set(dir(stream)) - OF_ANY_CLASS),
        "is a": {kind.__name__ for kind in SHAPES if isinstance(stream, kind)},
        "kind": (inspect.isasyncgen(stream), inspect.isgenerator(stream), inspect.isawaitable(stream)),
        "repr": re.sub("0x[0-9a-f]+", "", f"{stream!r} {stream} {type(stream)}"),
        "doc": (type(stream).__name__, type(stream).__module__, stream.__doc__),
        "length": tried(len, stream),
    }


def tried(function: Callable[[Any], Any], stream: Any) -> Any:
    """Return the type of a result, or the type and the text of an exception."""
    try:
        return type(function(stream))
    except Exception as error:  # noqa: BLE001 - it is compared
        return type(error), re.sub("0x[0-9a-f]+", "", str(error))


@pytest.mark.parametrize("kind", STREAMS)
async def test_streams_have_what_they_have_without_litespan(provider: Provider, kind: str) -> None:
    """`hasattr`, `isinstance`, `repr`, copying and pickling of a stream say what the bare stream's say."""
    name, arguments, wire = STREAMS[kind]

    async def made() -> Any:
        stream = getattr(litellm, name)(**target(provider, wire), **arguments, stream=True)
        return await stream if inspect.isawaitable(stream) else stream

    bare = told_by(await made())
    with Capture():
        seen = told_by(await made())

    assert bare == seen
