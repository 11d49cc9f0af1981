"""Send what is left when SIGTERM ends the program, which runs no exit handlers. Containers end so."""

from __future__ import annotations

import functools
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

from litespan.export.deadline import bounded
from litespan.guard import guard, guarded

# Sends within so many seconds.
Send = Callable[[float], object]

# The first process of a container, which the system ends by no signal that it does not handle itself.
_FIRST_PROCESS: Final = 1
# Seconds that ``shutdown`` may take beyond its timeout.
_GRACE: Final = 1.0


class Termination:
    """Calls ``shutdown(timeout)`` (seconds) when SIGTERM comes; then the signal ends the process as before.

    A program that handles SIGTERM, now or later, is left alone. uvicorn restores the handler that it found,
    and raises the signal again once it has stopped.

    The first process of a container goes on instead, as the signal does not end it: there ``flush(timeout)``
    is called, and the program waits for nothing.
    """

    def __init__(self, shutdown: Send, flush: Send, timeout: float) -> None:
        self._shutdown = guarded("export.termination")(functools.partial(shutdown, timeout))
        self._flush = guarded("export.termination")(functools.partial(flush, timeout))
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
        if os.getpid() == _FIRST_PROCESS and not self._done:
            with guard("export.termination"):
                _start(self._flush)
            return
        # First, so that a second signal ends the process at once.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if self._done:
            signal.raise_signal(signal.SIGTERM)
            return
        with guard("export.termination"):
            _start(self._shutdown).join(bounded(self._timeout + _GRACE))
        signal.raise_signal(signal.SIGTERM)


def _start(send: Callable[[], object]) -> threading.Thread:
    """Send in a thread: the code that was interrupted may hold a lock that this needs."""
    sender = threading.Thread(target=send, name="litespan-termination", daemon=True)
    sender.start()
    return sender


def _is_free(handler: object) -> bool:
    """Say whether nobody but litespan handles the signal."""
    return handler is signal.SIG_DFL or isinstance(getattr(handler, "__self__", None), Termination)


def _in_main_thread() -> bool:
    # Python lets no other thread set signal handlers.
    return threading.current_thread() is threading.main_thread()
