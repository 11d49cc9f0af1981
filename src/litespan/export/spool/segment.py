"""One file of a spool: batches one after the other, and how far they have been sent."""

from __future__ import annotations

import contextlib
import errno
import os
import struct
from typing import Final

from litespan.export.spool.frames import Batch, Found, count_items, encode, find

SUFFIX: Final = ".spool"

_MAGIC: Final = b"litespan-spool1\n"
# After the magic: the place up to which everything was sent. Written in place, so that one file says it all.
_SENT: Final = struct.Struct("<Q")
FIRST: Final = len(_MAGIC) + _SENT.size


class Segment:
    """A file of batches; ``size`` is where it ends, ``sent`` up to where, ``items`` how many are left.

    One process writes it, and no two threads use it at once. Written batches outlive a kill of the process,
    because the system has them then. They are not synchronised to the disk: a power failure may take the last
    seconds.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor: int | None = None
        self.size = os.fstat(self._opened()).st_size
        self.sent = self._read_sent()
        self.items = count_items(self._read, self.sent, self.size)

    @classmethod
    def create(cls, path: str) -> Segment:
        """Make a new file, for its owner only; an OSError if that is not possible."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            _write_whole(descriptor, _MAGIC + _SENT.pack(FIRST), 0)
        except OSError:
            os.unlink(path)
            raise
        finally:
            os.close(descriptor)
        return cls(path)

    def append(self, batch: Batch) -> None:
        """Write a batch at the end; after an OSError, nothing of it is left in the file.

        Raises:
            FileNotFoundError: if somebody has deleted the file, in which nothing would outlive the process.
        """
        if os.fstat(self._opened()).st_nlink == 0:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.path)
        data = encode(batch)
        _write_whole(self._opened(), data, self.size)
        self.size += len(data)
        self.items += batch.items

    def next(self, place: int) -> Found | None:
        """Return what begins at a place; None at the end."""
        return find(self._read, place, self.size)

    def mark_sent(self, place: int, items: int) -> None:
        """Note that the items before a place need no sending any more."""
        self.sent = place
        self.items -= items
        os.pwrite(self._opened(), _SENT.pack(place), len(_MAGIC))

    def clear(self) -> None:
        """Empty the file: what was sent need not lie on the disk."""
        os.ftruncate(self._opened(), FIRST)
        # A kill in between does no harm: a place behind the end is not believed.
        self.size = FIRST
        self.mark_sent(FIRST, self.items)

    def close(self) -> None:
        """Close the file until it is needed again."""
        # Forgotten first: a child that is forked in between would close what has its number by then.
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def move(self, path: str) -> None:
        """Give the file another place on the same disk, and close it."""
        self.close()
        os.rename(self.path, path)
        self.path = path

    def remove(self) -> None:
        """Delete the file."""
        self.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)

    def _opened(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        return self._descriptor

    def _read(self, place: int, length: int) -> bytes:
        return os.pread(self._opened(), length, place)

    def _read_sent(self) -> int:
        header = self._read(0, FIRST)
        if len(header) < FIRST or not header.startswith(_MAGIC):
            # Cut while it was made, or damaged: the search for a good batch begins at the top.
            return min(self.size, FIRST)
        (place,) = _SENT.unpack(header[len(_MAGIC) :])
        return place if FIRST <= place <= self.size else FIRST


def is_spool_file(start: bytes) -> bool:
    """Say whether these are the first bytes of a spool file."""
    return start.startswith(_MAGIC)


def _write_whole(descriptor: int, data: bytes, place: int) -> None:
    written = 0
    try:
        written = os.pwrite(descriptor, data, place)
    finally:
        if written != len(data):
            os.ftruncate(descriptor, place)
    if written != len(data):
        # The disk filled up in the middle.
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
