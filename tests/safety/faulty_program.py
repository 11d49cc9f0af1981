"""A program that does everything once; its results are compared: bare, with litespan, with faults in it."""

from __future__ import annotations

from typing import Any

import litellm
from agents import Agent, GuardrailFunctionOutput, Runner, custom_span, input_guardrail, trace

import litespan
from litespan.testing import Provider, Reply, ToolCall
from tests.fakes.litellm_calls import API_KEY, MODELS, chat
from tests.flow.tools import weather

ONCE: dict[str, Any] = {"num_retries": 0, "max_retries": 0}


@input_guardrail
async def lets_pass(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
    """Let everything pass."""
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)


async def run(provider: Provider) -> list[Any]:
    """Run agents and make calls, streamed and not, good and failing; return all that the program sees."""
    provider.reset()
    with litespan.using(user="u", session="s", tags=["t"], propagate=True):
        seen_of_agents = await _agents(provider)
        # Outside of a trace the SDK's span is none, and neither are those below it.
        with trace("Calls"), custom_span("own"):
            return [*seen_of_agents, *await _calls(provider)]


async def _agents(provider: Provider) -> list[Any]:
    model = litespan.LitellmModel(MODELS["openai"], provider.url(), API_KEY)
    expert = Agent[Any](name="Expert", model=model)
    agent = Agent[Any](
        name="A", model=model, tools=[weather], handoffs=[expert], input_guardrails=[lets_pass]
    )
    calls = [ToolCall("weather", {"city": "Rome"}), ToolCall("transfer_to_expert")]
    provider.script("*", *[*map(Reply.calls, calls), Reply.says("Sunny")] * 2)
    result = await Runner.run(agent, "Hi")
    streamed = Runner.run_streamed(agent, "Hi")
    events = [event.type async for event in streamed.stream_events()]
    return [result.final_output, result.last_agent.name, streamed.final_output, events]


async def _calls(provider: Provider) -> list[Any]:
    whole = await litellm.acompletion(**chat(provider))
    chunks = [_text(c) async for c in await litellm.acompletion(**chat(provider, stream=True))]
    blocking = [_text(c) for c in litellm.completion(**chat(provider, stream=True))]
    abandoned = _text(await anext(await litellm.acompletion(**chat(provider, stream=True))))
    embedded = await litellm.aembedding(
        model="openai/text-embedding-3-small", input=["a"], **_target(provider)
    )
    answer = await litellm.aresponses(model=MODELS["openai"], input="Hi", **_target(provider))
    translated = await litellm.aresponses(model=MODELS["gemini"], input="Hi", **_target(provider, "gemini"))
    provider.script("*", Reply.fails(400, message="no"))
    spare = {"model": "openai/gpt-4o", **_target(provider)}
    fallen_back = await litellm.acompletion(**chat(provider, fallbacks=[spare], **ONCE))
    failed = [await _failure(provider, stream=False), await _failure(provider, stream=True)]
    return [
        whole.choices[0].message.content,
        chunks,
        blocking,
        abandoned,
        len(embedded.data),
        answer.status,
        translated.status,
        fallen_back.model,
        failed,
    ]


def _target(provider: Provider, wire: str = "openai") -> dict[str, Any]:
    return {"api_base": provider.url(wire), "api_key": API_KEY, **ONCE}


def _text(chunk: Any) -> Any:
    delta = chunk.choices[0].delta
    return [delta.content, chunk.choices[0].finish_reason]


async def _failure(provider: Provider, *, stream: bool) -> Any:
    """Make a call that fails, a stream half way; return what the program sees."""
    provider.script("*", Reply.fails(400, message="no", text="Hello", error_after=2 if stream else None))
    chunks: list[Any] = []
    try:
        response = await litellm.acompletion(**chat(provider, stream=stream, **ONCE))
        async for chunk in response:
            chunks += [_text(chunk)]
    except Exception as error:  # noqa: BLE001 - what the program sees is compared
        return [chunks, type(error), str(error)]
    return chunks
