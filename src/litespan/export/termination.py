"""Send what is left when SIGTERM ends the program, which runs no exit handlers. Containers end so."""

from __future__ import annotations

import functools
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

from litespan.export.deadline import bounded
from litespan.guard import guard, guarded

Shutdown = Callable[[float], object]

# Seconds that ``shutdown`` may take beyond its timeout.
_GRACE: Final = 1.0


class Termination:
    """Calls ``shutdown(timeout)`` (seconds) when SIGTERM comes; then the signal ends the process as before.

    A program that handles SIGTERM, now or later, is left alone. uvicorn restores the handler that it found,
    and raises the signal again once it has stopped.
    """

    def __init__(self, shutdown: Shutdown, timeout: float) -> None:
        self._shutdown = guarded("export.termination")(functools.partial(shutdown, timeout))
        self._timeout = timeout
        self._held = self._came = self._done = False
        if _in_main_thread() and _is_free(signal.getsignal(signal.SIGTERM)):
            signal.signal(signal.SIGTERM, self._end)

    def cancel(self) -> None:
        """Put the default action back, unless the program has set another one."""
        if _in_main_thread() and signal.getsignal(signal.SIGTERM) == self._end:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def hold(self) -> None:
        """Let a signal wait from now on: a shutdown begins, whose locks the handler may find held."""
        self._held = True

    def release(self) -> None:
        """Put the default action back, and end the process if a signal came in the meantime.

        Python lets no other thread than the main one do so: what comes there later acts as by default.
        """
        self._done = True
        self.cancel()
        if self._came:
            signal.raise_signal(signal.SIGTERM)

    def _end(self, number: int, frame: FrameType | None) -> None:
        if self._held and not self._came and not self._done:
            self._came = True
            return
        # First, so that a second signal ends the process at once.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if self._done:
            signal.raise_signal(signal.SIGTERM)
            return
        with guard("export.termination"):
            # In a thread: the code that was interrupted may hold a lock that the shutdown needs.
            sender = threading.Thread(target=self._shutdown, name="litespan-termination", daemon=True)
            sender.start()
            sender.join(bounded(self._timeout + _GRACE))
        signal.raise_signal(signal.SIGTERM)


def _is_free(handler: object) -> bool:
    """Say whether nobody but litespan handles the signal."""
    return handler is signal.SIG_DFL or isinstance(getattr(handler, "__self__", None), Termination)


def _in_main_thread() -> bool:
    # Python lets no other thread set signal handlers.
    return threading.current_thread() is threading.main_thread()
