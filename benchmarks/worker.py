"""One variant of a benchmark in a process of its own: reads batch sizes, answers with CPU seconds.

``python -m benchmarks.worker BENCHMARK VARIANT BASE_URL``; each line on stdin is a number of runs, each line
on stdout the CPU time (user and system, in seconds) that this process used for them.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Any
from urllib.parse import urlsplit

from agents import Agent, Runner, function_tool
from agents.extensions.models.litellm_model import LitellmModel

from benchmarks import hot, streams
from benchmarks.floor import FloorModel
from benchmarks.telemetry import AGENT, MODEL
from benchmarks.variants import BY_HAND, floor_of, set_up

Run = Callable[[], Awaitable[Any]]


def _agent(model: LitellmModel, tool: Any = nullcontext) -> Agent[Any]:
    @function_tool
    async def weather(city: str) -> str:
        with tool():
            return f"sunny in {city}"

    return Agent(name=AGENT, model=model, tools=[weather])


def prepare(variant: str, base_url: str) -> Run:
    """Set a variant up and return its run: an agent with two model calls and one tool call."""
    model = LitellmModel(MODEL, base_url=base_url, api_key="bench")
    set_up(variant)
    if variant not in BY_HAND:
        agent = _agent(model)
        return lambda: Runner.run(agent, "What is the weather?")
    floor = floor_of(variant)
    port = urlsplit(base_url).port or 0
    observed = FloorModel(floor, AGENT, port, model=MODEL, base_url=base_url, api_key="bench")
    by_hand = _agent(observed, lambda: floor.tool("weather", AGENT))
    return lambda: floor.run(AGENT, lambda: Runner.run(by_hand, "What is the weather?"))


def choose(benchmark: str, variant: str, base_url: str) -> Run:
    """Return the run of a benchmark: ``real``, ``hot``, ``calls`` or ``streams``."""
    if benchmark == "real":
        return prepare(variant, base_url)
    return {"hot": hot.prepare, "calls": hot.prepare_call, "streams": streams.prepare}[benchmark](variant)


def stay_on_one_processor() -> None:
    """Stay where all other variants run; processors of a machine that others share may differ in speed."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


async def serve(run: Run) -> None:
    """Answer batches until stdin ends."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        gc.collect()
        began = time.process_time()
        for _ in range(int(line)):
            await run()
        print(time.process_time() - began, flush=True)  # noqa: T201 - the answer to the parent


if __name__ == "__main__":
    stay_on_one_processor()
    asyncio.run(serve(choose(*sys.argv[1:4])))
