"""Content on spans where it is asked for: the conventions' JSON, and never against a run's own word."""

from __future__ import annotations

import json
from typing import Any

import litellm
import pytest
from agents import Agent, RunConfig
from agents.extensions.models.litellm_model import LitellmModel as SdkLitellmModel

import litespan
from litespan.testing import Capture, Provider, Reply, ToolCall
from tests.fakes.litellm_calls import API_KEY, MODELS, WIRES, chat, target
from tests.flow.everything import emitted, on_spans
from tests.flow.running import run_to_end
from tests.flow.tools import weather

ASKED, TOLD, ANSWER = "What is the weather in Rome?", "Be brief, please.", "Sunny it is."
ON: dict[str, Any] = {"capture_content": "SPAN_ONLY"}
CALL = ToolCall("weather", {"city": "Rome"}, id="call_1")


def content(span: Any) -> dict[str, Any]:
    """Return the content attributes of a span, parsed."""
    names = {
        "gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages",
        "gen_ai.tool.definitions", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result",
    }  # fmt: skip
    return {name: json.loads(value) for name, value in span.attributes.items() if name in names}


def text(value: str) -> dict[str, str]:
    """Return a text part."""
    return {"type": "text", "content": value}


async def run(
    provider: Provider, wire: str, *, streamed: bool, model: type = litespan.LitellmModel, **config: Any
) -> None:
    """Run an agent that asks a tool and answers."""
    provider.script("*", Reply.calls(CALL), Reply.says(ANSWER))
    agent = Agent(
        name="A", instructions=TOLD, tools=[weather], model=model(MODELS[wire], provider.url(wire), API_KEY)
    )
    await run_to_end(agent, ASKED, stream=streamed, run_config=RunConfig(**config))


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_run_in_the_conventions_json(provider: Provider, *, streamed: bool) -> None:
    """Instructions, history, answers and tool calls of a run, streamed or not, are on its spans."""
    with Capture(**ON) as capture:
        await run(provider, "openai", streamed=streamed)

    first, second = (content(span) for span in capture.named("chat"))
    asked = {"role": "user", "parts": [text(ASKED)]}
    calls = {
        "role": "assistant",
        "parts": [{"type": "tool_call", "name": "weather", "id": "call_1", "arguments": {"city": "Rome"}}],
    }
    response = {"type": "tool_call_response", "id": "call_1", "response": "It is sunny in Rome."}
    assert {
        "gen_ai.system_instructions": [text(TOLD)],
        "gen_ai.input.messages": [asked],
        "gen_ai.output.messages": [{**calls, "finish_reason": "tool_calls"}],
        "gen_ai.tool.definitions": [{"type": "function", "name": "weather"}],
    } == first
    assert [asked, calls, {"role": "tool", "parts": [response]}] == second["gen_ai.input.messages"]
    assert [{"role": "assistant", "parts": [text(ANSWER)], "finish_reason": "stop"}] == second[
        "gen_ai.output.messages"
    ]
    assert {
        "gen_ai.tool.call.arguments": {"city": "Rome"},
        "gen_ai.tool.call.result": "It is sunny in Rome.",
    } == content(capture.named("execute_tool")[0])


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("wire", WIRES)
async def test_plain_calls_on_all_wires(provider: Provider, wire: str, *, streamed: bool) -> None:
    """Reasoning, text and parallel tool calls of a plain call are put together, from chunks too."""
    oslo = ToolCall("weather", {"city": "Oslo"}, id="call_2")
    provider.default = Reply.calls(CALL, oslo, text="I ask twice", reasoning="Two cities")
    with Capture(**ON) as capture:
        response = await litellm.acompletion(**chat(provider, wire, ASKED, stream=streamed))
        if streamed:
            async for _ in response:
                pass

    found = content(capture.spans[0])
    assert [{"role": "user", "parts": [text(ASKED)]}] == found["gen_ai.input.messages"]
    (answer,) = found["gen_ai.output.messages"]
    parts = [{name: value for name, value in part.items() if name != "id"} for part in answer["parts"]]
    assert [
        {"type": "reasoning", "content": "Two cities"},
        text("I ask twice"),
        {"type": "tool_call", "name": "weather", "arguments": {"city": "Rome"}},
        {"type": "tool_call", "name": "weather", "arguments": {"city": "Oslo"}},
    ] == parts


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_responses_api(provider: Provider, *, streamed: bool) -> None:
    """Instructions, input and answer of the Responses API have the same shapes."""
    provider.default = Reply.says(ANSWER)
    arguments = {**target(provider), "input": ASKED, "instructions": TOLD, "stream": streamed}
    with Capture(**ON) as capture:
        response = await litellm.aresponses(**arguments)
        if streamed:
            async for _ in response:
                pass

    found = content(capture.spans[0])
    assert [text(TOLD)] == found["gen_ai.system_instructions"]
    assert [{"role": "user", "parts": [text(ASKED)]}] == found["gen_ai.input.messages"]
    assert [[text(ANSWER)]] == [message["parts"] for message in found["gen_ai.output.messages"]]


@pytest.mark.parametrize("streamed", [False, True])
async def test_text_completions_and_choices(provider: Provider, *, streamed: bool) -> None:
    """A prompt is a user's message, and each choice of `n=2` is an answer."""
    provider.default = Reply.says(ANSWER)
    with Capture(**ON) as capture:
        for response in (
            await litellm.atext_completion(**target(provider), prompt=ASKED, stream=streamed),
            await litellm.acompletion(**chat(provider, n=2, stream=streamed)),
        ):
            if streamed:
                async for _ in response:
                    pass

    completed, chosen = (content(span) for span in (*capture.named("text"), *capture.named("chat")))
    assert [{"role": "user", "parts": [text(ASKED)]}] == completed["gen_ai.input.messages"]
    assert [[text(ANSWER)]] == [message["parts"] for message in completed["gen_ai.output.messages"]]
    assert [[text(ANSWER)]] * 2 == [message["parts"] for message in chosen["gen_ai.output.messages"]]


async def test_large_content_is_cut_and_stays_valid(provider: Provider) -> None:
    """Above the limit content is cut, and every attribute is still JSON of the conventions' shape."""
    provider.default = Reply.says("y" * 50_000)
    with Capture(**ON, content_max_bytes=1000) as capture:
        await litellm.acompletion(**chat(provider, text="é" * 50_000))

    for name in ("gen_ai.input.messages", "gen_ai.output.messages"):
        raw = (capture.spans[0].attributes or {})[name]
        assert len(str(raw).encode()) <= 1000
        assert "[cut " in json.loads(str(raw))[0]["parts"][0]["content"]


async def test_every_text_passes_redaction(provider: Provider) -> None:
    """What the redaction hook changes is changed in messages, tool arguments and results."""
    with Capture(**ON, redact=lambda text: text.replace("Rome", "***")) as capture:
        await run(provider, "openai", streamed=False)

    assert "Rome" not in emitted(capture)
    assert 6 <= emitted(capture).count("***")


async def test_an_errors_text_without_the_requests_secrets(provider: Provider) -> None:
    """With content on an exception's text is the status, redacted, and blank where it quotes a secret."""
    provider.default = Reply.fails(401, message=f"Bad key {API_KEY}; header h-secret; asked {ASKED}")
    with (
        Capture(**ON, redact=lambda text: text.replace("Rome", "***")) as capture,
        pytest.raises(litellm.AuthenticationError, match=API_KEY),
    ):
        await litellm.acompletion(**chat(provider, text=ASKED, extra_headers={"x": "h-secret"}))

    status = str(capture.spans[0].status.description)
    assert "Bad key [secret]; header [secret]; asked What is the weather in ***?" in status
    assert API_KEY not in emitted(capture)


@pytest.mark.internal_errors_expected
async def test_content_that_cannot_be_redacted_is_dropped(provider: Provider) -> None:
    """If the redaction hook raises, the content is gone, the fault is counted, and the rest stays."""

    def broken(_: str) -> str:
        raise KeyError(ASKED)

    with Capture(**ON, redact=broken) as capture:
        await litellm.acompletion(**chat(provider, text=ASKED))

        assert 2 == litespan.stats()["internal_errors"]["content"]
    assert {} == content(capture.spans[0])
    assert ASKED not in emitted(capture)
    assert 12 == (capture.spans[0].attributes or {})["gen_ai.usage.input_tokens"]


@pytest.mark.parametrize("model", [litespan.LitellmModel, SdkLitellmModel])
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_run_that_forbids_it_has_no_content(
    provider: Provider, model: type, *, streamed: bool
) -> None:
    """`trace_include_sensitive_data=False` of a run wins over the setting, for the SDK's own class too."""
    with Capture(**ON) as capture:
        await run(provider, "openai", streamed=streamed, model=model, trace_include_sensitive_data=False)

    assert 5 == len(capture.spans)
    assert {} == {name: value for span in capture.spans for name, value in content(span).items()}
    for canary in (ASKED, TOLD, ANSWER, "Rome"):
        assert canary not in emitted(capture)


async def test_the_sdks_variable_is_honoured(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """`OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA=false` forbids content in every run."""
    monkeypatch.setenv("OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA", "false")
    with Capture(**ON) as capture:
        await run(provider, "openai", streamed=False)

    assert ASKED not in emitted(capture)
    assert {} == content(capture.named("chat")[0])


async def test_a_model_can_forbid_it(provider: Provider) -> None:
    """`capture_content=False` of one model keeps its content out; it switches nothing on."""
    quiet = litespan.LitellmModel(MODELS["openai"], provider.url("openai"), API_KEY, capture_content=False)
    with Capture(**ON) as capture:
        for stream in (False, True):
            await run_to_end(Agent(name="A", model=quiet), ASKED, stream=stream)

    assert 2 == len(capture.named("chat"))
    assert ASKED not in emitted(capture)


@pytest.mark.parametrize("mode", ["NO_CONTENT", "EVENT_ONLY"])
async def test_other_modes_put_nothing_on_spans(provider: Provider, mode: str) -> None:
    """Only the modes that name spans put content on spans."""
    with Capture(capture_content=mode) as capture:
        await run(provider, "openai", streamed=False)

    for canary in (ASKED, TOLD, ANSWER, "Rome"):
        assert canary not in on_spans(capture)
        assert (canary in emitted(capture)) is (mode == "EVENT_ONLY")
