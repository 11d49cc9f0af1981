"""Instrumenting and taking out again: once is enough, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import litellm
import pytest
from agents import Agent, Runner, set_trace_processors
from agents.extensions.models.litellm_model import LitellmModel
from agents.tool_context import ToolContext
from agents.tracing import TracingProcessor, setup
from agents.tracing.provider import DefaultTraceProvider, TraceProvider
from litellm.llms.custom_httpx import aiohttp_transport
from opentelemetry import context as otel_context

import litespan
from litespan import _api
from litespan.sources import call_options, litellm_call, litellm_transport
from litespan.sources.agents_install import registered
from litespan.sources.litellm_entrances import found_in
from litespan.testing import Capture, Provider
from tests.fakes.litellm_calls import API_KEY, MODELS, chat
from tests.flow import figures

PATCHED = (
    *((owner, name) for owner, name, _ in found_in(litellm)),
    (ToolContext, "from_agent_context"),
    (aiohttp_transport.LiteLLMAiohttpTransport, "handle_async_request"),
    (aiohttp_transport.AiohttpResponseStream, "__aiter__"),
)


def hosts() -> list[Any]:
    """Return what litespan replaces in the hosts, as it is now."""
    return [
        *(vars(owner)[name] for owner, name in PATCHED),
        registered(),
    ]


@pytest.fixture(autouse=True)
def _taken_out_at_the_end() -> Iterator[None]:
    """Take litespan out whatever the test did."""
    yield
    litespan.uninstrument()


async def test_uninstrument_leaves_nothing_behind(provider: Provider) -> None:
    """Every patched name, the processors and the context variables are what they were."""
    others: list[TracingProcessor] = [figures.Generations(), figures.Generations()]
    set_trace_processors(others)
    before = hosts()
    with Capture() as capture:
        assert not any(now is then for now, then in zip(hosts(), before, strict=True))
        model = litespan.LitellmModel(MODELS["openai"], provider.url("openai"), API_KEY)
        await Runner.run(Agent(name="A", model=model), "Hi")
        stream = await litellm.acompletion(**chat(provider, stream=True))
        await anext(stream)

    assert all(now is then for now, then in zip(hosts()[:-1], before[:-1], strict=True))
    assert tuple(others) == hosts()[-1]
    assert [None] * 3 == [
        v.get() for v in (litellm_call.current, litellm_transport.current, call_options.current)
    ]
    assert not otel_context.get_current()
    assert 3 == len(capture.named("chat")) + len(capture.named("invoke_agent"))
    set_trace_processors([])


async def test_nothing_is_recorded_after_uninstrument(provider: Provider) -> None:
    """Calls after `uninstrument()` are the host's own again; instrumenting again sees them once more."""
    with Capture() as first:
        await litellm.acompletion(**chat(provider))
    await litellm.acompletion(**chat(provider))
    with Capture() as second:
        await litellm.acompletion(**chat(provider))

    assert (1, 1) == (len(first.spans), len(second.spans))
    assert 1 == figures.calls(second)


async def test_a_stream_that_outlives_uninstrument_still_works(provider: Provider) -> None:
    """A stream begun before `uninstrument()` is recorded up to there, and delivers its chunks to the end."""
    bare = [chunk async for chunk in await litellm.acompletion(**chat(provider, stream=True))]
    with Capture() as capture:
        stream = await litellm.acompletion(**chat(provider, stream=True))
        chunks = [await anext(stream)]
    chunks += [chunk async for chunk in stream]

    assert [c.choices[0].delta.content for c in bare] == [c.choices[0].delta.content for c in chunks]
    assert 1 == len(capture.spans)
    assert 0 == capture.total("litespan.calls.active")


async def test_a_wrapper_around_ours_is_left_alone(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where another library has wrapped the name meanwhile, its wrapper stays, and litespan goes quiet."""
    # What is there now is what the test's end puts back, and not litespan's wrapper.
    monkeypatch.setattr(litellm, "acompletion", litellm.acompletion)
    with Capture() as capture:
        ours = litellm.acompletion

        async def theirs(*args: Any, **kwargs: Any) -> Any:
            return await ours(*args, **kwargs)

        monkeypatch.setattr(litellm, "acompletion", theirs)
        await litellm.acompletion(**chat(provider))
    assert litellm.acompletion is theirs
    await litellm.acompletion(**chat(provider))

    assert 1 == len(capture.spans)


def test_twice_the_same_is_once() -> None:
    """A second `instrument()` with the same settings does nothing."""
    litespan.instrument(turn_spans=True)
    once = hosts()
    litespan.instrument(turn_spans=True)

    assert all(now is then for now, then in zip(hosts(), once, strict=True))


def test_twice_with_other_settings_is_an_error() -> None:
    """A second `instrument()` with other settings names them, says what to do, and changes nothing."""
    litespan.instrument(turn_spans=True)
    once = hosts()
    message = r"already set up with other settings: redact, turn_spans\..*uninstrument\(\) first"
    with pytest.raises(litespan.ConfigurationError, match=message):
        litespan.instrument(turn_spans=False, redact=str.upper)

    assert all(now is then for now, then in zip(hosts(), once, strict=True))


def test_an_explicit_set_up_replaces_an_implicit_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a model set up on its own gives way to `instrument()`, whatever its settings."""
    monkeypatch.setattr(_api, "_opted_out", False)
    litespan.LitellmModel("openai/gpt-4o")
    assert litespan.stats()["instrumented"]
    litespan.instrument(turn_spans=True)

    assert _api._installed is not None
    assert _api._installed.settings.turn_spans


def test_a_model_respects_uninstrument() -> None:
    """After `uninstrument()` building a model instruments nothing."""
    litespan.instrument()
    litespan.uninstrument()
    litespan.LitellmModel("openai/gpt-4o")

    assert not litespan.stats()["instrumented"]


def test_a_wrong_environment_does_not_break_a_model(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong variable is told, once, not raised, where a model is built: only configuration raises."""
    monkeypatch.setattr(_api, "_opted_out", False)
    monkeypatch.setattr(_api, "_off_logged", False)
    monkeypatch.setenv("LITESPAN_TURN_SPANS", "perhaps")
    for _ in range(2):
        litespan.LitellmModel("openai/gpt-4o")

    assert [
        "litespan is off: LITESPAN_TURN_SPANS='perhaps' is no boolean: use true or false."
    ] == caplog.messages
    assert not litespan.stats()["instrumented"]


async def test_a_name_bound_under_an_earlier_set_up_is_seen(provider: Provider) -> None:
    """A name that a program has bound while litespan was set up before is the one that is watched now."""
    with Capture() as earlier:
        bound = litellm.acompletion
    with Capture() as capture:
        assert bound is litellm.acompletion
        await bound(**chat(provider))
    await bound(**chat(provider))

    assert "chat gpt-4o-mini" == capture.tree()
    assert not earlier.spans


async def test_a_trace_provider_of_the_program_tells_nothing_after_uninstrument(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider that has no way to take a processor out again does not make litespan record on."""
    own = DefaultTraceProvider()
    methods = {name: staticmethod(getattr(own, name)) for name in TraceProvider.__abstractmethods__}
    monkeypatch.setattr(setup, "GLOBAL_TRACE_PROVIDER", type("OfTheProgram", (TraceProvider,), methods)())
    agent = Agent[None](name="A", model=LitellmModel(MODELS["openai"], provider.url("openai"), API_KEY))

    with Capture() as earlier:
        await Runner.run(agent, "Hi")
    with Capture() as capture:
        await Runner.run(agent, "Hi")
    await Runner.run(agent, "Hi")

    tree = "invoke_workflow A\n  invoke_agent A\n    chat gpt-4o-mini"
    assert [tree, tree] == [earlier.tree(), capture.tree()]
