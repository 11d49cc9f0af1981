"""Send what is left when the interpreter exits, within a bounded time."""

from __future__ import annotations

import atexit
import functools
from collections.abc import Callable

from litespan.guard import guarded

Shutdown = Callable[[float], object]

_registered: dict[Shutdown, Callable[[], object]] = {}


def register_exit(shutdown: Shutdown, timeout: float) -> None:
    """Call ``shutdown(timeout)`` (seconds) when the interpreter exits; a second call changes the timeout.

    Exit handlers run in the reverse order of their registration: register after the providers were made, so
    that this handler runs before theirs. An exception in it does not change the program's exit code.
    """
    unregister_exit(shutdown)
    handler = guarded("export.exit")(functools.partial(shutdown, timeout))
    _registered[shutdown] = handler
    atexit.register(handler)


def unregister_exit(shutdown: Shutdown) -> None:
    """Do not call ``shutdown`` at exit any more; unknown functions are ignored."""
    handler = _registered.pop(shutdown, None)
    if handler is not None:
        atexit.unregister(handler)
