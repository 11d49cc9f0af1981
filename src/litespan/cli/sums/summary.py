"""One pass over lines: what is in them, by group and by run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from litespan.cli.sums.facts import Call, Root
from litespan.cli.sums.groups import MAX_GROUPS, Groups
from litespan.cli.sums.names import DIMENSIONS
from litespan.cli.sums.runs import MAX_OPEN, Runs
from litespan.cli.sums.spans import Found
from litespan.cli.sums.sums import Sums


class Summary:
    """The figures of all calls that began in the time that is asked for.

    Totals of agents and workflows are never added: they hold the same calls.

    Args:
        by: the dimensions to group by, some of `DIMENSIONS`.
        top: how many of the dearest and of the slowest runs are kept.
        since_ns: nanoseconds since the epoch; what began earlier is left out, as is what has no start.

    Attributes:
        total: over all calls.
        groups: the sums of each dimension.
        spans, others: spans of litespan, and of other tools, that were read.
        beside: requests of metrics or logs that were read.
        unsent: spans that stand for other calls or failed before they asked anybody; they are no calls.
        first_ns, last_ns: the earliest and the latest start of a call.
    """

    def __init__(
        self,
        by: Sequence[str] = DIMENSIONS,
        top: int = 10,
        since_ns: int | None = None,
        *,
        max_groups: int = MAX_GROUPS,
        max_open_runs: int = MAX_OPEN,
    ) -> None:
        self.total = Sums()
        self.groups = {name: Groups(max_groups) for name in by}
        self.runs = Runs(top, max_open_runs)
        self.since_ns = since_ns
        self.spans = self.others = self.beside = self.unsent = 0
        self.first_ns: int | None = None
        self.last_ns: int | None = None
        self._places = [(DIMENSIONS.index(name), groups) for name, groups in self.groups.items()]

    def add(self, found: Found) -> None:
        """Add what one line holds."""
        self.spans += found.spans
        self.others += found.others
        self.beside += found.beside
        for call in found.calls:
            self._add_call(call)
        for root in found.roots:
            self._add_root(root)

    def _add_call(self, call: Call) -> None:
        if not self._wanted(call.start_ns):
            return
        if not call.sent:
            self.unsent += 1
            return
        self.total.add(call)
        for index, groups in self._places:
            groups.add(call.names[index], call)
        self.runs.add_call(call)
        if call.start_ns is not None:
            self.first_ns = min(call.start_ns, self.first_ns or call.start_ns)
            self.last_ns = max(call.start_ns, self.last_ns or call.start_ns)

    def _add_root(self, root: Root) -> None:
        self.runs.add_root(root, wanted=self._wanted(root.start_ns))

    def _wanted(self, start_ns: int | None) -> bool:
        return self.since_ns is None or (start_ns is not None and start_ns >= self.since_ns)


def time_text(time_ns: int | None) -> str | None:
    """Return a time as ISO 8601 in UTC, to the second."""
    if time_ns is None:
        return None
    time = dt.datetime.fromtimestamp(time_ns // 10**9, dt.timezone.utc)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
