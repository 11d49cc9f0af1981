"""Runs of agents, with a canary in every place that a run has."""

from __future__ import annotations

from typing import Any

from agents import (
    Agent,
    GuardrailFunctionOutput,
    ModelSettings,
    OpenAIChatCompletionsModel,
    RunConfig,
    RunContextWrapper,
    RunHooks,
    SQLiteSession,
    custom_span,
    function_tool,
    handoff,
    input_guardrail,
    output_guardrail,
    speech_span,
    trace,
    transcription_span,
)
from agents.mcp import MCPServerStreamableHttp
from openai import AsyncOpenAI
from pydantic import BaseModel

import litespan
from litespan.testing import Provider, Reply, ToolCall
from tests.fakes.mcp_server import http_server
from tests.flow.running import run_to_end
from tests.safety.canaries import CANARIES
from tests.safety.planted_calls import MODEL, echo, steered

ARGUMENTS = {"secret": CANARIES["tool_arguments"]}
CONFIG = RunConfig(trace_metadata={"secret": CANARIES["trace_metadata"]})
SAYS = Reply.says(CANARIES["answer"], reasoning=CANARIES["reasoning"])


class Reason(BaseModel):
    """Why a handoff is made."""

    why: str


@function_tool(description_override=CANARIES["tool_description"])
def look_up(secret: str) -> str:
    """Return something secret."""
    return CANARIES["tool_result"]


@function_tool(failure_error_function=None)
def breaks(secret: str) -> str:
    """Raise an error that quotes a secret, with a cause that quotes another one."""
    raise RuntimeError(CANARIES["tool_error"]) from KeyError(CANARIES["tool_cause"])


@function_tool
def fails(secret: str) -> str:
    """Raise the same; the SDK tells the model of it."""
    raise RuntimeError(CANARIES["tool_error"]) from KeyError(CANARIES["tool_cause"])


@input_guardrail
async def trips(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
    """Trip, and say why."""
    return GuardrailFunctionOutput(output_info=CANARIES["guardrail_info"], tripwire_triggered=True)


@output_guardrail
async def is_broken(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    """Fail."""
    raise RuntimeError(CANARIES["guardrail_error"])


class BrokenHooks(RunHooks[Any]):
    """Fail when a tool ends."""

    async def on_tool_end(self, *args: Any, **kwargs: Any) -> None:
        """Fail."""
        raise RuntimeError(CANARIES["hook_error"])


def agent(provider: Provider, name: str = "A", **options: Any) -> Agent[Any]:
    """Return an agent whose calls carry a canary in every place."""
    given = steered(provider.url())
    settings = ModelSettings(
        extra_headers=given["extra_headers"],
        extra_body=given["extra_body"],
        extra_query=given["extra_query"],
        metadata={"secret": CANARIES["settings_metadata"]},
        extra_args={"user": CANARIES["end_user"]},
    )
    options.setdefault("model", litespan.LitellmModel(MODEL, provider.url(), CANARIES["model_key"]))
    return Agent(name=name, instructions=CANARIES["system_prompt"], model_settings=settings, **options)


async def run(who: Agent[Any], *, streamed: bool = False, **options: Any) -> None:
    """Run an agent."""
    given = {"run_config": CONFIG, "context": {"secret": CANARIES["run_context"]}, **options}
    await run_to_end(who, CANARIES["user_prompt"], stream=streamed, **given)


async def desk(provider: Provider) -> None:
    """Use tools, hand over, answer."""
    for streamed in (False, True):
        provider.script(
            "*",
            Reply.calls(ToolCall("look_up", ARGUMENTS), ToolCall("fails", ARGUMENTS)),
            Reply.calls(ToolCall("transfer_to_expert", {"why": CANARIES["handoff_input"]})),
            SAYS,
        )

        async def take(context: RunContextWrapper[Any], reason: Reason) -> None:
            """Do nothing with the reason."""

        expert = handoff(agent(provider, "Expert"), on_handoff=take, input_type=Reason)
        await run(agent(provider, tools=[look_up, fails], handoffs=[expert]), streamed=streamed)


async def broken_tool(provider: Provider) -> None:
    """Let a tool end the run."""
    provider.script("*", Reply.calls(ToolCall("breaks", ARGUMENTS)))
    await run(agent(provider, tools=[breaks]))


async def broken_hook(provider: Provider) -> None:
    """Let a hook end the run."""
    provider.script("*", Reply.calls(ToolCall("look_up", ARGUMENTS)))
    await run(agent(provider, tools=[look_up]), hooks=BrokenHooks())


async def tripped(provider: Provider) -> None:
    """Let a guardrail trip."""
    provider.default = SAYS
    await run(agent(provider, input_guardrails=[trips]))


async def broken_guardrail(provider: Provider) -> None:
    """Let a guardrail fail."""
    provider.default = SAYS
    await run(agent(provider, output_guardrails=[is_broken]))


async def refused(provider: Provider) -> None:
    """Be refused by somebody who quotes the whole request."""
    provider.respond = echo
    await run(agent(provider), streamed=True)


async def other_model(provider: Provider) -> None:
    """Use the SDK's own model, which is no LiteLLM, well and refused."""
    client = AsyncOpenAI(
        api_key=CANARIES["client_key"],
        base_url=provider.url(),
        default_headers={"x-client": CANARIES["client_header"]},
        default_query={"client": CANARIES["client_query"]},
        max_retries=0,
    )
    model = OpenAIChatCompletionsModel("gpt-4o-mini", client)
    provider.script("*", SAYS)
    await run(agent(provider, model=model))
    provider.respond = echo
    await run(agent(provider, model=model))


async def with_session(provider: Provider) -> None:
    """Bring the history of a session along."""
    provider.default = SAYS
    session = SQLiteSession("s-1")
    await session.add_items([{"role": "user", "content": CANARIES["session_item"]}])
    await run(agent(provider), session=session)


async def own_spans(provider: Provider) -> None:
    """Open spans of the SDK by hand."""
    with trace("own", metadata={"secret": CANARIES["trace_metadata"]}):
        with custom_span("step", {"data": CANARIES["custom_span"]}):
            pass
        with speech_span(model="tts", input=CANARIES["spoken"]):
            pass
        with transcription_span(model="stt", output=CANARIES["heard"]):
            pass


async def with_mcp(provider: Provider) -> None:
    """Use a tool of an MCP server that wants a password, a token and a header."""
    provider.script("*", Reply.calls(ToolCall("stock", {"item": CANARIES["mcp_arguments"]})), SAYS)
    async with http_server() as address:
        user_info = f"{CANARIES['mcp_url_user']}:{CANARIES['mcp_url_password']}"
        url = f"http://{user_info}@{address}/mcp?token={CANARIES['mcp_url_token']}"
        headers = {"x-mcp": CANARIES["mcp_header"]}
        async with MCPServerStreamableHttp({"url": url, "headers": headers}) as server:
            await run(agent(provider, mcp_servers=[server]))


RUNS = (
    desk, broken_tool, broken_hook, tripped, broken_guardrail, refused, other_model, with_session, own_spans,
    with_mcp,
)  # fmt: skip
