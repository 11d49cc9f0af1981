"""Replacing attributes of a host and putting them back, identity checked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from copy import deepcopy
from importlib import import_module
from inspect import isfunction
from pkgutil import resolve_name
from typing import Any, Final
from weakref import WeakValueDictionary

import wrapt

from litespan.guard import guarded

Hook = Callable[[Any, Any, Any, Any], Any]

# How many frames above it the caller of a hooked function is: between them are its guard, the hook and, where
# wrapt has no compiled part, one of wrapt's.
_CALLER: Final = 4 if isfunction(wrapt.FunctionWrapper.__call__) else 3


@guarded("patching")
def calling_module() -> str | None:
    """Return the name of the module that calls what is hooked; for hooks to ask.

    ``None`` where no Python code does: threads, greenlets and exit handlers may begin with the function.
    """
    try:
        name = sys._getframe(_CALLER).f_globals.get("__name__")  # noqa: SLF001
    except ValueError:
        return None
    return name if isinstance(name, str) else None


class _Method(wrapt.BoundFunctionWrapper):  # type: ignore[type-arg]  # not generic before wrapt 2
    """A wrapped function that was read from an object; copied and pickled as methods are."""

    def __copy__(self) -> _Method:
        """Return the method itself."""
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        """Return the method of a copy of the object."""
        return getattr(deepcopy(self._self_instance, memo), self.__wrapped__.__name__)

    def __reduce_ex__(self, _protocol: Any) -> Any:
        """Say what it is read from, and under which name."""
        return getattr, (self._self_instance, self.__wrapped__.__name__)

    def __repr__(self) -> str:
        """Return what the method says."""
        return repr(self.__wrapped__)


class _Function(wrapt.FunctionWrapper):  # type: ignore[type-arg]  # not generic before wrapt 2
    """A wrapped function that is copied and pickled as functions are: as itself, and as its name.

    Programs deep-copy settings that hold a function of a host, and hand one to other processes.
    """

    __bound_function_wrapper__ = _Method

    def __init__(self, wrapped: Any, hook: Hook, place: str) -> None:
        super().__init__(wrapped, hook)
        self._self_place = place

    def __copy__(self) -> _Function:
        """Return the function itself."""
        return self

    def __deepcopy__(self, _memo: Any) -> _Function:
        """Return the function itself."""
        return self

    def __reduce_ex__(self, _protocol: Any) -> Any:
        """Say where the function is found; whether it is wrapped there is that process's affair."""
        return resolve_name, (self._self_place,)

    def __repr__(self) -> str:
        """Return what the function says."""
        return repr(self.__wrapped__)


# By what each wraps, and so keeps, and its place.
_made: Final[WeakValueDictionary[tuple[int, str], _Function]] = WeakValueDictionary()


def _wrapped(original: Any, hook: Hook, place: str) -> _Function:
    """Return the wrapper of a function, the one of an earlier set-up if somebody still holds that."""
    wrapper = _made.get((id(original), place))
    if wrapper is None:
        wrapper = _made[id(original), place] = _Function(original, hook, place)
    else:
        wrapper.__init__(original, hook, place)  # type: ignore[misc]  # its hook cannot be replaced otherwise
    return wrapper


class Patches:
    """Wrapped attributes of a host.

    ``active`` is for hooks to ask: where another library has wrapped ours meanwhile, ours cannot be taken
    out of the middle; it stays and lets everything pass.
    """

    def __init__(self) -> None:
        self.active = True
        self._done: list[tuple[Any, str, Any, Any]] = []

    def wrap(self, owner: Any, name: str, hook: Hook) -> None:
        """Wrap ``owner.name``; signature, name and ``iscoroutinefunction`` stay what they were.

        A program that has bound the name (``from litellm import acompletion``) while litespan was set up
        before has the same wrapper, and is seen again.
        """
        # vars() keeps descriptors (static and class methods) as they are; getattr would bind them.
        within = (
            f"{owner.__module__}:{owner.__qualname__}." if isinstance(owner, type) else f"{owner.__name__}:"
        )
        self.put(owner, name, _wrapped(vars(owner)[name], hook, within + name))

    def wrap_private(self, module: str, name: str, hook: Hook) -> None:
        """Wrap ``function`` or ``Class.method`` of a module, if it has one: private names come and go."""
        try:
            owner: Any = import_module(module)
        except ImportError:
            return
        *classes, attribute = name.split(".")
        for each in classes:
            owner = getattr(owner, each, object)
        if attribute in vars(owner):
            self.wrap(owner, attribute, hook)

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
