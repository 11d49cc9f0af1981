"""The mixed load: jobs from a seed, played 64 at a time in two event loops and four threads."""

from __future__ import annotations

import asyncio
import gc
import threading
import traceback
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Final, cast

import litespan
from tests.ledger.job import Job, Plan
from tests.ledger.scenarios import SCENARIOS, Scenario
from tests.ledger.stage import Stage
from tests.ledger.vendors import VENDORS, Vendor

LOOPS: Final = 2
THREADS: Final = 4
AT_ONCE: Final = 64

_WAIT: Final = 300.0  # seconds that a job may take


@dataclass(frozen=True, slots=True)
class Task:
    """A job with its plan."""

    scenario: Scenario
    job: Job
    plan: Plan


def tasks(calls: int, seed: int, vendors: tuple[Vendor, ...] = VENDORS) -> list[Task]:
    """Make jobs of at least so many calls together. The same arguments give the same jobs."""
    found: list[Task] = []
    for task in _endless(Random(seed), vendors):  # noqa: S311 - a seed that repeats a load is the point
        found.append(task)
        calls -= len(task.plan.calls)
        if calls <= 0:
            break
    return found


def _endless(random: Random, vendors: tuple[Vendor, ...]) -> Iterator[Task]:
    """Yield jobs in rounds of all scenarios; each scenario takes its ways of being played in turn."""
    ways = {}
    for scenario in SCENARIOS:
        listed = list(scenario.ways(vendors))
        random.shuffle(listed)
        ways[scenario] = cycle(listed)
    number = 0
    while True:
        for scenario in SCENARIOS:
            for _ in range(scenario.share):
                number += 1
                vendor, stream = next(ways[scenario])
                job = Job(number, scenario.name, vendor, stream, Random(random.random()))  # noqa: S311
                yield Task(scenario, job, scenario.plan(job))


def play(todo: Sequence[Task], stage: Stage) -> dict[str, str]:
    """Play all jobs; return what went wrong in the program itself, by job."""
    for task in todo:
        stage.expect(task.job.number, task.plan.replies)
    faults: dict[str, str] = {}
    blocking = [task for task in todo if task.scenario.blocking]
    loops = [
        threading.Thread(target=lambda part=part: asyncio.run(_play(part, stage, faults)))
        for part in _by_loop([task for task in todo if not task.scenario.blocking])
    ]
    # Where the collector finds a dropped stream while httpcore (1.0.9) holds the lock of its pool, closing it
    # waits for that lock, in the same thread and for ever.
    gc.disable()
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            for loop in loops:
                loop.start()
            for task in blocking:
                pool.submit(_play_blocking, task, stage, faults)
            for loop in loops:
                loop.join()
    finally:
        gc.enable()
    gc.collect()  # streams that were dropped in a cycle of references end now
    return faults


def _by_loop(todo: Sequence[Task]) -> list[list[Task]]:
    """Share the jobs out: what must stay in one loop is played in the first, the rest evens it out."""
    parts: list[list[Task]] = [[] for _ in range(LOOPS)]
    for task in sorted(todo, key=lambda task: not task.job.vendor.one_loop):
        (parts[0] if task.job.vendor.one_loop else min(parts, key=len)).append(task)
    return parts


async def _play(todo: Sequence[Task], stage: Stage, faults: dict[str, str]) -> None:
    places = asyncio.Semaphore((AT_ONCE - THREADS) // LOOPS)

    async def one(task: Task) -> None:
        async with places:
            act = cast("Callable[[Stage], Awaitable[None]]", task.plan.act)
            try:
                with litespan.using(user=task.job.name):
                    await asyncio.wait_for(act(stage), _WAIT)
            except Exception:  # noqa: BLE001 - told with the results; the other jobs go on
                faults[task.job.name] = traceback.format_exc(limit=-3)

    await asyncio.gather(*(one(task) for task in todo))


def _play_blocking(task: Task, stage: Stage, faults: dict[str, str]) -> None:
    try:
        with litespan.using(user=task.job.name):
            task.plan.act(stage)
    except Exception:  # noqa: BLE001 - told with the results; the other jobs go on
        faults[task.job.name] = traceback.format_exc(limit=-3)
