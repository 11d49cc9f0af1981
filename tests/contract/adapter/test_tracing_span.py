"""The SDK's own generation span, as any other trace processor sees it."""

from __future__ import annotations

from typing import Any

import litellm
import pytest
from agents import Agent, ModelSettings, Runner, trace
from agents.models.interface import ModelTracing

from litespan.testing import Reply, ServedUsage
from tests.contract.adapter.harness import Adapter, Caller, arguments
from tests.contract.adapter.span_log import SpanLog
from tests.versions import needs

SETTINGS = ModelSettings(temperature=0.25, max_tokens=33, include_usage=True, metadata={"customer": "c1"})
USAGE = ServedUsage(input_tokens=120, output_tokens=40, cache_read_tokens=30, reasoning_tokens=10)
OURS = "litespan"
"""The one key that litespan adds to ``model_config``: cost and time to first chunk."""


def config(log: SpanLog) -> dict[str, Any]:
    """Return the model config of the generation span, without what litespan adds."""
    return {key: value for key, value in (log.generation.model_config or {}).items() if key != OURS}


async def test_one_generation_span(caller: Caller, log: SpanLog) -> None:
    """A call is one generation span with the model's full name."""
    await caller.ask()
    assert ["generation"] == [span.span_data.type for span in log.ended]
    assert "openai/gpt-4o-mini" == log.generation.model


async def test_model_config(caller: Caller, log: SpanLog) -> None:
    """The model config holds the settings, the base URL and the implementation's name."""
    await caller.ask(settings=SETTINGS)
    base_url = caller.adapter.provider.base_url
    expected = {
        **SETTINGS.to_traceable_dict(),
        "base_url": base_url,
        "model_impl": "litellm",
    }
    assert expected == config(log)
    assert (0.25, 33, {"customer": "c1"}) == tuple(
        config(log)[key] for key in ("temperature", "max_tokens", "metadata")
    )


async def test_base_url_without_secrets(caller: Caller, log: SpanLog) -> None:
    """User, password and query of the base URL are not in the span; LiteLLM itself refuses such a URL."""
    host = caller.adapter.provider.base_url.removeprefix("http://")
    model = caller.adapter.model(base_url=f"http://user:secret@{host}?key=secret")
    with pytest.raises(litellm.InternalServerError):
        await caller.ask(model=model, settings=ModelSettings(extra_args={"max_retries": 0}))
    assert f"http://{host}" == config(log)["base_url"]


async def test_no_base_url(caller: Caller, log: SpanLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model without a base URL has an empty one in its span."""
    monkeypatch.setenv("OPENAI_API_BASE", caller.adapter.provider.base_url)
    await caller.ask(model=caller.adapter.model(base_url=None))
    assert "" == config(log)["base_url"]


async def test_data_where_allowed(caller: Caller, log: SpanLog) -> None:
    """With data the span holds the messages as they are sent, and the answer."""
    caller.adapter.provider.script("*", Reply.says("Hello."))
    sent = await caller.ask("Hi", system_instructions="Be brief.", tracing=ModelTracing.ENABLED)
    assert sent.json["messages"] == log.generation.input
    (answer,) = log.generation.output or ()
    assert "Hello." == (answer["output"][0]["content"][0]["text"] if caller.streamed else answer["content"])


@needs("openai-agents", "0.24")  # older ones show the metadata of a request all the same
async def test_no_data_where_not_allowed(caller: Caller, log: SpanLog) -> None:
    """Without data the span holds neither messages nor answer nor metadata, but model, settings and usage."""
    caller.adapter.provider.script("*", Reply.says("Hello.", usage=USAGE))
    await caller.ask(settings=SETTINGS, tracing=ModelTracing.ENABLED_WITHOUT_DATA)
    assert (None, None) == (log.generation.input, log.generation.output)
    assert "metadata" not in config(log)
    assert 0.25 == config(log)["temperature"]
    assert 120 == (log.generation.usage or {})["input_tokens"]


async def test_no_span_where_disabled(caller: Caller, log: SpanLog) -> None:
    """With tracing disabled there is no span, and the call goes on."""
    await caller.ask(tracing=ModelTracing.DISABLED)
    assert [] == log.ended


async def test_usage(caller: Caller, log: SpanLog) -> None:
    """The span holds the usage, with the details."""
    caller.adapter.provider.script("*", Reply.says("Hello.", usage=USAGE))
    await caller.ask(settings=SETTINGS)
    usage = log.generation.usage or {}
    assert (1, 120, 40, 160) == tuple(
        usage[key] for key in ("requests", "input_tokens", "output_tokens", "total_tokens")
    )
    assert 30 == usage["input_tokens_details"]["cached_tokens"]
    assert 10 == usage["output_tokens_details"]["reasoning_tokens"]


@pytest.mark.parametrize(
    ("tracing", "told"), [(ModelTracing.ENABLED, True), (ModelTracing.ENABLED_WITHOUT_DATA, False)]
)
async def test_errors(caller: Caller, log: SpanLog, tracing: ModelTracing, told: bool) -> None:
    """A failure is an error on the span; what the provider said is there only with data."""
    caller.adapter.provider.script("*", Reply.fails(401, message="no such key"))
    with pytest.raises(Exception, match="no such key"):
        await caller.ask(tracing=tracing)
    (span,) = log.ended
    verb = "streaming" if caller.streamed else "getting"
    assert span.error is not None
    assert f"Error {verb} response" == span.error["message"]
    assert told is ("no such key" in str(span.error))


async def test_a_consumer_that_stops_at_the_end(adapter: Adapter, log: SpanLog) -> None:
    """The span is filled before the last event, so that who stops there still has usage and output."""
    adapter.provider.script("*", Reply.says("Hello.", usage=USAGE))
    with trace("adapter contract"):
        events = adapter.model().stream_response(**arguments("Hi", {"settings": SETTINGS}))
        async for event in events:
            if event.type == "response.completed":
                break
        await events.aclose()
    assert 120 == (log.generation.usage or {})["input_tokens"]
    assert log.generation.output


async def test_spans_of_a_run(adapter: Adapter, log: SpanLog) -> None:
    """In a run the generation span has the same ancestors with both adapters."""
    await Runner.run(Agent(name="Greeter", model=adapter.model()), "Hi")
    kinds = {span.span_id: span.span_data.type for span in log.ended}
    parents = {kinds[span.span_id]: kinds.get(span.parent_id or "") for span in log.ended}
    assert {"generation": "turn", "turn": "agent", "agent": "task", "task": None} == parents


async def test_what_litespan_adds(adapter: Adapter, log: SpanLog) -> None:
    """Only litespan adds to the model config, and only one key: what the call cost (USD)."""
    adapter.provider.script("*", Reply.says("Hello.", usage=USAGE))
    await adapter.respond()
    added: Any = (log.generation.model_config or {}).get(OURS)
    if adapter.name == "litespan":
        assert added["cost"] > 0
        assert "USD" == added["currency"]
    else:
        assert added is None
