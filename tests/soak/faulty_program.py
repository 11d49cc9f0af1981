"""The program of the soak: runs without a pause; some fail, some are cancelled, some are made by forks."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import logging
import os
import sys
import time
import traceback
from collections import Counter
from random import Random
from typing import Any, Final

from agents import Agent, Runner
from openai import OpenAIError

import litespan
from litespan import guard
from tests.outage.program import resident, tell
from tests.soak.deeds import CountedModel

AT_ONCE: Final = 16
HANGS: Final = "hang"
FAILS: Final = "fail"
STUMBLES: Final = "stumble"
_KINDS: Final = (*["answer"] * 14, HANGS, HANGS, FAILS, STUMBLES, STUMBLES)
_LONGEST: Final = 0.2  # seconds until a run that hangs is cancelled
_FORKS: Final = 1.5  # seconds between two forks
_RUNS_OF_A_FORK: Final = 3
_FLUSH: Final = 30.0  # seconds


class Work:
    """Makes runs, and counts what it has begun."""

    def __init__(self, base_url: str, seed: int) -> None:
        self.begun: Counter[str] = Counter()
        self._random = Random(seed)  # noqa: S311 - a seed that repeats the choices is the point
        self._base_url = base_url

    async def go_on(self, until: float) -> None:
        """Make one run after the other until a time of the monotonic clock."""
        while time.monotonic() < until:
            await self.one(self._random.choice(_KINDS))

    async def one(self, kind: str) -> None:
        """Make one run."""
        self.begun["runs"] += 1
        self.begun[kind] += 1
        agent = Agent[None](name="Desk", model=CountedModel(self._base_url, self.begun))
        run = Runner.run(agent, kind)
        if kind == HANGS:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(run, self._random.uniform(0, _LONGEST))
            return
        try:
            await run
        except OpenAIError:
            self.begun["failed"] += 1

    async def fork_on(self, until: float) -> None:
        """Fork now and then, in the middle of everything."""
        children: set[asyncio.Future[Any]] = set()
        while (pause := min(_FORKS, until - time.monotonic())) > 0:
            await asyncio.sleep(pause)
            if child := os.fork():
                children.add(asyncio.ensure_future(asyncio.to_thread(os.waitpid, child, 0)))
            else:
                self._be_a_fork()
        for _, status in await asyncio.gather(*children):
            self.begun["forks"] += 1
            self.begun["forks that broke"] += status != 0

    def _be_a_fork(self) -> None:
        """Make some runs in a loop of its own; what the parent has under way is none of a fork's business."""
        gc.disable()  # a transport that is collected here would leave the parent's poll
        faulthandler.dump_traceback_later(2 * _FLUSH, exit=True)
        own = Work(self._base_url, os.getpid())
        asyncio.run(own.some())
        tell(fork=True, **_last_words(own))
        os._exit(0)

    async def some(self) -> None:
        """Make the runs of a fork."""
        await asyncio.gather(*(self.one("answer") for _ in range(_RUNS_OF_A_FORK)))


def _last_words(work: Work) -> dict[str, Any]:
    litespan.flush(_FLUSH)  # what cannot be sent now stays in the spool
    return {"begun": work.begun, "stats": litespan.stats()}


async def _report(work: Work, until: float) -> None:
    began = time.monotonic()
    while (now := time.monotonic()) < until:
        tell(seconds=now - began, runs=work.begun["runs"], cpu=time.process_time(), memory=resident())
        await asyncio.sleep(min(1.0, max(until - now, 0)))


async def _work(work: Work, seconds: float) -> None:
    until = time.monotonic() + seconds
    await asyncio.gather(
        _report(work, until), work.fork_on(until), *(work.go_on(until) for _ in range(AT_ONCE))
    )


def main(base_url: str, seconds: float, seed: int) -> None:
    """Work for some seconds, flush, and tell what litespan says of it."""
    litespan.configure(metric_interval=1.0)
    logging.getLogger("litespan").setLevel(logging.ERROR)  # a receiver that goes away is the point here
    guard.add_listener(lambda _, fault: traceback.print_exception(fault))  # counts alone do not tell why
    work = Work(base_url, seed)
    asyncio.run(_work(work, seconds))
    tell(done=True, **_last_words(work))
    litespan.shutdown(5)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
