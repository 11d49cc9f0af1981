"""Work through tickets: one run of the Agents SDK each, several at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from agents import Agent, RunConfig, Runner
from agents.exceptions import AgentsException
from openai import OpenAIError

from litespan.cli.desk.tickets import Ticket

WORKFLOW: Final = "Support desk"

_AT_A_TIME: Final = 4
_MAX_TURNS: Final = 8


async def work(desk: Agent[Any], tickets: Sequence[Ticket], done: Callable[[], None]) -> None:
    """Answer all tickets; ``done`` is called after each. A run that fails is seen in its trace."""
    places = asyncio.Semaphore(_AT_A_TIME)

    async def take(ticket: Ticket) -> None:
        """Answer one ticket when there is a place."""
        async with places:
            # A tripped guardrail or a failed call: the spans say so.
            with suppress(AgentsException, OpenAIError):
                await _answer(desk, ticket)
            done()

    await asyncio.gather(*map(take, tickets))


async def _answer(desk: Agent[Any], ticket: Ticket) -> None:
    config = RunConfig(workflow_name=WORKFLOW, group_id=ticket.number)
    if not ticket.streamed:
        await Runner.run(desk, ticket.question, max_turns=_MAX_TURNS, run_config=config)
        return
    result = Runner.run_streamed(desk, ticket.question, max_turns=_MAX_TURNS, run_config=config)
    async for _ in result.stream_events():
        pass
