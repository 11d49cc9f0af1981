"""Makes one function of litespan raise, once, by Python's own tracing: no function is replaced.

Tracing tells every call of a Python function. Where its callback raises, the function that is called has
raised at its first line.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import litespan

SOURCE = Path(litespan.__file__).parent
# Not on a program's path, or what catches the faults.
_LEFT_OUT = tuple(str(SOURCE / name) for name in ("testing", "cli", "guard.py"))


class FaultError(Exception):
    """Raised on purpose; its text must not be logged."""

    def __str__(self) -> str:
        return "secret text"


def name_of(code: CodeType) -> str:
    """Return module and name of a function, as `sources.litellm_call.OpenCall.returned`."""
    module = Path(code.co_filename).relative_to(SOURCE).with_suffix("")
    return f"{'.'.join(module.parts)}.{_qualified_name(code)}"


def _qualified_name(code: CodeType) -> str:
    if sys.version_info >= (3, 11):
        return code.co_qualname
    functions = [found for found in gc.get_referrers(code) if isinstance(found, FunctionType)]
    return functions[0].__qualname__ if functions else code.co_name


def _is_ours(code: CodeType) -> bool:
    path = code.co_filename
    return path.startswith(str(SOURCE)) and not path.startswith(_LEFT_OUT)


@contextmanager
def _traced(callback: Callable[[CodeType], None]) -> Iterator[None]:
    ours: dict[CodeType, bool] = {}

    def trace(frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        known = ours.get(code)
        if known is None:
            known = ours[code] = _is_ours(code)
        if known and event == "call":
            callback(code)

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def forget_results() -> None:
    """Empty the caches of litespan's functions: one that remembers its result is not called again."""
    modules = [module for name, module in sys.modules.items() if name.split(".")[0] == "litespan"]
    for function in [value for module in modules for value in vars(module).values()]:
        if hasattr(function, "cache_clear"):
            function.cache_clear()


@contextmanager
def called() -> Iterator[Counter[CodeType]]:
    """Count the calls of litespan's functions inside the block."""
    found: Counter[CodeType] = Counter()
    with _traced(lambda code: found.update((code,))):
        yield found


@contextmanager
def fault_in(target: CodeType, occurrence: int = 1) -> Iterator[list[CodeType]]:
    """Let a function raise when it is called for that time; the list tells whether it came to that."""
    raised: list[CodeType] = []
    calls = 0

    def callback(code: CodeType) -> None:
        nonlocal calls
        if code is not target or raised:
            return
        calls += 1
        if calls == occurrence:
            raised.append(code)
            raise FaultError

    with _traced(callback):
        yield raised
