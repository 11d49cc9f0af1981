"""The one place that catches ``Exception``: a fault of litespan never reaches the host program.

``GeneratorExit``, ``KeyboardInterrupt`` and ``asyncio.CancelledError`` are not ``Exception`` and pass
through untouched.
"""

from __future__ import annotations

import functools
import logging
import os
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")

logger = logging.getLogger("litespan")

_errors: Counter[str] = Counter()
_lock = threading.Lock()
_listeners: list[Callable[[str, Exception], None]] = []


def report(place: str, error: Exception) -> None:
    """Count a fault of litespan's own, and log it the first time that it happens at ``place``.

    The log line holds the exception's class and the line of code that raised it, which may be one of a span
    processor or sampler of the program. Its text may quote a prompt or a secret, and so may that of a failure
    of the host that is being handled right now. The traceback, without texts, is logged at DEBUG level.
    """
    with _lock:
        _errors[place] += 1
        first = _errors[place] == 1
    for listener in tuple(_listeners):
        listener(place, error)
    if first:
        _tell(place, error)


def _tell(place: str, error: Exception) -> None:
    try:
        logger.warning(
            "litespan failed in %s (%s at %s). Your program is not affected; some telemetry is missing. "
            "Further failures there are counted and not logged.",
            place,
            type(error).__name__,
            raised_at(error.__traceback__),
        )
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("litespan failure in %s\n%s", place, _where(error))
    except Exception:  # noqa: BLE001, S110 - a filter of the program's log; the fault is counted
        pass


def raised_at(trace: TracebackType | None) -> str:
    """Return the line of code that raised an exception, by its traceback; ``?`` if it has none."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def _where(error: BaseException) -> str:
    """Return where an exception and its direct causes came from: places in the code, and classes."""
    lines: list[str] = []
    causes: dict[int, BaseException] = {}
    cause: BaseException | None = error
    while cause is not None and id(cause) not in causes:
        causes[id(cause)] = cause
        frames = traceback.extract_tb(cause.__traceback__)
        lines += [f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}' for frame in frames]
        lines.append(type(cause).__name__)
        cause = cause.__cause__
    return "\n".join(lines)


def guarded(place: str) -> Callable[[Callable[P, T]], Callable[P, T | None]]:
    """Make a function safe to call from the host: a fault is reported, and the function returns ``None``."""

    def decorate(function: Callable[P, T]) -> Callable[P, T | None]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T | None:
            try:
                return function(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - this is the guard
                report(place, error)
                return None

        return call

    return decorate


def guarded_one(place: str) -> Callable[[Callable[[A], T]], Callable[[A], T | None]]:
    """Do what :func:`guarded` does, for a function of one positional argument that runs very often.

    Passing on any arguments takes a tuple and a dictionary at every call, as much as the rest of the guard.
    """

    def decorate(function: Callable[[A], T]) -> Callable[[A], T | None]:
        @functools.wraps(function)
        def call(argument: A, /) -> T | None:
            try:
                return function(argument)
            except Exception as error:  # noqa: BLE001 - this is the guard
                report(place, error)
                return None

        return call

    return decorate


def guarded_two(place: str) -> Callable[[Callable[[A, B], T]], Callable[[A, B], T | None]]:
    """Do what :func:`guarded_one` does, for two positional arguments."""

    def decorate(function: Callable[[A, B], T]) -> Callable[[A, B], T | None]:
        @functools.wraps(function)
        def call(first: A, second: B, /) -> T | None:
            try:
                return function(first, second)
            except Exception as error:  # noqa: BLE001 - this is the guard
                report(place, error)
                return None

        return call

    return decorate


def call_each(functions: Iterable[tuple[str, Callable[[T], object]]], argument: T) -> None:
    """Call functions, each with its place, on one argument; a fault in one is reported and stops no other."""
    for place, function in functions:
        try:
            function(argument)
        except Exception as error:  # noqa: BLE001, PERF203 - the guard, once around each
            report(place, error)


@contextmanager
def guard(place: str) -> Iterator[None]:
    """Run a block in which a fault of litespan is reported instead of raised."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - this is the guard
        report(place, error)


def internal_errors() -> dict[str, int]:
    """Return the number of faults by place since the process started."""
    with _lock:
        return dict(_errors)


def reset() -> None:
    """Forget all counts, so that the next fault at each place is logged again."""
    with _lock:
        _errors.clear()


def _reset_after_fork() -> None:
    global _lock  # noqa: PLW0603 - the inherited lock may be held by a thread that does not exist here
    _lock = threading.Lock()
    reset()


if hasattr(os, "register_at_fork"):
    # The parent reports its own faults.
    os.register_at_fork(after_in_child=_reset_after_fork)


def add_listener(listener: Callable[[str, Exception], None]) -> None:
    """Call ``listener(place, error)`` at each fault; test suites use it to fail on a fault of litespan."""
    _listeners.append(listener)


def remove_listener(listener: Callable[[str, Exception], None]) -> None:
    """Stop calling ``listener``; unknown listeners are ignored."""
    if listener in _listeners:
        _listeners.remove(listener)
