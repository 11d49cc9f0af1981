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
        self.put(owner, name, wrapt.FunctionWrapper(vars(owner)[name], hook))

    def put(self, owner: Any, name: str, replacement: Any) -> None:
        """Replace ``owner.name``."""
        self._done.append((owner, name, vars(owner)[name], replacement))
        setattr(owner, name, replacement)

    def undo(self) -> None:
        """Put the originals back where ours are still in place."""
        self.active = False
        while self._done:
            owner, name, original, replacement = self._done.pop()
            if vars(owner).get(name) is replacement:
                setattr(owner, name, original)
