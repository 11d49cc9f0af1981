"""Runs of agents to their end."""

from __future__ import annotations

from typing import Any

from agents import Agent, Runner


async def run_to_end(agent: Agent[Any], text: str = "hi", *, stream: bool, **options: Any) -> Any:
    """Run an agent, streamed or not; return its final output."""
    if not stream:
        return (await Runner.run(agent, text, **options)).final_output
    result = Runner.run_streamed(agent, text, **options)
    async for _ in result.stream_events():
        pass
    return result.final_output
