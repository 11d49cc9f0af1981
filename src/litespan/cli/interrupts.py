"""Ctrl-C that is heeded although its exception gets lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def heeded() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` after the block if Ctrl-C came and the block went on all the same.

    Modules may catch everything while they are imported, and what is raised in a callback of the garbage
    collector is only printed.
    """
    previous = signal.getsignal(signal.SIGINT)
    if not callable(previous) or threading.current_thread() is not threading.main_thread():
        yield
        return
    came = False

    def heed(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came = True
        previous(number, frame)

    signal.signal(signal.SIGINT, heed)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
    if came:
        raise KeyboardInterrupt
