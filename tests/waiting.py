"""Waiting for what comes by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

# What a busy machine may add to half a second, which litespan promises. Whatever would hold a program up in
# these tests does so for longer.
KEPT: Final = 0.5 + 1.0


def wait_until(condition: Callable[[], object], seconds: float) -> None:
    """Wait for a condition; fail if it does not come within so many seconds."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds
        time.sleep(0.01)
