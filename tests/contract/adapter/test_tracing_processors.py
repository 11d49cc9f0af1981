"""Constructing a model is enough to be instrumented, and leaves the program's tracing alone."""

from __future__ import annotations

import pytest
from agents import Agent, Runner, set_trace_processors
from agents.tracing.processors import default_processor

import litespan
from litespan import _api
from litespan.sources.agents_install import registered
from litespan.sources.agents_processor import AgentsProcessor
from litespan.testing import Capture, Provider
from tests.contract.adapter.span_log import SpanLog
from tests.fakes.litellm_calls import API_KEY, MODELS


@pytest.fixture
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a process in which nobody has called ``uninstrument()`` yet."""
    monkeypatch.setattr(_api, "_opted_out", False)


@pytest.mark.usefixtures("fresh_process")
def test_construction_instruments() -> None:
    """The first model instruments the process, and a second one adds nothing."""
    assert not litespan.stats()["instrumented"]
    litespan.LitellmModel(MODELS["openai"])
    litespan.LitellmModel(MODELS["openai"])
    assert litespan.stats()["instrumented"]
    assert [AgentsProcessor] == [type(processor) for processor in registered() or ()]


@pytest.mark.usefixtures("fresh_process")
def test_a_provider_instruments() -> None:
    """A model that the provider makes instruments as well."""
    litespan.LitellmProvider().get_model(MODELS["openai"])
    assert litespan.stats()["instrumented"]


def test_uninstrument_is_respected() -> None:
    """After ``uninstrument()`` a new model leaves the process as it is."""
    litespan.uninstrument()
    litespan.LitellmModel(MODELS["openai"])
    assert not litespan.stats()["instrumented"]
    assert () == registered()


@pytest.mark.usefixtures("fresh_process")
def test_other_processors_stay() -> None:
    """The program's processors stay in their order, the SDK's exporter to OpenAI among them."""
    others = [SpanLog(), default_processor(), SpanLog()]
    set_trace_processors(others)
    litespan.LitellmModel(MODELS["openai"])
    ours, *kept = registered() or ()
    assert isinstance(ours, AgentsProcessor)
    assert others == kept
    litespan.uninstrument()
    assert others == list(registered() or ())


def test_construction_does_not_replace_a_set_up() -> None:
    """In a process that is set up already, a new model changes nothing."""
    with Capture():
        before = registered()
        litespan.LitellmModel(MODELS["openai"])
        assert before == registered()


@pytest.mark.usefixtures("fresh_process")
async def test_other_processors_see_the_run(provider: Provider) -> None:
    """A processor beside the implicit instrumentation sees every span of a run."""
    log = SpanLog()
    set_trace_processors([log])
    model = litespan.LitellmModel(MODELS["openai"], base_url=provider.base_url, api_key=API_KEY)
    await Runner.run(Agent(name="Greeter", model=model), "Hi")
    assert {"task", "agent", "turn", "generation"} == {span.span_data.type for span in log.ended}


async def test_a_model_works_uninstrumented(provider: Provider) -> None:
    """Without instrumentation the model is the SDK's: it answers, and asks for no usage."""
    model = litespan.LitellmModel(MODELS["openai"], base_url=provider.base_url, api_key=API_KEY)
    result = Runner.run_streamed(Agent(name="Greeter", model=model), "Hi")
    async for _ in result.stream_events():
        pass
    assert "Hello from the fake provider." == result.final_output
    assert "stream_options" not in provider.served[0].request.json
