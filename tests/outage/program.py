"""The program that an outage must not hurt: one-call runs at a steady rate; it tells how it is."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any

from agents import Agent, Runner

import litespan

_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident() -> int:
    """Return the bytes of memory that this process has; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * _PAGE
    except OSError:
        return 0


def tell(**facts: Any) -> None:
    """Print a line for whoever started this."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


async def work(model: litespan.LitellmModel, seconds: float, rate: float) -> int:
    """Start runs at a rate, and return how many there were."""
    agent = Agent(name="Sums", model=model)
    running: set[asyncio.Task[Any]] = set()
    begin = told = time.monotonic()
    runs = 0
    while (now := time.monotonic()) - begin < seconds:
        if now - told >= 1:
            told = now
            tell(seconds=now - begin, runs=runs, cpu=time.process_time(), memory=resident())
        if runs < (now - begin) * rate:
            task = asyncio.create_task(Runner.run(agent, "What is 2 + 2?"))
            running.add(task)
            task.add_done_callback(running.discard)
            runs += 1
        await asyncio.sleep(0 if runs < (now - begin) * rate else 0.5 / rate)
    await asyncio.gather(*running)
    return runs


def main(base_url: str, seconds: float, rate: float) -> None:
    """Work with the environment's settings, flush, and tell what litespan says of it."""
    litespan.configure(metric_interval=1.0)
    model = litespan.LitellmModel("openai/gpt-4.1-mini", base_url=base_url, api_key="none")
    runs = asyncio.run(work(model, seconds, rate))
    flushed = litespan.flush(60)
    tell(done=True, runs=runs, flushed=flushed, stats=litespan.stats())
    litespan.shutdown(5)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
