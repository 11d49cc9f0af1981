"""The dearest and the slowest runs. A run's spans may lie in any lines of any files."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any, Final, Generic, TypeVar

from litespan.cli.sums.facts import Call, Root
from litespan.cli.sums.sums import add

T = TypeVar("T", Decimal, float)

MAX_OPEN: Final = 100_000  # runs that are kept together at the same time


@dataclass(slots=True)
class Run:
    """One run: a workflow with its calls, or a call that no workflow surrounds.

    Attributes:
        trace: OpenTelemetry's trace id, in hex.
        name: the workflow's name or its first agent's; None while its root was not read.
        seconds: duration of the root.
        cost: USD, over the calls that were read and have a cost; None if none has.
        wanted: it belongs to the time that is asked for.
    """

    trace: str
    name: str | None = None
    outcome: str | None = None
    start_ns: int | None = None
    seconds: float | None = None
    calls: int = 0
    cost: Decimal | None = None
    unpriced: int = 0
    wanted: bool = False

    def as_dict(self) -> Mapping[str, Any]:
        """Return the figures for JSON: seconds, USD, null for what is not known."""
        return {
            "trace_id": self.trace,
            "name": self.name,
            "outcome": self.outcome,
            "start_unix_nano": self.start_ns,
            "duration": self.seconds,
            "calls": self.calls,
            "cost": None if self.cost is None else float(self.cost),
            "unpriced": self.unpriced,
        }


class Runs:
    """Puts runs together and keeps the ``top`` of them.

    At most ``max_open`` runs are kept together. Beyond it the one that was not met for the longest time is
    taken as whole; spans of it that are read later count as a run of their own.
    """

    def __init__(self, top: int, max_open: int = MAX_OPEN) -> None:
        self._open: OrderedDict[str, Run] = OrderedDict()
        self._max_open = max_open
        self._dearest: _Top[Decimal] = _Top(top)
        self._slowest: _Top[float] = _Top(top)

    def add_call(self, call: Call) -> None:
        """Add a call that was sent."""
        run = self._run(call.run, call.trace)
        run.wanted = True
        run.calls += 1
        run.unpriced += call.unpriced
        if call.cost is not None:
            run.cost = call.cost if run.cost is None else add(run.cost, call.cost)
        if call.root is not None:
            run.name, run.outcome = call.root, call.outcome
            run.start_ns, run.seconds = call.start_ns, call.seconds

    def add_root(self, root: Root, *, wanted: bool) -> None:
        """Add the root of a run. One that is not ``wanted`` gives its name to calls that are."""
        run = self._run(root.run, root.trace)
        run.wanted = run.wanted or wanted
        run.name, run.outcome = root.name, root.outcome
        run.start_ns, run.seconds = root.start_ns, root.seconds

    def dearest(self) -> list[Run]:
        """Return the runs that cost most; those without a known cost are left out."""
        self._close_all()
        return self._dearest.best()

    def slowest(self) -> list[Run]:
        """Return the runs that took longest; those without a root are left out."""
        self._close_all()
        return self._slowest.best()

    def _run(self, key: str, trace: str) -> Run:
        run = self._open.get(key)
        if run is not None:
            self._open.move_to_end(key)
            return run
        if len(self._open) >= self._max_open:
            self._close(self._open.popitem(last=False)[1])
        run = self._open[key] = Run(trace)
        return run

    def _close(self, run: Run) -> None:
        if not run.wanted:
            return
        if run.cost is not None:
            self._dearest.offer(run.cost, run)
        if run.seconds is not None:
            self._slowest.offer(run.seconds, run)

    def _close_all(self) -> None:
        while self._open:
            self._close(self._open.popitem(last=False)[1])


class _Top(Generic[T]):
    """The runs with the largest values; of equal ones, those that came first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._heap: list[tuple[T, int, Run]] = []
        self._later = count(0, -1)

    def offer(self, value: T, run: Run) -> None:
        """Keep the run if it is one of the largest."""
        heapq.heappush(self._heap, (value, next(self._later), run))
        if len(self._heap) > self._size:
            heapq.heappop(self._heap)

    def best(self) -> list[Run]:
        """Return what is kept, the largest first."""
        return [run for _, _, run in sorted(self._heap, reverse=True)]
