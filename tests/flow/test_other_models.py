"""Models of the Agents SDK that are not LiteLLM's: each call is a chat span with what the SDK tells of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    RunConfig,
    WebSearchTool,
    function_tool,
    response_span,
    trace,
)
from agents.models.interface import Model
from inline_snapshot import snapshot
from openai import AsyncAzureOpenAI, AsyncOpenAI, DefaultAsyncHttpxClient, OpenAIError
from openai.types.responses import Response
from openai.types.shared import Reasoning

from litespan.testing import Capture, Provider, Reply, ServedUsage, ToolCall
from tests.fakes.openai_documents import MESSAGE, answer, response
from tests.flow import figures
from tests.flow.models import first_delta, litespan_model, open_stream
from tests.flow.running import run_to_end

Maker = Callable[[Provider], Model]

USAGE = ServedUsage(
    input_tokens=120, output_tokens=30, cache_read_tokens=40, reasoning_tokens=8
)  # cache writes are told by the Responses API only
ANSWER = Reply.says("Four.", usage=USAGE)
MISSING = "litespan.calls.usage_missing"


def client(provider: Provider) -> AsyncOpenAI:
    """Return OpenAI's client for the fake provider; it makes one attempt and loads no certificates."""
    plain = DefaultAsyncHttpxClient(verify=False)
    return AsyncOpenAI(base_url=provider.base_url, api_key="k", max_retries=0, http_client=plain)


def chat_model(provider: Provider) -> Model:
    """Return a model over Chat Completions."""
    return OpenAIChatCompletionsModel("gpt-4o-mini", client(provider))


def responses_model(provider: Provider) -> Model:
    """Return a model over the Responses API."""
    return OpenAIResponsesModel("gpt-4o-mini", client(provider))


def any_llm_model(provider: Provider) -> Model:
    """Return a model over any-llm."""
    from agents.extensions.models.any_llm_model import AnyLLMModel

    return AnyLLMModel("openai/gpt-4o-mini", base_url=provider.base_url, api_key="k", api="chat_completions")


def any_llm_responses_model(provider: Provider) -> Model:
    """Return a model over any-llm's Responses API."""
    from agents.extensions.models.any_llm_model import AnyLLMModel

    return AnyLLMModel("openai/gpt-4o-mini", base_url=provider.base_url, api_key="k", api="responses")


MAKERS = {"chat": chat_model, "responses": responses_model}
if sys.version_info >= (3, 11):  # what any-llm needs
    MAKERS |= {"any-llm": any_llm_model, "any-llm responses": any_llm_responses_model}
MODELS = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


async def run(agent: Agent, *, streamed: bool = False, **options: Any) -> None:
    """Run an agent to its end."""
    await run_to_end(agent, "2 + 2?", stream=streamed, **options)


def settings(**options: Any) -> ModelSettings:
    """Return settings that ask for the usage of streams; the SDK does so by itself on OpenAI's host only."""
    return ModelSettings(include_usage=True, **options)


def check(capture: Capture, provider: Provider) -> None:
    """Check that calls and tokens are those that were served."""
    spans = capture.named("chat")
    assert provider.calls_served() == len(spans) == figures.calls(capture)
    assert provider.calls_served() == capture.count("gen_ai.client.operation.duration")
    served = figures.of_provider(provider.delivered())
    assert served == figures.of_spans(spans) == figures.of_metrics(capture)
    assert 0 == capture.total("litespan.calls.active")


def only_call(capture: Capture) -> dict[str, Any]:
    """Return the attributes of the only call."""
    (span,) = capture.named("chat")
    return dict(span.attributes or {})


@MODELS
@STREAMED
async def test_call_is_a_chat_span(provider: Provider, make: Maker, *, streamed: bool) -> None:
    """One span below the agent, with provider, model, tokens and cost, whichever model it is."""
    provider.default = ANSWER
    with Capture(deterministic=True) as capture:
        await run(Agent(name="A", model=make(provider), model_settings=settings()), streamed=streamed)

    assert snapshot("""\
invoke_workflow A litespan.outcome=ok
  invoke_agent A litespan.outcome=ok
    chat gpt-4o-mini gen_ai.provider.name=openai litespan.outcome=ok litespan.usage.source=reported\
""") == capture.tree("gen_ai.provider.name", "litespan.outcome", "litespan.usage.source")
    assert (True if streamed else None) == only_call(capture).get("gen_ai.request.stream")
    check(capture, provider)
    assert 0 < capture.total("litespan.cost")
    assert capture.points("litespan.calls", gen_ai__agent__name="A", gen_ai__request__model="gpt-4o-mini")


@MODELS
async def test_metrics(provider: Provider, make: Maker) -> None:
    """The metrics of a call are those of a LiteLLM call; what is not known is not there."""
    provider.default = ANSWER
    with Capture() as capture:
        await run(Agent(name="A", model=make(provider), model_settings=settings()))

    assert snapshot(
        [
            "gen_ai.client.inference.usage.cache_read.input_tokens",
            "gen_ai.client.inference.usage.input_tokens",
            "gen_ai.client.inference.usage.output_tokens",
            "gen_ai.client.inference.usage.reasoning.output_tokens",
            "gen_ai.client.operation.cost",
            "gen_ai.client.operation.duration",
            "gen_ai.client.token.usage",
            "gen_ai.invoke_agent.duration",
            "gen_ai.invoke_agent.inference_calls",
            "gen_ai.invoke_agent.tool_calls",
            "gen_ai.invoke_workflow.duration",
            "litespan.cache.savings",
            "litespan.calls",
            "litespan.calls.active",
            "litespan.cost",
            "litespan.run.cost",
            "litespan.run.duration",
            "litespan.runs",
        ]
    ) == sorted(capture.metric_names())


@MODELS
async def test_request_and_address(provider: Provider, make: Maker) -> None:
    """Parameters are those that the SDK sends, the address is the base URL's host and port."""
    asked = settings(temperature=0.3, top_p=0.9, max_tokens=50, reasoning=Reasoning(effort="low"))
    with Capture() as capture:
        await run(Agent(name="A", model=make(provider), model_settings=asked))

    wanted = ("gen_ai.request.", "server.")
    attributes = {key: value for key, value in only_call(capture).items() if key.startswith(wanted)}
    attributes.pop("server.port")
    assert (
        snapshot(
            {
                "server.address": "127.0.0.1",
                "gen_ai.request.model": "gpt-4o-mini",
                "gen_ai.request.temperature": 0.3,
                "gen_ai.request.top_p": 0.9,
                "gen_ai.request.max_tokens": 50,
                "gen_ai.request.reasoning.level": "low",
            }
        )
        == attributes
    )


@pytest.mark.parametrize("make", [chat_model, responses_model])
@STREAMED
async def test_response(provider: Provider, make: Maker, *, streamed: bool) -> None:
    """The Responses API's answer is known; of Chat Completions the SDK keeps neither id, model nor reason."""
    provider.default = ANSWER.but(model="gpt-4o-mini-2024-07-18", service_tier="default")
    with Capture() as capture:
        await run(Agent(name="A", model=make(provider), model_settings=settings()), streamed=streamed)

    attributes = only_call(capture)
    known = [key for key in attributes if key.startswith(("gen_ai.response.", "openai."))]
    assert bool(known) == (make is responses_model)
    if make is responses_model:
        assert attributes["gen_ai.response.model"] == "gpt-4o-mini-2024-07-18"
        assert attributes["gen_ai.response.finish_reasons"] == ("completed",)


@MODELS
@STREAMED
async def test_usage_that_does_not_come_is_missing(
    provider: Provider, make: Maker, *, streamed: bool
) -> None:
    """The zeros that the SDK writes for a missing usage are not reported as tokens."""
    provider.default = ANSWER.but(usage=None)
    with Capture() as capture:
        await run(Agent(name="A", model=make(provider), model_settings=settings()), streamed=streamed)

    attributes = only_call(capture)
    assert "missing" == attributes["litespan.usage.source"]
    assert not [key for key in attributes if key.startswith(("gen_ai.usage.", "litespan.usage.incomplete"))]
    assert 1 == capture.total(MISSING, reason="not_reported")
    check(capture, provider)


@MODELS
@STREAMED
async def test_refused_call(provider: Provider, make: Maker, *, streamed: bool) -> None:
    """A refusal is the failure of the span, with the provider's code and status, and no usage is awaited."""
    provider.default = Reply.fails(400, code="bad_request", headers={"x-should-retry": "false"})
    with Capture() as capture, pytest.raises(Exception, match="told to fail"):
        await run(Agent(name="A", model=make(provider), model_settings=settings()), streamed=streamed)

    attributes = only_call(capture)
    assert "error" == attributes["litespan.outcome"]
    assert "bad_request" == attributes["error.type"]
    assert 1 == attributes["litespan.attempts"]
    assert [] == capture.points(MISSING)
    check(capture, provider)


@pytest.mark.parametrize("data", [True, False], ids=["with data", "without data"])
@STREAMED
async def test_a_search_by_the_provider_has_tokens_and_no_cost(
    provider: Provider, *, streamed: bool, data: bool
) -> None:
    """A search has a fee. Where the run hides its answers, whether there was one is not known."""
    searched = {"id": "ws_1", "type": "web_search_call", "status": "completed"}
    provider.default = answer(response(output=[searched, MESSAGE]), stream=streamed)
    agent = Agent(name="A", model=responses_model(provider), tools=[WebSearchTool()])
    with Capture() as capture:
        await run(agent, streamed=streamed, run_config=RunConfig(trace_include_sensitive_data=data))

    assert (1000, 100) == figures.of_metrics(capture)[:2]
    assert "gen_ai.usage.cost.amount" not in only_call(capture)
    assert 1 == capture.total("litespan.calls.unpriced")


def test_a_response_that_failed() -> None:
    """A span of the program's own with such an answer is a failed call; the SDK's models raise."""
    failed = response(status="failed", usage=None, error={"code": "server_error", "message": "Secret"})
    with Capture() as capture, trace("t"), response_span() as span:
        span.span_data.response = Response.model_validate(failed)

    assert 1 == figures.calls(capture, litespan__outcome="error")
    assert "server_error" == only_call(capture)["error.type"]
    assert 1 == capture.total(MISSING, reason="error")


@pytest.mark.parametrize("make", [chat_model, responses_model])
async def test_cut_stream(provider: Provider, make: Maker) -> None:
    """A stream whose connection breaks is incomplete, and its usage is missing for that reason."""
    provider.default = Reply.says("one two three four", cut_after=3)
    with Capture() as capture, pytest.raises(OpenAIError):
        await run(Agent(name="A", model=make(provider)), streamed=True)

    assert "incomplete" == only_call(capture)["litespan.outcome"]
    assert 1 == capture.total(MISSING, reason="incomplete")
    assert 0 == capture.total("litespan.calls.active")


@pytest.mark.parametrize("make", [chat_model, responses_model])
@STREAMED
@pytest.mark.parametrize("allowed", [True, False], ids=["allowed", "not allowed"])
async def test_content(provider: Provider, make: Maker, *, streamed: bool, allowed: bool) -> None:
    """Content is kept in the conventions' shape where the setting and the run's own switch both allow it."""
    provider.default = ANSWER
    agent = Agent(name="A", instructions="Add.", model=make(provider), model_settings=settings())
    config = RunConfig(trace_include_sensitive_data=allowed)
    with Capture(capture_content="span_only") as capture:
        await run(agent, streamed=streamed, run_config=config)

    kept = {
        key: value
        for key, value in only_call(capture).items()
        if key in ("gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages")
    }
    everything = snapshot(
        {
            "gen_ai.system_instructions": '[{"type":"text","content":"Add."}]',
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"2 + 2?"}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Four."}]}]',
        }
    )
    assert kept == (everything if allowed else {})
    check(capture, provider)


@MODELS
async def test_no_content_by_default(provider: Provider, make: Maker) -> None:
    """Nothing of what was said is on the span unless content is switched on."""
    with Capture() as capture:
        await run(Agent(name="A", instructions="Secret words", model=make(provider)))

    assert "Secret words" not in str(only_call(capture))
    assert "2 + 2?" not in str(only_call(capture))


async def test_azure_and_another_host(provider: Provider) -> None:
    """Azure's client is Azure's; OpenAI's client is called openai at a host that is nobody's known one."""
    azure = AsyncAzureOpenAI(
        base_url=f"{provider.base_url}/", api_key="k", api_version="2024-10-21", max_retries=0
    )
    with Capture() as capture:
        with pytest.raises(OpenAIError):  # the fake provider has no deployments
            await run(Agent(name="A", model=OpenAIChatCompletionsModel("mine", azure)))
        await run(Agent(name="A", model=chat_model(provider)))

    assert ["azure.ai.openai", "openai"] == [
        (span.attributes or {})["gen_ai.provider.name"] for span in capture.named("chat")
    ]


async def test_url_secrets_stay_out(provider: Provider) -> None:
    """User-info and query of a base URL are nowhere in the telemetry."""
    url = provider.base_url.replace("http://", "http://name:pa55word@") + "?token=pa55word"
    with Capture() as capture, pytest.raises(OpenAIError):
        await run(
            Agent(
                name="A",
                model=OpenAIResponsesModel("m", AsyncOpenAI(base_url=url, api_key="k", max_retries=0)),
            )
        )

    assert "pa55word" not in str([span.to_json() for span in capture.spans])
    assert "127.0.0.1" == only_call(capture)["server.address"]


@MODELS
async def test_stream_left_unread(provider: Provider, make: Maker) -> None:
    """A model stream that the program drops is abandoned, and nothing of it stays open."""
    provider.default = Reply.says("one two three four five six", pieces=6, usage=USAGE)

    with Capture() as capture, trace("own"):
        stream = open_stream(make(provider))
        await first_delta(stream)
        await stream.aclose()

    assert "abandoned" == only_call(capture)["litespan.outcome"]
    assert 1 == capture.total(MISSING, reason="abandoned")
    assert 0 == capture.total("litespan.calls.active")


@function_tool
async def ask_litellm(url: str) -> str:
    """Ask another model through LiteLLM."""
    import litellm

    answer = await litellm.acompletion(
        model="openai/helper", messages=[{"role": "user", "content": "Hi"}], api_base=url, api_key="k"
    )
    return str(answer.choices[0].message.content)


@pytest.mark.parametrize("make", [chat_model, responses_model])
async def test_litellm_call_in_a_tool_keeps_its_place(provider: Provider, make: Maker) -> None:
    """A LiteLLM call of a tool is below the tool, also when the agent's model is another one."""
    provider.script("gpt-4o-mini", Reply.calls(ToolCall("ask_litellm", {"url": provider.base_url})))
    with Capture(deterministic=True) as capture:
        await run(Agent(name="A", model=make(provider), tools=[ask_litellm]))

    assert (
        snapshot("""\
invoke_workflow A
  invoke_agent A
    chat gpt-4o-mini
    execute_tool ask_litellm
      chat helper
    chat gpt-4o-mini\
""")
        == capture.tree()
    )
    check(capture, provider)


@MODELS
@STREAMED
async def test_a_litellm_agent_hands_off_to_another(
    provider: Provider, make: Maker, *, streamed: bool
) -> None:
    """In a mixed team every agent's calls are its own, and all are counted once."""
    provider.script("triage-model", Reply.calls(ToolCall("transfer_to_expert"), usage=USAGE))
    provider.script("gpt-4o-mini", ANSWER)
    expert = Agent(name="Expert", model=make(provider), model_settings=settings())
    triage = Agent(name="Triage", model=litespan_model(provider, "triage-model"), handoffs=[expert])
    with Capture(deterministic=True) as capture:
        await run(triage, streamed=streamed)

    assert snapshot("""\
invoke_workflow Triage litespan.outcome=ok
  invoke_agent Triage litespan.outcome=ok
    chat triage-model litespan.outcome=ok
    handoff Triage -> Expert litespan.outcome=ok
  invoke_agent Expert litespan.outcome=ok
    chat gpt-4o-mini litespan.outcome=ok\
""") == capture.tree("litespan.outcome")
    check(capture, provider)
    assert 1 == figures.calls(capture, gen_ai__agent__name="Triage")
    assert 1 == figures.calls(capture, gen_ai__agent__name="Expert")


async def test_span_facts_for_other_processors(provider: Provider) -> None:
    """Trace processors behind litespan find the cost on the generation span."""
    from agents.tracing import add_trace_processor

    provider.default = ANSWER
    seen = figures.Generations()
    with Capture() as capture:
        add_trace_processor(seen)
        await run(Agent(name="A", model=chat_model(provider)))

    (data,) = seen.ended
    assert data.model_config is not None
    assert data.model_config["litespan"]["cost"] == pytest.approx(capture.total("litespan.cost"))
