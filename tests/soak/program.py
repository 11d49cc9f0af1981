"""The program whose runs are cancelled and whose streams are left, with litespan or without."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import threading
import tracemalloc
from collections import Counter
from collections.abc import Sequence
from random import Random

from agents import set_trace_processors

from tests.outage.program import resident, tell
from tests.soak.deeds import Deeds
from tests.soak.job import Job, Kind, draw
from tests.soak.seen import Seen

LOOPS = 2
THREADS = 2
AT_ONCE = 24  # jobs of each loop
ROUNDS = 10
_TRACED = 3  # rounds at the end in which allocations are traced, which makes them slow
_BLOCKING = 5  # every so many streams one is read without await


class Lines(logging.Handler):
    """Counts the log lines that say that something was not left as it should be."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.counted: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Count a line by its first words and the class of its exception."""
        error = record.exc_info[0] if record.exc_info else None
        first = record.getMessage().splitlines()[0][:80]
        self.counted[f"{record.name}: {first}" + (f" ({error.__name__})" if error else "")] += 1


def jobs_of(seed: int, runs: int, streams: int) -> list[Job]:
    """Draw all jobs, runs and streams mixed."""
    kinds = [*_runs(runs), *_streams(streams)]
    jobs = [draw(seed, number, kind) for number, kind in enumerate(kinds)]
    Random(seed).shuffle(jobs)  # noqa: S311 - a seed that repeats the order is the point
    return jobs


def _runs(count: int) -> list[Kind]:
    return ["run"] * count


def _streams(count: int) -> list[Kind]:
    return ["stream" if number % _BLOCKING else "blocking" for number in range(count)]


async def _play(deeds: Deeds, jobs: Sequence[Job], faults: Counter[str]) -> None:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(job: Job) -> None:
        async with places:
            try:
                await deeds.do(job)
            except Exception as error:  # noqa: BLE001 - told with the results; the other jobs go on
                faults[f"{job.kind}, {job.end}: {error!r}"[:200]] += 1

    await asyncio.gather(*map(one, jobs))


def _play_blocking(deeds: Deeds, jobs: Sequence[Job]) -> None:
    for job in jobs:
        deeds.do_blocking(job)


def play(deeds: Deeds, jobs: Sequence[Job], faults: Counter[str]) -> None:
    """Do jobs in new event loops and new threads; what is left over ends with its loop."""
    waiting = [job for job in jobs if job.kind != "blocking"]
    blocking = [job for job in jobs if job.kind == "blocking"]
    threads = [
        *(
            threading.Thread(target=lambda part=waiting[i::LOOPS]: asyncio.run(_play(deeds, part, faults)))
            for i in range(LOOPS)
        ),
        *(
            threading.Thread(target=_play_blocking, args=(deeds, blocking[i::THREADS]))
            for i in range(THREADS)
        ),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gc.collect()  # streams that were dropped in a cycle of references end now


def main(base_url: str, seed: int, runs: int, streams: int, watched: str) -> None:
    """Do all jobs in rounds, and tell after each what is open and how much memory there is."""
    set_trace_processors([])
    logging.getLogger().addHandler(lines := Lines())
    seen = Seen() if watched == "litespan" else None
    deeds, faults = Deeds(base_url), Counter[str]()
    jobs = jobs_of(seed, runs, streams)
    for number in range(ROUNDS):
        if number == ROUNDS - _TRACED:
            tracemalloc.start()
        play(deeds, jobs[number::ROUNDS], faults)
        traced = tracemalloc.get_traced_memory()[0] if tracemalloc.is_tracing() else 0
        state = seen.state() if seen else {}
        tell(number=number, memory=resident(), traced=traced, blocks=sys.getallocatedblocks(), **state)
    own = _traced_in("litespan")
    tell(
        done=True,
        begun=deeds.begun,
        faults=faults,
        lines=lines.counted,
        own=own,
        figures=seen.figures() if seen else {},
    )
    os._exit(0)  # hosts leave threads behind, and their end is no matter here


def _traced_in(package: str) -> int:
    """Return the bytes that live and were allocated in the package's files."""
    snapshot = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, f"*/{package}/*")])
    return sum(statistic.size for statistic in snapshot.statistics("filename"))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
