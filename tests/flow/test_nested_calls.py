"""Calls inside calls: what the program makes is counted, what LiteLLM makes of it is not counted again."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import litellm
import pytest
from agents import Agent, ModelSettings, Runner
from litellm import CustomLLM
from litellm.integrations.custom_logger import CustomLogger

import litespan
from litespan.testing import Capture, Provider, Reply, ServedUsage
from tests.fakes.litellm_callbacks import call_back
from tests.fakes.litellm_calls import API_KEY, MODELS, chat, target
from tests.flow import figures
from tests.flow.entrances import arguments, finish
from tests.flow.troubles import until

FAILS = Reply.fails(500, headers={"x-should-retry": "false"})


def check(capture: Capture, provider: Provider, calls: int) -> None:
    """Check the number of calls in spans and metrics, and that all tokens are the provider's."""
    spans = capture.named("chat")
    assert calls == len(spans) == figures.calls(capture) == capture.count("gen_ai.client.operation.duration")
    served = figures.of_provider(provider.delivered())
    assert served == figures.of_spans(spans) == figures.of_metrics(capture)
    assert 0 < served.input
    assert 0 == capture.total("litespan.calls.active")


# -- calls of the program inside a call ---------------------------------------------------------------------
class Judge(CustomLogger):
    """A success callback that lets another model judge each answer."""

    def __init__(self, provider: Provider) -> None:
        super().__init__()
        self._provider = provider
        self.judged = 0

    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Judge answers, not judgements."""
        if kwargs["model"] == "judge":
            return
        arguments = {**chat(self._provider, text="Is it good?"), "model": "openai/judge"}
        await litellm.acompletion(**arguments)
        self.judged += 1


async def test_a_judge_in_a_success_callback_is_a_call_of_its_own(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge's call is counted once, under the call that it judges, and so is the judged one."""
    judge = Judge(provider)
    call_back(monkeypatch, judge)
    with Capture() as capture:
        await litellm.acompletion(**chat(provider))
        await until(lambda: judge.judged == 1)

    check(capture, provider, 2)
    assert "chat gpt-4o-mini\n  chat judge" == capture.tree().strip()


class JudgeByAgent(Judge):
    """The same by an agent, whose model has a price of its own."""

    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Judge answers, not judgements."""
        if kwargs["model"] == "judge":
            return
        url = self._provider.url("openai")
        model = litespan.LitellmModel("openai/judge", url, API_KEY, price={"input": 2.0, "output": 2.0})
        await Runner.run(Agent(name="Judge", model=model), "Is it good?")
        self.judged += 1


@pytest.mark.parametrize(("judging", "expected"), [(Judge, None), (JudgeByAgent, 220 / 1e6)])
async def test_the_price_of_a_model_is_not_that_of_its_judge(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, judging: type[Judge], expected: float | None
) -> None:
    """What a callback calls has a price of its own, or none; the judge's model is not listed."""
    provider.default = Reply.says("Hi", usage=ServedUsage(100, 10))
    judge = judging(provider)
    call_back(monkeypatch, judge)
    model = litespan.LitellmModel(
        MODELS["openai"], provider.url("openai"), API_KEY, price={"input": 1000.0, "output": 1000.0}
    )
    with Capture() as capture:
        await Runner.run(Agent(name="A", model=model), "Hi")
        await until(lambda: judge.judged == 1)

    costs = {
        span.name: (span.attributes or {}).get("gen_ai.usage.cost.amount") for span in capture.named("chat")
    }
    assert {
        "chat gpt-4o-mini": pytest.approx(0.11),
        "chat judge": expected and pytest.approx(expected),
    } == costs


class OverLiteLLM(CustomLLM):
    """A provider of the program's own that calls LiteLLM in turn; `hop` is the model it asks."""

    def __init__(self, provider: Provider, *, reports: bool = True) -> None:
        super().__init__()
        self._provider = provider
        self._reports = reports

    async def acompletion(self, *args: Any, **kwargs: Any) -> litellm.ModelResponse:
        """Ask another model and pass its answer on, usage included."""
        inner = {**chat(self._provider), "model": "openai/hop"}
        response = await litellm.acompletion(**inner)
        answer = litellm.ModelResponse(model="mine", choices=response.choices)
        answer.usage = response.usage  # type: ignore[attr-defined]
        return answer

    def completion(self, *args: Any, **kwargs: Any) -> litellm.ModelResponse:
        """The same without await."""
        inner = {**chat(self._provider), "model": "openai/hop"}
        response: litellm.ModelResponse = litellm.completion(**inner)
        return response


@pytest.fixture
def custom_llm(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the program's own provider as `mine`."""
    handler = {"provider": "mine", "custom_handler": OverLiteLLM(provider)}
    monkeypatch.setattr(litellm, "custom_provider_map", [handler])
    monkeypatch.setattr(litellm, "provider_list", [*litellm.provider_list, "mine"])
    monkeypatch.setattr(litellm, "_custom_providers", ["mine"])


async def by_await(**arguments: Any) -> Any:
    """Make a call that is awaited."""
    return await litellm.acompletion(**arguments)


async def by_blocking(**arguments: Any) -> Any:
    """Make a call that is not awaited, inside the running loop."""
    return litellm.completion(**arguments)


@pytest.mark.usefixtures("custom_llm")
@pytest.mark.parametrize("call", [by_await, by_blocking])
async def test_a_custom_provider_over_litellm_is_counted_once(
    provider: Provider, call: Callable[..., Coroutine[Any, Any, Any]]
) -> None:
    """Outer and inner call are two spans; the tokens stand on the inner one only, and nothing is missing."""
    with Capture() as capture:
        await call(model="mine/outer", messages=[{"role": "user", "content": "Hi"}])

    check(capture, provider, 2)
    assert "chat outer\n  chat hop" == capture.tree().strip()
    assert [] == capture.points("litespan.calls.usage_missing")
    outer = dict(capture.named("chat outer")[0].attributes or {})
    assert not [name for name in outer if name.startswith(("gen_ai.usage", "litespan.usage"))]


@pytest.mark.usefixtures("custom_llm")
async def test_a_custom_provider_over_litellm_in_a_run(provider: Provider) -> None:
    """What the call of an agent makes is below that call."""
    with Capture() as capture:
        await Runner.run(Agent(name="A", model=litespan.LitellmModel("mine/outer")), "Hi")

    check(capture, provider, 2)
    assert ["    chat outer", "      chat hop"] == capture.tree().splitlines()[-2:]


class Direct(CustomLLM):
    """A provider of the program's own that answers itself."""

    async def acompletion(self, *args: Any, **kwargs: Any) -> litellm.ModelResponse:
        """Answer, with a usage."""
        answer = litellm.ModelResponse(model="mine")
        answer.usage = litellm.Usage(prompt_tokens=5, completion_tokens=3, total_tokens=8)  # type: ignore[attr-defined]
        return answer


async def test_a_custom_provider_that_answers_itself_keeps_its_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an inner call the custom provider's own usage counts."""
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "mine", "custom_handler": Direct()}])
    monkeypatch.setattr(litellm, "provider_list", [*litellm.provider_list, "mine"])
    monkeypatch.setattr(litellm, "_custom_providers", ["mine"])
    with Capture() as capture:
        await litellm.acompletion(model="mine/outer", messages=[{"role": "user", "content": "Hi"}])

    assert (5, 3) == figures.of_metrics(capture)[:2]


class Unreachable(CustomLLM):
    """A provider of the program's own whose HTTP client never got to make a request."""

    async def acompletion(self, *args: Any, **kwargs: Any) -> litellm.ModelResponse:
        """Fail."""
        raise httpx.ConnectError("nobody")


async def test_a_custom_provider_that_reaches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception of httpx without a request is a failed call, and no fault of litespan."""
    monkeypatch.setattr(
        litellm, "custom_provider_map", [{"provider": "mine", "custom_handler": Unreachable()}]
    )
    monkeypatch.setattr(litellm, "provider_list", [*litellm.provider_list, "mine"])
    monkeypatch.setattr(litellm, "_custom_providers", ["mine"])
    with Capture() as capture, pytest.raises(Exception, match=r"request property|nobody"):
        await litellm.acompletion(model="mine/outer", messages=[{"role": "user", "content": "Hi"}])

    assert 1 == capture.total("litespan.calls", litespan__outcome="error")


# -- calls of LiteLLM inside a call -------------------------------------------------------------------------
# Not a blocking stream: LiteLLM makes it in a thread whose event loop is closed when it is read.
@pytest.mark.parametrize(("call", "stream"), [(by_await, False), (by_await, True), (by_blocking, False)])
async def test_fallbacks_are_one_call(
    provider: Provider, call: Callable[..., Coroutine[Any, Any, Any]], *, stream: bool
) -> None:
    """A call that fell back to another model is one call, also without await in a running loop."""
    provider.script("gpt-4o-mini", FAILS)
    spare = {**target(provider), "model": "openai/gpt-4o"}
    with Capture() as capture:
        response = await call(
            **chat(provider, stream=stream, fallbacks=[spare], num_retries=0, max_retries=0)
        )
        if stream:
            await drain(response)

    assert ["gpt-4o-mini", "gpt-4o"] == [served.model for served in provider.served]
    check(capture, provider, 1)


WAYS = pytest.mark.parametrize(
    ("call", "stream"),
    [(by_await, False), (by_await, True), (by_blocking, False)],
    ids=["", "stream", "blocking"],
)


@WAYS
@pytest.mark.parametrize(("first", "spare"), [("openai", "anthropic"), ("anthropic", "openai")])
async def test_a_fallback_has_provider_model_and_price_of_who_answered(
    provider: Provider, first: str, spare: str, call: Callable[..., Coroutine[Any, Any, Any]], *, stream: bool
) -> None:
    """The call is told as one to the model that LiteLLM fell back to, in span and metrics."""
    usage = ServedUsage(1000, 200, cache_read_tokens=400)
    provider.script("*", FAILS, Reply.says("Hi", usage=usage))
    with Capture() as capture:
        response = await call(
            **chat(provider, first, stream=stream, fallbacks=[target(provider, spare)], num_retries=0),
            max_retries=0,
        )
        if stream:
            await drain(response)

    check(capture, provider, 1)
    (span,) = capture.spans
    found = dict(span.attributes or {})
    name = MODELS[spare].removeprefix(f"{spare}/")
    assert (f"chat {name}", spare, name) == (
        span.name, found["gen_ai.provider.name"], found["gen_ai.request.model"],
    )  # fmt: skip
    # In USD per million tokens of input, of input that was cached, and of output.
    fresh, cached, output = {"openai": (0.15, 0.075, 0.6), "anthropic": (3, 0.3, 15)}[spare]
    cost = pytest.approx((600 * fresh + 400 * cached + 200 * output) / 1e6)
    assert cost == found["gen_ai.usage.cost.amount"]
    labels = {"gen_ai__provider__name": spare, "gen_ai__request__model": name}
    assert cost == capture.total("litespan.cost", **labels)
    assert 2 == found["litespan.attempts"]


async def test_a_fallback_is_not_priced_as_the_model_of_the_agent(provider: Provider) -> None:
    """The price of a model holds for that model: not for the one that LiteLLM asks in its place."""
    provider.script("gpt-4o-mini", FAILS)
    model = litespan.LitellmModel(
        MODELS["openai"], provider.url("openai"), API_KEY, price={"input": 1000.0, "output": 1000.0}
    )
    unlisted = {**target(provider), "model": "openai/unlisted"}
    settings = ModelSettings(extra_args={"fallbacks": [unlisted], "num_retries": 0, "max_retries": 0})
    with Capture() as capture:
        await Runner.run(Agent(name="A", model=model, model_settings=settings), "Hi")

    (span,) = capture.named("chat")
    assert "chat unlisted" == span.name
    assert "gen_ai.usage.cost.amount" not in (span.attributes or {})


async def test_a_made_up_fallback_costs_nothing(provider: Provider) -> None:
    """LiteLLM's own answer in place of one that failed."""
    provider.script("*", FAILS)
    spare = {**target(provider), "model": "openai/gpt-4o", "mock_response": "Hello"}
    with Capture() as capture:
        await litellm.acompletion(**chat(provider, fallbacks=[spare], num_retries=0, max_retries=0))

    found = dict(capture.spans[0].attributes or {})
    assert (True, 0) == (found["litespan.mocked"], found["gen_ai.usage.cost.amount"])
    assert not [name for name in found if name.startswith("gen_ai.usage.input")]


async def drain(response: Any) -> None:
    """Read a stream to its end."""
    async for _ in response:
        pass


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("wire", ["anthropic", "gemini"])
async def test_responses_over_completion_are_one_call(provider: Provider, wire: str, *, stream: bool) -> None:
    """The Responses API on a provider without one goes through a chat call; it is one call all the same."""
    arguments = {**target(provider, wire), "input": "Hi", "stream": stream}
    with Capture() as capture:
        awaited, blocking = await litellm.aresponses(**arguments), litellm.responses(**arguments)
        if stream:
            await drain(awaited)
            assert list(blocking)

    check(capture, provider, 2)


@WAYS
async def test_responses_over_completion_tell_cache_writes(
    provider: Provider, call: Callable[..., Coroutine[Any, Any, Any]], *, stream: bool
) -> None:
    """LiteLLM drops from the translated answer what Claude wrote to its cache: dearer than input."""
    usage = ServedUsage(
        12000, 10, cache_read_tokens=1000, cache_write_tokens=6000, cache_write_1h_tokens=4000
    )
    provider.default = Reply.says("Hi", usage=usage)
    function = "responses" if call is by_blocking else "aresponses"
    with Capture() as capture:
        await finish(getattr(litellm, function)(**arguments(provider, function, "anthropic", stream=stream)))

    check(capture, provider, 1)
    # claude-sonnet-4-5 in USD per million tokens: cache writes for an hour and for five minutes, reads, rest.
    cost = (4000 * 6 + 6000 * 3.75 + 1000 * 0.3 + 1000 * 3 + 10 * 15) / 1e6
    assert pytest.approx(cost) == (capture.spans[0].attributes or {})["gen_ai.usage.cost.amount"]


async def test_a_translated_stream_that_is_left_at_its_last_event_tells_cache_writes(
    provider: Provider,
) -> None:
    """A program that stops reading where the answer is complete pays what one pays that reads on."""
    usage = ServedUsage(input_tokens=1000, output_tokens=50, cache_write_tokens=200)
    provider.default = Reply.says("Hi", usage=usage)
    with Capture() as capture:
        stream = await litellm.aresponses(**arguments(provider, "aresponses", "anthropic", stream=True))
        async for event in stream:
            if event.type == "response.completed":
                break
        del stream, event
        gc.collect()
        litespan.flush()

        [span] = capture.spans
        assert 200 == (span.attributes or {})["gen_ai.usage.cache_creation.input_tokens"]


async def test_a_translated_stream_without_usage_has_none(provider: Provider) -> None:
    """What LiteLLM estimates in its place is not what the provider billed."""
    provider.default = Reply.says("Hi", usage=None)
    with Capture() as capture:
        await finish(litellm.aresponses(**arguments(provider, "aresponses", "gemini", stream=True)))

    assert 1 == capture.total("litespan.calls.usage_missing", reason="not_reported")
    assert (0, 0) == figures.of_metrics(capture)[:2]


@pytest.mark.parametrize("stream", [False, True])
async def test_chat_over_the_responses_api_is_one_call(provider: Provider, *, stream: bool) -> None:
    """`openai/responses/...` turns a chat call into one of the Responses API; it is one call all the same."""
    arguments = {**chat(provider, stream=stream), "model": "openai/responses/gpt-4o-mini"}
    with Capture() as capture:
        response = await litellm.acompletion(**arguments)
        if stream:
            await drain(response)

    assert ["responses"] == [served.operation for served in provider.served]
    check(capture, provider, 1)
    assert ["gpt-4o-mini"] == [(s.attributes or {})["gen_ai.request.model"] for s in capture.spans]


async def test_num_retries_is_one_call(provider: Provider) -> None:
    """LiteLLM's own retries are attempts of one call."""
    provider.script("*", Reply.fails(500), Reply.fails(500))
    with Capture() as capture:
        await litellm.acompletion(**chat(provider, num_retries=2))

    assert 3 == len(provider.served)
    check(capture, provider, 1)
    assert 3 == (capture.spans[0].attributes or {})["litespan.attempts"]
    assert 3 == capture.total("litespan.call.attempts")


@pytest.mark.parametrize("stream", [False, True])
async def test_each_attempt_of_a_router_is_a_call(provider: Provider, *, stream: bool) -> None:
    """A Router's retries are calls of their own: each is sent, and may be billed, for itself."""
    provider.script("*", FAILS, FAILS)
    deployment = {"model_name": "chat", "litellm_params": {**target(provider), "max_retries": 0}}
    router = litellm.Router([deployment], num_retries=2, retry_after=0, disable_cooldowns=True)
    with Capture() as capture:
        response = await router.acompletion("chat", [{"role": "user", "content": "Hi"}], stream=stream)
        if stream:
            await drain(response)

    assert 3 == len(provider.served)
    check(capture, provider, 3)
    assert (2, 1) == (
        figures.calls(capture, litespan__outcome="error"), figures.calls(capture, litespan__outcome="ok"),
    )  # fmt: skip


async def test_a_routers_fallback_is_a_call(provider: Provider) -> None:
    """A Router that falls back to another deployment makes two calls."""
    provider.script("gpt-4o-mini", FAILS)
    models = [
        {
            "model_name": name,
            "litellm_params": {**target(provider), "model": f"openai/{name}", "max_retries": 0},
        }
        for name in ("gpt-4o-mini", "gpt-4o")
    ]
    router = litellm.Router(models, num_retries=0, fallbacks=[{"gpt-4o-mini": ["gpt-4o"]}])
    with Capture() as capture:
        await router.acompletion("gpt-4o-mini", [{"role": "user", "content": "Hi"}])

    check(capture, provider, 2)


async def test_batches_are_many_calls(provider: Provider) -> None:
    """`batch_completion` makes one call for each list of messages, in threads."""
    provider.default = Reply.says("Hi", usage=ServedUsage(10, 2))
    messages = [[{"role": "user", "content": str(number)}] for number in range(3)]
    with Capture() as capture:
        await asyncio.to_thread(
            litellm.batch_completion, MODELS["openai"], messages,
            api_base=provider.url("openai"), api_key=API_KEY,
        )  # fmt: skip

    check(capture, provider, 3)


async def test_a_call_after_another_is_no_child_of_it(provider: Provider) -> None:
    """Calls one after another, and calls side by side, stand side by side."""
    with Capture() as capture:
        await litellm.acompletion(**chat(provider))
        await asyncio.gather(*(litellm.acompletion(**chat(provider)) for _ in range(3)))
        litellm.completion(**chat(provider))

    check(capture, provider, 5)
    assert [None] * 5 == [span.parent for span in capture.spans]
