"""A team of agents that uses everything at once, and the trace that one run of it must leave."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from textwrap import dedent

from agents import Agent, GuardrailFunctionOutput, RunConfig, Runner, function_tool, input_guardrail
from agents.models.interface import Model

from litespan.testing import Reply, Request, ToolCall

TRIAGE, EXPERT, WRITER = "gpt-4o-mini", "gpt-4o", "gpt-4.1"
SHOWN = ("gen_ai.conversation.id", "gen_ai.tool.call.id", "litespan.turn", "litespan.attempts")
MODEL_CALLS = 4
RETRIES_EVERY = 5

MakeModel = Callable[[str], Model | str]


@function_tool
def weather(number: int) -> str:
    """Tell the weather; a synchronous tool, which the SDK runs in a thread."""
    return f"sunny in {number}"


@function_tool
async def clock(number: int) -> str:
    """Tell the time; an asynchronous tool that gives other runs a turn."""
    await asyncio.sleep(0)
    return f"noon in {number}"


@input_guardrail
async def polite(context: object, agent: object, text: object) -> GuardrailFunctionOutput:
    """Let everything pass."""
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)


def build_team(make_model: MakeModel) -> Agent[None]:
    """Return the first agent: it calls two tools and an agent in parallel, then hands off to a writer."""
    expert = Agent[None](name="Expert", model=make_model(EXPERT))
    writer = Agent[None](name="Writer", model=make_model(WRITER))
    return Agent[None](
        name="Triage",
        model=make_model(TRIAGE),
        tools=[weather, clock, expert.as_tool("ask_expert", "Ask an expert.")],
        handoffs=[writer],
        input_guardrails=[polite],
    )


def fails_at_first(number: int) -> bool:
    """Say whether the first HTTP attempt of this run is answered with 429."""
    return number % RETRIES_EVERY == 0


def play(request: Request) -> Reply:
    """Answer for all three models, from what the request says alone, so that runs cannot be mixed up."""
    number = int(re.findall(r"run (\d+)", str(request.messages))[0])
    if request.model == EXPERT:
        return Reply.says(f"I know {number}.")
    if request.model == WRITER:
        return Reply.says(f"Done with {number}.")
    if any(message["role"] == "tool" for message in request.messages):
        return Reply.calls(ToolCall("transfer_to_writer", id=f"handoff_{number}"))
    if fails_at_first(number) and request.attempt == 1:
        return Reply.fails(429, retry_after=0.001)
    return Reply.calls(
        ToolCall("weather", {"number": number}, id=f"weather_{number}"),
        ToolCall("clock", {"number": number}, id=f"clock_{number}"),
        ToolCall("ask_expert", {"input": f"run {number}"}, id=f"expert_{number}"),
    )


async def run_team(team: Agent[None], number: int, *, tracing_disabled: bool = False) -> str:
    """Run the team once, streamed for every other number; return its answer."""
    config = RunConfig(
        workflow_name=f"flow {number}", group_id=f"talk-{number}", tracing_disabled=tracing_disabled
    )
    if number % 2:
        return str((await Runner.run(team, f"run {number}", run_config=config)).final_output)
    streamed = Runner.run_streamed(team, f"run {number}", run_config=config)
    async for _ in streamed.stream_events():
        pass
    return str(streamed.final_output)


def expected_tree(number: int) -> str:
    """Return the trace of one run, with the attributes in `SHOWN`.

    The SDK checks the guardrails of a streamed run outside its turns.
    """
    talk = f"gen_ai.conversation.id=talk-{number}"
    attempts = 2 if fails_at_first(number) else 1
    in_turn = " litespan.turn=1" if number % 2 else ""
    return dedent(f"""\
        invoke_workflow flow {number} {talk}
          invoke_agent Triage {talk}
            guardrail polite {talk}{in_turn}
            chat {TRIAGE} {talk} litespan.turn=1 litespan.attempts={attempts}
            execute_tool weather {talk} gen_ai.tool.call.id=weather_{number} litespan.turn=1
            execute_tool clock {talk} gen_ai.tool.call.id=clock_{number} litespan.turn=1
            execute_tool ask_expert {talk} gen_ai.tool.call.id=expert_{number} litespan.turn=1
              invoke_agent Expert {talk}
                chat {EXPERT} {talk} litespan.turn=1 litespan.attempts=1
            chat {TRIAGE} {talk} litespan.turn=2 litespan.attempts=1
            handoff Triage -> Writer {talk} litespan.turn=2
          invoke_agent Writer {talk}
            chat {WRITER} {talk} litespan.turn=3 litespan.attempts=1""")
