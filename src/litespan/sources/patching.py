"""Replacing attributes of a host and putting them back, identity checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import wrapt

Hook = Callable[[Any, Any, Any, Any], Any]


class Patches:
    """Wrapped attributes of a host.

    ``active`` is for hooks to ask: where another library has wrapped ours meanwhile, ours cannot be taken
    out of the middle; it stays and lets everything pass.
    """

    def __init__(self) -> None:
        self.active = True
        self._done: list[tuple[Any, str, Any, Any]] = []

    def wrap(self, owner: Any, name: str, hook: Hook) -> None:
        """Wrap ``owner.name``; signature, name and ``iscoroutinefunction`` stay what they were."""
        # vars() keeps descriptors (static and class methods) as they are; getattr would bind them.
        original = vars(owner)[name]
        wrapper = wrapt.FunctionWrapper(original, hook)
        setattr(owner, name, wrapper)
        self._done.append((owner, name, original, wrapper))

    def undo(self) -> None:
        """Put the originals back where ours are still in place."""
        self.active = False
        while self._done:
            owner, name, original, wrapper = self._done.pop()
            if vars(owner).get(name) is wrapper:
                setattr(owner, name, original)
