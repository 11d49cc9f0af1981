"""How long to wait between attempts."""

from __future__ import annotations

import random
import time
from typing import Final

FIRST: Final = 1.0
LONGEST: Final = 30.0
# More than a day is no wish but an error, and may be more than Python can wait.
LONGEST_WISH: Final = 86_400.0
# Beyond, the doubled pause is longer than the longest anyway.
_DOUBLINGS: Final = 10


class Pause:
    """Pauses that double from one second to half a minute; what the receiver asks for goes first.

    Jitter keeps many programs from coming at once. Times are in seconds.
    """

    def __init__(self) -> None:
        self.reset()

    @property
    def failing(self) -> bool:
        """Whether the last attempt failed."""
        return self._failures > 0

    def reset(self) -> None:
        """Start anew after a success."""
        self._failures = 0
        self._until = 0.0
        self.asked_for = False

    def fail(self, wished: float | None) -> None:
        """Note a failure, and for how long the receiver wishes not to be asked."""
        longest = min(LONGEST, FIRST * 2 ** min(self._failures, _DOUBLINGS))
        self._failures += 1
        # Who asks for less than the shortest pause, as with `Retry-After: 0`, asks for none of its own.
        wish = min(wished or 0.0, LONGEST_WISH)
        self.asked_for = wish >= FIRST
        # Not before the time that was asked for, and not all programs at that very moment.
        base, low, high = (wish, 1.0, 1.1) if self.asked_for else (longest, 0.5, 1.0)
        self._until = time.monotonic() + base * random.uniform(low, high)  # noqa: S311 - no secret

    def left(self) -> float:
        """Return the seconds that are left to wait."""
        return max(self._until - time.monotonic(), 0.0)
