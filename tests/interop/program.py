"""A program that runs an agent with litespan and another instrumentation on, in a given order."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import litellm
import pytest
from agents import Agent, Runner, function_tool
from agents.extensions.models.litellm_model import LitellmModel

import litespan
from tests.interop.others import ALONE, BOTH, FIRST, LAST, OTHERS, WITHOUT
from tests.interop.telemetry import Telemetry
from tests.isolation import refuse_foreign_hosts

URL = os.environ["OPENAI_BASE_URL"]


@function_tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


async def use(*, embeds: bool) -> list[Any]:
    """Make two calls in a run, two in a streamed run, one without a run, and an embedding."""
    agent = Agent(name="Helper", model=LitellmModel("openai/gpt-4o-mini", URL, "k"), tools=[weather])
    run = await Runner.run(agent, "weather?")
    streamed = Runner.run_streamed(agent, "weather?")
    events = [event.type async for event in streamed.stream_events()]
    where = {"api_base": URL, "api_key": "k"}
    answer = await litellm.acompletion("openai/gpt-4o-mini", [{"role": "user", "content": "hi"}], **where)
    facts: list[Any] = [
        run.final_output,
        run.context_wrapper.usage.total_tokens,
        streamed.final_output,
        len(events),
        answer.choices[0].message.content,
    ]
    if embeds:
        vectors = await litellm.aembedding("openai/text-embedding-3-small", ["hi"], **where)
        facts.append(len(vectors.data))
    return facts


def main(name: str, order: str) -> None:
    """Switch both on, use LiteLLM, and report."""
    telemetry, other = Telemetry(), OTHERS[name]
    other.set_up(telemetry.spans, telemetry.reader)
    steps = {
        FIRST: (other.activate, litespan.instrument),
        LAST: (litespan.instrument, other.activate),
        WITHOUT: (other.activate,),
        ALONE: (),
    }
    for step in steps[order]:
        step()
    facts = asyncio.run(use(embeds=other.embeds or order == WITHOUT))
    if other.late and order in BOTH:
        telemetry.wait_for_others(other.spans)
    telemetry.report(facts=facts, internal_errors=litespan.stats()["internal_errors"])


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patch:
        refuse_foreign_hosts(patch)
        main(*sys.argv[1:])
