"""Values kept for objects by their identity, for as long as the objects live.

Providers of OpenTelemetry are the program's objects. Some cannot be hashed (a dataclass that compares by
value, as logfire's), so that no dictionary and no weak dictionary takes them as keys.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

V = TypeVar("V")


class IdentityMap(Generic[V]):
    """Like a weak dictionary, but its keys are compared by identity and need no hash."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[Callable[[], Any], V]] = {}

    def get(self, key: object) -> V | None:
        """Return the value of an object, or ``None``."""
        held = self._held.get(id(key))
        return held[1] if held is not None and held[0]() is key else None

    def __setitem__(self, key: object, value: V) -> None:
        self._held[id(key)] = (self._reference(key), value)

    def __contains__(self, key: object) -> bool:
        held = self._held.get(id(key))
        return held is not None and held[0]() is key

    def items(self) -> list[tuple[Any, V]]:
        """Return all objects that live, with their values."""
        held = [(reference(), value) for reference, value in list(self._held.values())]
        return [(key, value) for key, value in held if key is not None]

    def _reference(self, key: object) -> Callable[[], Any]:
        number, held = id(key), self._held

        def forget(reference: Any) -> None:
            # The number may belong to another object by now.
            if number in held and held[number][0] is reference:
                del held[number]

        try:
            return weakref.ref(key, forget)
        except TypeError:  # some objects cannot be referenced weakly; providers are few
            return lambda: key
