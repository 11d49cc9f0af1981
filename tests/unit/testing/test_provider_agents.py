"""The Agents SDK over LiteLLM against the provider."""

from __future__ import annotations

from agents import Agent, ModelSettings, RunConfig, Runner, function_tool
from agents.extensions.models.litellm_model import LitellmModel

from litespan.testing import Provider, Reply, ServedUsage, ToolCall
from tests.fakes.litellm_calls import API_KEY, MODELS

QUIET = RunConfig(tracing_disabled=True)


@function_tool
def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


def weather_agent(provider: Provider) -> Agent[None]:
    """Build an agent with one tool on the provider's OpenAI wire."""
    model = LitellmModel(model=MODELS["openai"], base_url=provider.base_url, api_key=API_KEY)
    return Agent(
        name="Weather", model=model, tools=[get_weather], model_settings=ModelSettings(include_usage=True)
    )


def script_a_tool_run(provider: Provider) -> None:
    """Script a parallel tool call and the final answer."""
    calls = [ToolCall("get_weather", {"city": city}) for city in ("Bern", "Basel")]
    provider.script(
        "gpt-4o-mini",
        Reply.calls(*calls, usage=ServedUsage(100, 20, 40, 0, 0, 8)),
        Reply.says("Sunny in both.", usage=ServedUsage(150, 10)),
    )


async def test_a_run_with_tools(provider: Provider) -> None:
    """A run calls its tools, sees their results and counts what the provider delivered."""
    script_a_tool_run(provider)

    result = await Runner.run(weather_agent(provider), "How is the weather?", run_config=QUIET)

    assert "Sunny in both." == result.final_output
    results = [
        message["content"] for message in provider.served[1].request.messages if message.get("role") == "tool"
    ]
    assert ["sunny in Bern", "sunny in Basel"] == results
    usage = result.context_wrapper.usage
    assert (250, 30) == (usage.input_tokens, usage.output_tokens)
    assert ServedUsage(250, 30, 40, 0, 0, 8) == provider.delivered()


async def test_a_streamed_run_with_tools(provider: Provider) -> None:
    """A streamed run does the same."""
    script_a_tool_run(provider)

    result = Runner.run_streamed(weather_agent(provider), "How is the weather?", run_config=QUIET)
    async for _ in result.stream_events():
        pass

    assert "Sunny in both." == result.final_output
    usage = result.context_wrapper.usage
    assert (250, 30) == (usage.input_tokens, usage.output_tokens)
    assert [True, True] == [served.stream for served in provider.served]
