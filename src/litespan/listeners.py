"""Emitters as the recorder sees them: which of them hears of which records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from litespan.records import Record


class Emitter(Protocol):
    """Writes records somewhere. A fault in it is reported and harms neither the host nor other emitters."""

    def began(self, record: Record) -> None:
        """Take note of a record that began; fields known later are not filled yet."""
        ...

    def ended(self, record: Record) -> None:
        """Write a record that ended; nothing of it changes any more."""
        ...

    def hears_began(self, kind: type[Record]) -> bool:
        """Say whether :meth:`began` does anything with records of a type."""
        ...

    def hears_ended(self, kind: type[Record]) -> bool:
        """Say whether :meth:`ended` does anything with records of a type."""
        ...


Listener = tuple[str, Callable[[Record], object]]


class Listeners(dict[type[Record], list[Listener]]):
    """Who is to be called for a record of a type, with the place that is reported for a fault."""

    def __init__(
        self, functions: Iterable[tuple[str, Callable[[Record], object], Callable[[type[Record]], bool]]]
    ) -> None:
        self._functions = tuple(functions)

    def __missing__(self, kind: type[Record]) -> list[Listener]:
        found = self[kind] = [(place, call) for place, call, hears in self._functions if hears(kind)]
        return found


def of_beginnings(emitters: Iterable[Emitter]) -> Listeners:
    """Return who hears of records that begin."""
    return Listeners((f"{type(e).__name__}.began", e.began, e.hears_began) for e in emitters)


def of_ends(emitters: Iterable[Emitter]) -> Listeners:
    """Return who hears of records that end."""
    return Listeners((f"{type(e).__name__}.ended", e.ended, e.hears_ended) for e in emitters)
