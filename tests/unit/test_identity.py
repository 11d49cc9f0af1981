"""Values by identity: for objects that cannot be hashed, gone with the object."""

from __future__ import annotations

import gc
from dataclasses import dataclass

from litespan.identity import IdentityMap


@dataclass
class Unhashable:
    """Compares by value, so Python gives it no hash."""

    name: str = "same"


class Slotted:
    """Cannot be referenced weakly."""

    __slots__ = ("name",)


def test_equal_objects_are_told_apart() -> None:
    """Two objects that are equal have values of their own."""
    one, other = Unhashable(), Unhashable()
    held: IdentityMap[str] = IdentityMap()
    held[one] = "one"

    assert ("one", None) == (held.get(one), held.get(other))
    assert (True, False) == (one in held, other in held)


def test_a_value_goes_with_its_object() -> None:
    """What belongs to an object that is gone is forgotten."""
    held: IdentityMap[str] = IdentityMap()
    gone = Unhashable()
    held[gone] = "gone"
    del gone
    gc.collect()

    assert [] == held.items()


def test_objects_without_weak_references_are_kept() -> None:
    """An object that cannot be referenced weakly is found all the same."""
    held: IdentityMap[str] = IdentityMap()
    slotted = Slotted()
    held[slotted] = "kept"

    assert "kept" == held.get(slotted)
