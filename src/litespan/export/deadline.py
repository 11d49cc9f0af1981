"""Run a task that may take long, and wait for it only so long.

OpenTelemetry's ``force_flush`` and ``shutdown`` do not keep their timeouts while a receiver is silent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from litespan.guard import guard

Task = Callable[[], bool]


def bounded(timeout: float) -> float:
    """Return a timeout (seconds) that Python's waits take; infinity is more than they do."""
    return min(timeout, threading.TIMEOUT_MAX)


def left_until(deadline: float) -> float:
    """Return the seconds that are left until a time of the monotonic clock, 0 once it is over."""
    return max(0.0, deadline - time.monotonic())  # in this order: nothing is left until NaN


class Worker:
    """One daemon thread that runs one task at a time.

    The thread is started at once and parked: from Python 3.12 on, no thread can be started while the
    interpreter exits, and that is when it is needed most.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.start()

    def start(self) -> None:
        """Start the thread; also called in a forked child, where no thread of the parent runs."""
        self._waiting: dict[Task, Future[bool]] = {}
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name=f"litespan-{self._name}", daemon=True)
        self._thread.start()

    def is_current(self) -> bool:
        """Say whether this is its thread, which must not wait for itself."""
        return threading.current_thread() is self._thread

    def submit(self, task: Task) -> Future[bool]:
        """Run ``task`` after what runs now; callers that come before it starts share one run.

        The future holds the task's answer, or False if it raised.
        """
        with self._changed:
            future = self._waiting.get(task)
            if future is None:
                future = Future()
                if self._stopped:
                    future.set_result(False)
                else:
                    self._waiting[task] = future
                    self._changed.notify()
            return future

    def stop(self) -> None:
        """End the thread after the tasks that were submitted."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopped)
                if not self._waiting:
                    return
                task = next(iter(self._waiting))
                future = self._waiting.pop(task)
            answer = False
            with guard(f"export.{self._name}"):
                answer = task()
            future.set_result(answer)
