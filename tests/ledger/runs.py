"""Jobs of the Agents SDK: runs with tools, agents as tools, handoffs, retries, cancellations."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

from agents import Agent, ModelRetrySettings, ModelSettings, RunConfig, Runner, function_tool

import litespan
from litespan.testing import Reply, ToolCall
from tests.ledger.job import Call, Job, Plan, last_piece
from tests.ledger.stage import Stage

WORKFLOW: Final = "ledger"


@function_tool
def look_up(word: str) -> str:
    """Look a word up."""
    return f"{word}: found"


def tool_run(job: Job) -> Plan:
    """Run an agent that calls a tool once or twice."""
    rounds = job.random.randint(1, 2)
    asked = [Reply.calls(ToolCall("look_up", {"word": "x"}), usage=job.usage()) for _ in range(rounds)]

    async def act(stage: Stage) -> None:
        await run(job, agent(job, stage, tools=[look_up]))

    return Plan(act, [*asked, job.answer()], [job.told()] * (rounds + 1))


def team_run(job: Job) -> Plan:
    """Run an agent that asks another one as a tool and then hands off to a third."""

    async def act(stage: Stage) -> None:
        expert = agent(job, stage, 1, name="Expert")
        # Claude takes a conversation with tool calls in it only if there are tools.
        writer = agent(job, stage, 1, name="Writer", tools=[look_up])
        await run(job, agent(job, stage, tools=[expert.as_tool("ask_expert", "Ask.")], handoffs=[writer]))

    replies = [
        Reply.calls(ToolCall("ask_expert", {"input": job.text}), usage=job.usage()),
        job.answer(),
        Reply.calls(ToolCall("transfer_to_writer"), usage=job.usage()),
        job.answer(),
    ]
    # The SDK does not stream an agent that is a tool.
    return Plan(act, replies, [job.told(), Call(1), job.told(), job.told(1)])


def retried_run(job: Job) -> Plan:
    """Let the Agents SDK ask the model three times: each is a call."""
    retry = ModelRetrySettings(
        max_retries=2, policy=lambda _: True, backoff={"initial_delay": 0.001, "jitter": False}
    )

    async def act(stage: Stage) -> None:
        await run(job, agent(job, stage, retry=retry))

    failed = Call(outcome="error")
    return Plan(act, [Reply.fails(400), Reply.fails(400), job.answer()], [failed, failed, job.told()])


def cancelled_run(job: Job) -> Plan:
    """Cancel a run in its second call."""

    async def act(stage: Stage) -> None:
        reached = asyncio.Event()
        task = asyncio.create_task(_run_until(job, agent(job, stage, tools=[look_up]), reached))
        await reached.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asked = Reply.calls(ToolCall("look_up", {"word": "x"}), usage=job.usage())
    return Plan(act, [asked, job.stuck()], [job.told(), Call(outcome="cancelled", missing="cancelled")])


def agent(
    job: Job,
    stage: Stage,
    model: int = 0,
    name: str = "Desk",
    retry: ModelRetrySettings | None = None,
    **options: Any,
) -> Agent[None]:
    """Return an agent on one of the job's models."""
    own = stage.target(job.vendor, model)
    chosen = litespan.LitellmModel(own.pop("model"), own.pop("api_base"), own.pop("api_key", None))
    settings = ModelSettings(retry=retry, extra_args=own or None)
    return Agent[None](name=name, model=chosen, model_settings=settings, **options)


async def run(job: Job, first: Agent[None]) -> None:
    """Run agents to the end, streamed or not."""
    config = RunConfig(workflow_name=WORKFLOW)
    if not job.stream:
        await Runner.run(first, job.text, run_config=config)
        return
    async for _ in Runner.run_streamed(first, job.text, run_config=config).stream_events():
        pass


async def _run_until(job: Job, first: Agent[None], reached: asyncio.Event) -> None:
    said = ""
    config = RunConfig(workflow_name=WORKFLOW)
    async for event in Runner.run_streamed(first, job.text, run_config=config).stream_events():
        if event.type == "raw_response_event":
            said += str(getattr(event.data, "delta", ""))
            if last_piece() in said:
                reached.set()
