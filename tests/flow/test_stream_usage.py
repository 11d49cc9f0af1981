"""The tokens of a stream: the same on both planes, in the metrics, and at the provider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import litellm
import pytest
from agents import Agent, ModelSettings, Runner, set_trace_processors

import litespan
from litespan.testing import Capture, Provider, Reply, ServedUsage, ToolCall
from tests.fakes.litellm_calls import API_KEY, MODELS, WIRES, chat
from tests.flow import figures
from tests.flow.tools import weather

USAGE = ServedUsage(
    input_tokens=1200,
    output_tokens=90,
    cache_read_tokens=300,
    cache_write_tokens=200,
    cache_write_1h_tokens=100,
    reasoning_tokens=40,
)


@pytest.fixture(autouse=True)
def _all_token_classes(provider: Provider) -> None:
    """Let every answer report the full set of token classes."""
    provider.default = Reply.says("Hello, world", usage=USAGE)


@pytest.fixture
def generations() -> Iterator[figures.Generations]:
    """The program's own tracing processor."""
    processor = figures.Generations()
    set_trace_processors([processor])
    yield processor
    set_trace_processors([])


def agent_on(provider: Provider, wire: str, **settings: bool) -> Agent:
    """Return an agent with a tool, on a wire, with the SDK's default settings."""
    model = litespan.LitellmModel(MODELS[wire], provider.url(wire), API_KEY)
    return Agent(name="A", model=model, tools=[weather], model_settings=ModelSettings(**settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("wire", WIRES)
async def test_streamed_run_has_the_providers_tokens_everywhere(
    provider: Provider, generations: figures.Generations, wire: str
) -> None:
    """With default settings a streamed run's tokens equal the provider's in all four places."""
    provider.script("*", Reply.calls(ToolCall("weather", {"city": "Rome"}), usage=USAGE))
    with Capture() as capture:
        run = Runner.run_streamed(agent_on(provider, wire), "What is the weather in Rome?")
        async for _ in run.stream_events():
            pass

    served = figures.of_provider(provider.delivered())
    assert (2400, 180, 600) == served[:3]
    assert served == figures.of_spans(capture.named("chat"))
    assert served == figures.of_metrics(capture)
    assert served == generations.tokens
    assert served == figures.of_run(run.context_wrapper.usage)
    assert (2, 2) == (len(capture.named("chat")), len(generations.ended))


@pytest.mark.parametrize("wire", WIRES)
async def test_plain_stream_has_the_providers_tokens(provider: Provider, wire: str) -> None:
    """A stream of plain LiteLLM, awaited or not, is counted with the provider's tokens."""
    with Capture() as capture:
        async for _ in await litellm.acompletion(**chat(provider, wire, stream=True)):
            pass
        for _ in litellm.completion(**chat(provider, wire, stream=True)):
            pass

    served = figures.of_provider(provider.delivered())
    assert served == figures.of_spans(capture.named("chat"))
    assert served == figures.of_metrics(capture)
    assert 2400 == served.input


async def test_one_hour_cache_writes_of_a_stream_have_their_own_price(provider: Provider) -> None:
    """The lifetime of Anthropic's cache writes survives streaming: the cost charges each at its price."""
    prices = {
        "anthropic/claude-sonnet-4-5": {
            "input": 1.0, "cache_read": 10.0, "cache_write": 100.0, "cache_write_1h": 1000.0, "output": 1e4,
        }
    }  # fmt: skip
    with Capture(prices=prices) as capture:
        async for _ in await litellm.acompletion(**chat(provider, "anthropic", stream=True)):
            pass

    expected = (600 * 1 + 300 * 10 + 200 * 100 + 100 * 1000 + 90 * 10_000) / 1e6
    assert pytest.approx(expected) == capture.total("litespan.cost")


@pytest.mark.parametrize("settings", [{}, {"request_stream_usage": False}])
async def test_a_caller_who_declines_usage_gets_none(provider: Provider, settings: dict[str, Any]) -> None:
    """`include_usage=False` of the program is left alone, and what nobody reported is missing, not 0."""
    with Capture(**settings) as capture:
        arguments = chat(provider, stream=True, stream_options={"include_usage": False})
        chunks = [chunk async for chunk in await litellm.acompletion(**arguments)]

    assert {"include_usage": False} == provider.served[0].request.json["stream_options"]
    assert not any(getattr(chunk, "usage", None) for chunk in chunks)
    assert_missing(capture)


async def test_setting_off_asks_for_nothing(provider: Provider) -> None:
    """With `request_stream_usage=False` the request is the program's own, and the usage missing."""
    with Capture(request_stream_usage=False) as capture:
        async for _ in await litellm.acompletion(**chat(provider, stream=True)):
            pass

    assert "stream_options" not in provider.served[0].request.json
    assert_missing(capture)


async def test_agent_that_declines_usage_gets_none(provider: Provider) -> None:
    """The same through the Agents SDK's `ModelSettings(include_usage=False)`."""
    with Capture() as capture:
        run = Runner.run_streamed(agent_on(provider, "openai", include_usage=False), "Hi")
        async for _ in run.stream_events():
            pass

    assert not provider.served[0].asked_for_usage
    assert_missing(capture)


@pytest.mark.parametrize("options", [(), (None,), ({"include_usage": True},)])
def test_stream_that_is_asked_for_by_position(provider: Provider, options: tuple[Any, ...]) -> None:
    """Every argument of LiteLLM's may be given by position, and the stream is as it is without litespan."""
    arguments = chat(provider)
    asked = (arguments.pop("model"), arguments.pop("messages"), 30, 0.5, 1.0, 1, True, *options)
    bare = len(list(litellm.completion(*asked, **arguments)))
    with Capture() as capture:
        assert bare == len(list(litellm.completion(*asked, **arguments)))

    [span] = capture.named("chat")
    attributes = dict(span.attributes or {})
    assert (True, 0.5) == (attributes["gen_ai.request.stream"], attributes["gen_ai.request.temperature"])
    # What the program gives by position itself nobody can add to.
    expected = "missing" if options == (None,) else "reported"
    assert expected == attributes["litespan.usage.source"]


def assert_missing(capture: Capture) -> None:
    """Check that the one call says that its usage is missing, and shows no token."""
    attributes = dict(capture.named("chat")[0].attributes or {})
    assert "missing" == attributes["litespan.usage.source"]
    assert [] == [name for name in attributes if name.startswith("gen_ai.usage.")]
    assert 1 == capture.total("litespan.calls.usage_missing", reason="not_reported")
    assert [] == capture.points("gen_ai.client.inference.usage.input_tokens")
    assert [] == capture.points("gen_ai.client.token.usage")


async def test_a_caller_who_asks_gets_the_usage_chunk(provider: Provider) -> None:
    """`include_usage=True` of the program still brings its extra chunk, with the provider's figures."""
    arguments = chat(provider, stream=True, stream_options={"include_usage": True})
    bare = [chunk async for chunk in await litellm.acompletion(**arguments)]
    with Capture() as capture:
        seen = [chunk async for chunk in await litellm.acompletion(**arguments)]

    assert len(bare) == len(seen)
    assert [None] * (len(seen) - 1) == [getattr(chunk, "usage", None) for chunk in seen[:-1]]
    assert (1200, 90) == (seen[-1].usage.prompt_tokens, seen[-1].usage.completion_tokens)
    assert (1200, 90) == figures.of_metrics(capture)[:2]


async def test_time_to_first_chunk_is_on_both_planes(
    provider: Provider, generations: figures.Generations
) -> None:
    """Time to first chunk, measured once, is on the span, in the metric and on the SDK's span."""
    with Capture() as capture:
        run = Runner.run_streamed(agent_on(provider, "openai"), "Hi")
        events: AsyncIterator[object] = run.stream_events()
        async for _ in events:
            pass

    seconds = (capture.named("chat")[0].attributes or {})["gen_ai.response.time_to_first_chunk"]
    assert seconds == generations.ended[0].model_config["litespan"]["time_to_first_chunk"]  # type: ignore[index]
    assert seconds == capture.total("gen_ai.client.operation.time_to_first_chunk")
    assert 0 < float(str(seconds)) < 30
