"""Sums by what calls belong to: by model, agent, workflow, user, provider or day."""

from __future__ import annotations

from typing import Final

from litespan.cli.sums.facts import Call
from litespan.cli.sums.sums import ZERO, Sums

# Of one dimension: a program has few models, but may have any number of users.
MAX_GROUPS: Final = 10_000


class Groups:
    """The sums of one dimension.

    The first ``limit`` names have sums of their own, which are whole; all later names are one: ``other``.
    Calls that do not say are under None.
    """

    def __init__(self, limit: int = MAX_GROUPS) -> None:
        self._limit = limit
        self._sums: dict[str | None, Sums] = {}
        self.other: Sums | None = None

    def add(self, name: str | None, call: Call) -> None:
        """Add one call."""
        sums = self._sums.get(name)
        if sums is None:
            sums = self._admit(name)
        sums.add(call)

    def _admit(self, name: str | None) -> Sums:
        # That a call does not say is always told apart: it is no name.
        if len(self._sums) < self._limit or name is None:
            return self._sums.setdefault(name, Sums())
        self.other = self.other or Sums()
        return self.other

    @property
    def named(self) -> bool:
        """Whether any call says what it belongs to."""
        return any(name is not None for name in self._sums)

    def dearest(self) -> list[tuple[str | None, Sums]]:
        """Return all groups, the dearest first; of equal ones, those with most tokens, then most calls."""
        return sorted(self._sums.items(), key=_weight, reverse=True)

    def by_name(self) -> list[tuple[str | None, Sums]]:
        """Return all groups in the order of their names: days in their order."""
        return sorted(self._sums.items(), key=lambda group: group[0] or "")


def rest(groups: list[tuple[str | None, Sums]]) -> Sums:
    """Return the sums over several groups."""
    sums = Sums()
    for _, group in groups:
        sums.merge(group)
    return sums


def _weight(group: tuple[str | None, Sums]) -> tuple[object, ...]:
    name, sums = group
    used = (sums.token("input_tokens") or 0) + (sums.token("output_tokens") or 0)
    return sums.cost or ZERO, used, sums.calls, name or ""
