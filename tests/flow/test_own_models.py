"""A program's own model that calls LiteLLM inside a generation span: one call, one span, the true tokens."""

from __future__ import annotations

import asyncio
from typing import Any

import litellm
import pytest
from agents import (
    Agent,
    ModelResponse,
    ModelSettings,
    Runner,
    Usage,
    custom_span,
    generation_span,
    response_span,
    trace,
)
from agents.models.interface import Model, ModelTracing
from inline_snapshot import snapshot

from litespan.testing import Capture, Provider, Reply, ServedUsage
from tests.flow import figures
from tests.flow.models import first_delta, litespan_model, open_stream
from tests.flow.own_models import OwnModel
from tests.flow.test_other_models import check, only_call, run
from tests.flow.troubles import until
from tests.versions import cut_stream

LIES = {"input_tokens": 9999, "output_tokens": 1}
USAGE = ServedUsage(input_tokens=120, output_tokens=30, cache_read_tokens=40, reasoning_tokens=8)
FAILS = Reply.fails(500, code="boom", headers={"x-should-retry": "false"})
STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
MISSING = "litespan.calls.usage_missing"


def agent(model: Model) -> Agent:
    """Return an agent of that model, with a setting that LiteLLM is told of."""
    return Agent(name="A", model=model, model_settings=ModelSettings(temperature=0.5))


# -- one call ---------------------------------------------------------------------------------------------
@STREAMED
async def test_one_span(provider: Provider, *, streamed: bool) -> None:
    """The generation span and the LiteLLM call are one span, named after the model that was called."""
    provider.default = Reply.says("Four.", usage=USAGE)
    with Capture(deterministic=True) as capture:
        await run(agent(OwnModel(provider, usage=LIES)), streamed=streamed)

    assert snapshot("""\
invoke_workflow A litespan.outcome=ok
  invoke_agent A litespan.outcome=ok
    chat gpt-4o-mini gen_ai.provider.name=openai litespan.outcome=ok litespan.attempts=1\
""") == capture.tree("gen_ai.provider.name", "litespan.outcome", "litespan.attempts")
    check(capture, provider)
    attributes = only_call(capture)
    assert (True if streamed else None) == attributes.get("gen_ai.request.stream")
    assert streamed == ("gen_ai.response.time_to_first_chunk" in attributes)
    assert ("stop",) == attributes["gen_ai.response.finish_reasons"]
    assert 0 < attributes["gen_ai.usage.cost.amount"] == pytest.approx(capture.total("litespan.cost"))
    assert "openai_agents.span_id" in attributes


async def test_the_call_corrects_what_the_span_said(provider: Provider) -> None:
    """Parameters are those that LiteLLM was given, not those that the program put on its span."""
    with Capture() as capture:
        await run(agent(OwnModel(provider)))

    assert 0.5 == only_call(capture)["gen_ai.request.temperature"]
    assert "gpt-4o-mini" == only_call(capture)["gen_ai.request.model"]


async def test_metrics_bear_the_final_names(provider: Provider) -> None:
    """All metrics are under the model that was called; the calls in flight go back to 0 under every name."""
    with Capture() as capture:
        await run(agent(OwnModel(provider)))

    for metric in ("litespan.calls", "gen_ai.client.operation.duration", "litespan.cost"):
        models = {point.attributes["gen_ai.request.model"] for point in capture.points(metric)}
        assert {"gpt-4o-mini"} == models
    assert [0] == [point.value for point in capture.points("litespan.calls.active")]


@pytest.mark.parametrize("usage", [None, LIES])
async def test_missing_usage_is_missing(provider: Provider, usage: dict[str, Any] | None) -> None:
    """A usage that the provider did not report is missing, also where the program writes one on its span."""
    provider.default = Reply.says("Hi", usage=None)
    with Capture() as capture:
        await run(agent(OwnModel(provider, usage=usage)))

    assert 1 == capture.total(MISSING, reason="not_reported")
    check(capture, provider)


async def test_program_without_litellm(provider: Provider) -> None:
    """Of a model that calls something else all that is known is what it writes on its span."""

    async def elsewhere(**_: Any) -> Any:
        return litellm.ModelResponse(choices=[{"message": {"role": "assistant", "content": "Hi"}}])

    with Capture() as capture:
        await run(agent(OwnModel(provider, elsewhere, usage={"input_tokens": 5, "output_tokens": 3})))

    wanted = ("gen_ai.provider", "gen_ai.request", "gen_ai.usage", "server.")
    attributes = {key: value for key, value in only_call(capture).items() if key.startswith(wanted)}
    assert (
        snapshot(
            {
                "gen_ai.provider.name": "unknown",
                "gen_ai.request.model": "my-model",
                "gen_ai.request.temperature": 0.1,
                "gen_ai.usage.input_tokens": 5,
                "gen_ai.usage.output_tokens": 3,
            }
        )
        == attributes
    )
    assert 5 == capture.total("gen_ai.client.inference.usage.input_tokens")


# -- failures and second calls ----------------------------------------------------------------------------
@STREAMED
async def test_failure(provider: Provider, *, streamed: bool) -> None:
    """The failure of the LiteLLM call is the failure of the one span."""
    provider.default = FAILS
    with Capture() as capture, pytest.raises(litellm.InternalServerError):
        await run(agent(OwnModel(provider)), streamed=streamed)

    assert "boom" == only_call(capture)["error.type"]
    check(capture, provider)


async def retry(**arguments: Any) -> Any:
    """Call again when the first call fails."""
    try:
        return await litellm.acompletion(**arguments)
    except litellm.InternalServerError:
        return await litellm.acompletion(**arguments)


@STREAMED
async def test_retry(provider: Provider, *, streamed: bool) -> None:
    """The call that answers is the generation's; the failed one before it is a call of its own below."""
    provider.script("gpt-4o-mini", FAILS)
    with Capture(deterministic=True) as capture:
        await run(agent(OwnModel(provider, retry, usage=LIES)), streamed=streamed)

    assert snapshot("""\
invoke_workflow A litespan.outcome=ok
  invoke_agent A litespan.outcome=ok gen_ai.usage.input_tokens=12
    chat gpt-4o-mini litespan.outcome=ok gen_ai.usage.input_tokens=12
      chat gpt-4o-mini litespan.outcome=error error.type=boom\
""") == capture.tree("litespan.outcome", "gen_ai.usage.input_tokens", "error.type")
    check(capture, provider)
    assert {"ok": 1, "error": 1} == {
        point.attributes["litespan.outcome"]: point.value for point in capture.points("litespan.calls")
    }


async def test_retry_that_fails(provider: Provider) -> None:
    """The last failure is the generation's, the one before it is below."""
    provider.script("gpt-4o-mini", FAILS, FAILS.but())
    with Capture() as capture, pytest.raises(litellm.InternalServerError):
        await run(agent(OwnModel(provider, retry)))

    assert ["error", "error"] == [
        (span.attributes or {})["litespan.outcome"] for span in capture.named("chat")
    ]
    check(capture, provider)


async def test_fallback_started_at_the_same_time(provider: Provider) -> None:
    """When a call fails while another one answers, both are below a span that has sent nothing itself."""
    provider.script("first", FAILS)

    async def hedge(**arguments: Any) -> Any:
        answers = await asyncio.gather(
            litellm.acompletion(**{**arguments, "model": "openai/first"}),
            litellm.acompletion(**{**arguments, "model": "openai/second"}),
            return_exceptions=True,
        )
        return answers[1]

    with Capture(deterministic=True) as capture:
        await run(agent(OwnModel(provider, hedge, usage={"input_tokens": 12, "output_tokens": 7})))

    assert snapshot("""\
invoke_workflow A litespan.outcome=ok
  invoke_agent A litespan.outcome=ok gen_ai.usage.input_tokens=12
    chat my-model litespan.outcome=ok
      chat first litespan.outcome=error
      chat second litespan.outcome=ok gen_ai.usage.input_tokens=12\
""") == capture.tree("litespan.outcome", "gen_ai.usage.input_tokens")
    assert 2 == provider.calls_served() == figures.calls(capture)
    assert figures.of_provider(provider.delivered()) == figures.of_metrics(capture)
    assert 0 == capture.total("litespan.calls.active")


async def judge(**arguments: Any) -> Any:
    """Look something up, ask the model, and let another one judge the answer."""
    where = {"api_base": arguments["api_base"], "api_key": "k"}
    await litellm.aembedding(model="openai/embedder", input=["Hi"], **where)
    answer = await litellm.acompletion(**arguments)
    await litellm.acompletion(model="openai/judge", messages=[{"role": "user", "content": "Good?"}], **where)
    return answer


@STREAMED
async def test_further_calls(provider: Provider, *, streamed: bool) -> None:
    """The first chat call is the generation; embeddings before it and calls after it are calls below."""
    with Capture(deterministic=True) as capture:
        await run(agent(OwnModel(provider, judge, usage=LIES)), streamed=streamed)

    assert snapshot("""\
invoke_workflow A
  invoke_agent A gen_ai.usage.input_tokens=36
    chat gpt-4o-mini gen_ai.usage.input_tokens=12
      embeddings embedder gen_ai.usage.input_tokens=12
      chat judge gen_ai.usage.input_tokens=12\
""") == capture.tree("gen_ai.usage.input_tokens")
    assert 3 == provider.calls_served() == figures.calls(capture)
    assert figures.of_provider(provider.delivered()) == figures.of_metrics(capture)
    assert 0 == capture.total("litespan.calls.active")


# -- streams that do not end ------------------------------------------------------------------------------
async def test_abandoned_stream(provider: Provider) -> None:
    """A stream that the program closes in the middle is abandoned, with one span and nothing left open."""
    provider.default = Reply.says("one two three four", pieces=4, usage=USAGE)
    with Capture() as capture, trace("own"):
        stream = open_stream(OwnModel(provider))
        await first_delta(stream)
        await stream.aclose()

    assert "abandoned" == only_call(capture)["litespan.outcome"]
    assert 1 == capture.total(MISSING, reason="abandoned")
    assert 0 == capture.total("litespan.calls.active")


async def test_cancelled_stream(provider: Provider) -> None:
    """Cancelling the reader cancels the one call."""
    provider.default = Reply.says("one two three", stall_after=2)
    reached = asyncio.Event()

    async def read() -> None:
        with trace("own"):
            async for _ in open_stream(OwnModel(provider)):
                reached.set()

    with Capture() as capture:
        task = asyncio.create_task(read())
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: len(capture.named("chat")) == 1)

    assert "cancelled" == only_call(capture)["litespan.outcome"]
    assert 0 == capture.total("litespan.calls.active")


async def test_cancelled_call(provider: Provider) -> None:
    """Cancelling a run whose model waits for its answer cancels the one call."""
    provider.default = Reply.hangs()
    with Capture() as capture:
        task = asyncio.create_task(run(agent(OwnModel(provider))))
        assert await asyncio.to_thread(provider.wait_for_calls, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: len(capture.named("chat")) == 1)

    assert "cancelled" == only_call(capture)["litespan.outcome"]
    assert 1 == capture.total(MISSING, reason="cancelled")


async def test_cut_stream(provider: Provider) -> None:
    """A cut stream is incomplete, as LiteLLM's own streams are."""
    provider.default = Reply.says("one two three", cut_after=2)
    with Capture() as capture, cut_stream():
        await run(agent(OwnModel(provider)), streamed=True)

    assert "incomplete" == only_call(capture)["litespan.outcome"]
    assert 0 == capture.total("litespan.calls.active")


async def test_stream_that_outlives_its_span(provider: Provider) -> None:
    """A stream that is read after its generation span has ended keeps the call open, and its usage counts."""
    provider.default = Reply.says("one two three", usage=USAGE)
    with Capture() as capture, trace("own"):
        with generation_span(model="mine"):
            chunks = await litellm.acompletion(
                model="openai/gpt-4o-mini", stream=True, api_base=provider.base_url, api_key="k",
                messages=[{"role": "user", "content": "Hi"}],
            )  # fmt: skip
        assert [] == capture.named("chat")
        async for _ in chunks:
            pass

    assert "ok" == only_call(capture)["litespan.outcome"]
    check(capture, provider)


async def test_call_in_flight_at_the_end_of_everything(provider: Provider) -> None:
    """Shutting down ends a span and its call together, once."""
    provider.default = Reply.hangs()
    with Capture() as capture:
        task = asyncio.create_task(run(agent(OwnModel(provider))))
        assert await asyncio.to_thread(provider.wait_for_calls, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert "cancelled" == only_call(capture)["litespan.outcome"]
    assert "gpt-4o-mini" == only_call(capture)["gen_ai.request.model"]
    assert 1 == figures.calls(capture)
    assert 0 == capture.total("litespan.calls.active")


# -- other shapes of programs -----------------------------------------------------------------------------
class OverResponses(Model):
    """Calls LiteLLM's Responses API inside a response span."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """Answer with the items of the response."""
        with response_span():
            response = await litellm.aresponses(
                model="openai/gpt-4o-mini", input="Hi", api_base=self._provider.base_url, api_key="k"
            )
        return ModelResponse(output=list(response.output), usage=Usage(requests=1), response_id=response.id)

    def stream_response(self, *args: Any, **kwargs: Any) -> Any:
        """Not used here."""
        raise NotImplementedError


async def test_own_model_over_responses(provider: Provider) -> None:
    """A response span and the call inside it are one span too."""
    provider.default = Reply.says("Four.", usage=USAGE)
    with Capture(deterministic=True) as capture:
        await run(agent(OverResponses(provider)))

    assert snapshot("""\
invoke_workflow A
  invoke_agent A
    chat gpt-4o-mini gen_ai.provider.name=openai gen_ai.response.finish_reasons=('completed',)\
""") == capture.tree("gen_ai.provider.name", "gen_ai.response.finish_reasons")
    check(capture, provider)


class Wrapping(Model):
    """Asks another model inside a generation span of its own, and reports that model's usage again."""

    def __init__(self, inner: Model) -> None:
        self._inner = inner

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """Pass the answer on."""
        with generation_span(model="router") as span:
            response = await self._inner.get_response(*args, **kwargs)
            usage = response.usage
            span.span_data.usage = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
        return response

    def stream_response(self, *args: Any, **kwargs: Any) -> Any:
        """Not used here."""
        raise NotImplementedError


async def test_a_model_around_a_model_is_not_counted_twice(provider: Provider) -> None:
    """The outer span sends nothing itself: it stands in the tree, and the inner call alone is counted."""
    provider.default = Reply.says("Four.", usage=USAGE)
    with Capture(deterministic=True) as capture:
        await run(agent(Wrapping(litespan_model(provider))))

    assert snapshot("""\
invoke_workflow A litespan.outcome=ok
  invoke_agent A gen_ai.usage.input_tokens=120 litespan.outcome=ok
    chat router litespan.outcome=ok
      chat gpt-4o-mini gen_ai.usage.input_tokens=120 litespan.outcome=ok\
""") == capture.tree("gen_ai.usage.input_tokens", "litespan.outcome")
    assert 1 == provider.calls_served() == figures.calls(capture)
    assert figures.of_provider(provider.delivered()) == figures.of_metrics(capture)
    assert 120 == capture.named("invoke_workflow")[0].attributes["litespan.total.input_tokens"]  # type: ignore[index]
    assert 0 == capture.total("litespan.calls.active")


async def test_a_model_that_only_asks_others_carries_nothing(provider: Provider) -> None:
    """Nor does it where a span of the program's own stands between it and the call that answers."""

    async def passes_on(**arguments: Any) -> Any:
        with custom_span("routing"):
            return await litellm.acompletion(**arguments)

    with Capture(deterministic=True) as capture:
        await run(agent(OwnModel(provider, passes_on)))

    assert snapshot("""\
invoke_workflow A
  invoke_agent A gen_ai.usage.input_tokens=12
    chat my-model litespan.sent=False
      custom routing
        chat gpt-4o-mini gen_ai.usage.input_tokens=12\
""") == capture.tree("gen_ai.usage.input_tokens", "litespan.sent")
    assert 1 == provider.calls_served() == figures.calls(capture)
    assert figures.of_provider(provider.delivered()) == figures.of_metrics(capture)


async def test_a_call_below_another_span_is_a_call_of_its_own(provider: Provider) -> None:
    """Only a call directly below the generation span is taken for it; a custom span tells it apart."""

    async def asks_twice(**arguments: Any) -> Any:
        with custom_span("moderation"):
            await litellm.acompletion(**{**arguments, "model": "openai/moderator"})
        return await litellm.acompletion(**arguments)

    with Capture(deterministic=True) as capture:
        await run(agent(OwnModel(provider, asks_twice)))

    assert (
        snapshot("""\
invoke_workflow A
  invoke_agent A
    chat gpt-4o-mini
      custom moderation
        chat moderator\
""")
        == capture.tree()
    )
    check(capture, provider)


@pytest.mark.parametrize("allowed", [ModelTracing.ENABLED, ModelTracing.ENABLED_WITHOUT_DATA])
async def test_content(provider: Provider, allowed: ModelTracing) -> None:
    """What LiteLLM was told and answered is kept where the run's switch allows it, as for any model."""
    with Capture(capture_content="span_only") as capture, trace("own"):
        await OwnModel(provider).get_response(
            None, "Hi", ModelSettings(), [], None, [], allowed,
            previous_response_id=None, conversation_id=None, prompt=None,
        )  # fmt: skip

    kept = [key for key in only_call(capture) if key.endswith(".messages")]
    assert (["gen_ai.input.messages", "gen_ai.output.messages"] if allowed.include_data() else []) == kept


async def test_many_at_once(provider: Provider) -> None:
    """Concurrent runs keep their calls apart."""
    with Capture() as capture:
        await asyncio.gather(*(Runner.run(agent(OwnModel(provider)), "Hi") for _ in range(10)))

    check(capture, provider)
    assert 10 == len(capture.named("chat"))
