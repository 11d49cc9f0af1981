"""The files of one folder of a spool, the oldest first."""

from __future__ import annotations

import itertools
import os
import uuid
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from litespan.export.spool.folder import SpoolFolder
from litespan.export.spool.frames import Batch
from litespan.export.spool.segment import SUFFIX, Segment

_DIGITS: Final = 10


class Position(NamedTuple):
    """A place among all that a shelf was given."""

    number: int
    place: int


class Shelf:
    """The segments of a folder that this process holds. Not thread-safe.

    ``numbers`` are those of its files; a folder that takes the place of another one goes on with them.
    """

    def __init__(self, folder: SpoolFolder, numbers: Iterator[int] | None = None) -> None:
        self._folder = folder
        self._numbers = numbers or itertools.count(1)
        # With a number that only grows: a file that was emptied counts as a new one.
        self._segments: deque[tuple[int, Segment]] = deque(
            (next(self._numbers), segment) for segment in _readable(folder.files())
        )

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self._segments)

    def __contains__(self, segment: Segment) -> bool:
        """Say whether a file is still here."""
        return any(segment is each for _, each in self._segments)

    @property
    def bytes(self) -> int:
        """What all files take on the disk."""
        return sum(segment.size for _, segment in self._segments)

    @property
    def items(self) -> int:
        """Items that were not sent."""
        return sum(segment.items for _, segment in self._segments)

    def append(self, batch: Batch, segment_bytes: int) -> None:
        """Write a batch, into a new file if the newest one is full; an OSError if that is not possible."""
        newest = self._segments[-1][1] if self._segments else None
        if newest is not None and newest.size < segment_bytes:
            newest.append(batch)
            return
        if newest is not None:
            newest.close()
        number = next(self._numbers)
        made = Segment.create(os.path.join(self._folder.path, f"{number:0{_DIGITS}}{SUFFIX}"))
        try:
            made.append(batch)
        except OSError:
            made.remove()  # else each batch that a full disk does not take would leave an empty file
            raise
        self._segments.append((number, made))

    def oldest(self) -> Segment | None:
        """Return the oldest file, after those are deleted of which nothing is left to send."""
        while len(self._segments) > 1 and _is_done(self._segments[0][1]):
            self.drop_oldest()
        return self._segments[0][1] if self._segments else None

    def take_over(self, other: Shelf) -> None:
        """Move the files of another folder here, ordered by their time, and give the folder up.

        However many processes have died, what they left is one folder and one lock then.

        Raises:
            OSError: if one of them cannot be moved; it stays with the rest where it is.
        """
        try:
            while other._segments:
                _, segment = other._segments[0]
                self._name_by_time(segment)
                self._segments.append((next(self._numbers), segment))
                del other._segments[0]
            other.close()
        finally:
            self._segments = deque(sorted(self._segments, key=lambda numbered: numbered[1].path))

    def name_by_time(self) -> None:
        """Name its files by their time, as those that are moved here; an OSError if that is not possible."""
        for _, segment in self._segments:
            self._name_by_time(segment)

    def _name_by_time(self, segment: Segment) -> None:
        name = f"{_begin_of(segment) * 1000:015.0f}-{uuid.uuid4().hex}{SUFFIX}"
        segment.move(os.path.join(self._folder.path, name))

    def drop_oldest(self) -> int:
        """Delete the oldest file; return the number of items in it that were not sent."""
        _, segment = self._segments.popleft()
        segment.remove()
        return 0 if _is_done(segment) else segment.items

    def tidy(self) -> None:
        """Empty the newest file if all of it was sent."""
        _, newest = self._segments[-1]
        if len(self._segments) == 1 and _is_done(newest):
            newest.clear()
            self._segments[-1] = (next(self._numbers), newest)

    def position(self) -> Position:
        """Return the end of what was written so far."""
        if not self._segments:
            return Position(0, 0)
        number, newest = self._segments[-1]
        return Position(number, newest.size)

    def passed(self, position: Position) -> bool:
        """Say whether nothing of what was written before a position is left."""
        if not self._segments:
            return True
        number, oldest = self._segments[0]
        return number > position.number or (number == position.number and oldest.sent >= position.place)

    def close(self) -> None:
        """Close all files, delete the empty ones, and leave the rest to the next process."""
        for _, segment in self._segments:
            (segment.remove if _is_done(segment) else segment.close)()
        self._segments.clear()
        self._folder.release()

    def leave(self) -> None:
        """Close what is open and change nothing: it is the parent's, or somebody else's from now on."""
        for _, segment in self._segments:
            segment.close()
        self._folder.leave()

    @property
    def path(self) -> str:
        """The folder."""
        return self._folder.path


def _begin_of(segment: Segment) -> float:
    """Return when the oldest batch of a file was written, in seconds since the epoch; 0 if there is none."""
    found = segment.next(segment.sent)
    return found.batch.written if found and found.batch else 0.0


def _is_done(segment: Segment) -> bool:
    return segment.sent >= segment.size


def _readable(paths: list[str]) -> Iterator[Segment]:
    for path in paths:
        try:
            segment = Segment(path)
        except OSError:
            # Left where it is, for `litespan send`.
            continue
        segment.close()
        yield segment
