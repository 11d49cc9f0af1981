"""How much a spool may hold, and for how long."""

from __future__ import annotations

from typing import Final, NamedTuple

_LARGEST_SEGMENT: Final = 4 * 1024 * 1024
# The oldest file is what is dropped when there is no room, so no file may be a large part of all.
_FEWEST_SEGMENTS: Final = 8


class Limits(NamedTuple):
    """Bytes on disk for one process and signal, and seconds that a batch is kept."""

    bytes: int
    seconds: float

    @property
    def segment_bytes(self) -> int:
        """Bytes after which a new file is begun."""
        return min(_LARGEST_SEGMENT, self.bytes // _FEWEST_SEGMENTS)
