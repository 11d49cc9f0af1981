"""Real runs, with ``Runner.run`` and HTTP, of one program whose telemetry is switched on and off.

Variants in processes of their own throw each other's code and data out of the processor's caches whenever
they take turns, and where each of them has its own in memory is chance. In one process both are the same for
all of them, so that differences of a few percent can be seen.

``python -m benchmarks.switched BASE_URL``; each line on stdin is a variant and a number of runs, each line on
stdout the CPU time (user and system, in seconds) that this process used for them.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from agents import Agent, Runner, function_tool
from agents.extensions.models.litellm_model import LitellmModel

from benchmarks.floor import FloorModel
from benchmarks.telemetry import AGENT, MODEL
from benchmarks.variants import BY_HAND, floor_of, set_up, take_down
from benchmarks.worker import stay_on_one_processor

Run = Callable[[], Awaitable[Any]]


def _agent(model: LitellmModel, tool: Any = nullcontext) -> Agent[Any]:
    @function_tool
    async def weather(city: str) -> str:
        with tool():
            return f"sunny in {city}"

    return Agent(name=AGENT, model=model, tools=[weather])


@cache
def run_of(variant: str, base_url: str) -> Run:
    """Return the run of a variant: an agent with two model calls and one tool call."""
    if variant not in BY_HAND:
        agent = _agent(LitellmModel(MODEL, base_url=base_url, api_key="bench"))
        return lambda: Runner.run(agent, "What is the weather?")
    floor = floor_of(variant)
    port = urlsplit(base_url).port or 0
    observed = FloorModel(floor, AGENT, port, model=MODEL, base_url=base_url, api_key="bench")
    by_hand = _agent(observed, lambda: floor.tool("weather", AGENT))
    return lambda: floor.run(AGENT, lambda: Runner.run(by_hand, "What is the weather?"))


async def serve(base_url: str) -> None:
    """Answer until stdin ends. The first run of a turn only brings back what the others have thrown out.

    Garbage is not collected before a turn: that takes longer than a turn, and the speed changes meanwhile.
    """
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        variant, count = line.split()
        run = run_of(variant, base_url)
        set_up(variant)
        await run()
        began = time.process_time()
        for _ in range(int(count)):
            await run()
        seconds = time.process_time() - began
        take_down(variant)
        print(seconds, flush=True)  # noqa: T201 - the answer to the parent


if __name__ == "__main__":
    stay_on_one_processor()
    asyncio.run(serve(sys.argv[1]))
