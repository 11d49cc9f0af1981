"""One variant of a benchmark in a process of its own: reads batch sizes, answers with CPU seconds.

``python -m benchmarks.worker BENCHMARK VARIANT``; each line on stdin is a number of runs, each line
on stdout the CPU time (user and system, in seconds) that this process used for them.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks import hot, streams

Run = Callable[[], Awaitable[Any]]


def choose(benchmark: str, variant: str) -> Run:
    """Return the run of a benchmark: ``hot``, ``calls`` or ``streams``."""
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
    asyncio.run(serve(choose(*sys.argv[1:3])))
