"""A queue of batches on disk, bounded in bytes and age, and behind it what dead processes have left."""

from __future__ import annotations

import errno
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple

from litespan.export.ledger import SPOOL_DAMAGED, SPOOL_EXPIRED, SPOOL_FULL
from litespan.export.spool.folder import SpoolFolder, orphans, tell_unusable
from litespan.export.spool.frames import Batch
from litespan.export.spool.limits import Limits
from litespan.export.spool.segment import Segment
from litespan.export.spool.shelf import Position, Shelf

# What the system says of a program that has taken too much, not of a file.
_PASSING: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class Head(NamedTuple):
    """The oldest batch, and where it lies."""

    batch: Batch
    shelf: Shelf
    segment: Segment
    end: int


class Store:
    """Batches of one signal, in the order in which they are sent. Thread-safe.

    The batches of one process keep their order. Between processes there is none to keep: their spans and
    series are different ones.

    Args:
        root: the spool's folder; this process makes one of its own in it.
        signal: ``traces``, ``metrics`` or ``logs``.
        limits: beyond them the oldest batches are dropped.
        on_loss: gets a reason and a number of items, where items are lost.
        newest_only: of this process's batches keep the newest, which says all that the older ones said.
    """

    def __init__(
        self,
        root: str,
        signal: str,
        limits: Limits,
        on_loss: Callable[[str, int], None],
        *,
        newest_only: bool = False,
    ) -> None:
        self._root = root
        self._signal = signal
        self._limits = limits
        self._on_loss = on_loss
        self._newest_only = newest_only
        self._start()

    def _start(self) -> None:
        self._lock = threading.Lock()
        # Made with the first batch: many a forked child exports nothing.
        self._own: Shelf | None = None
        self._numbers = itertools.count(1)
        # What was this process's own until somebody deleted its folder; among the adopted ones, too.
        self._gone: list[Shelf] = []
        self._adopted: list[Shelf] = []
        self._inherited: Shelf | None = None  # one of them: for all that dead processes have left
        self._unusable: set[str] = set()
        self._head: Head | None = None
        self._closed = False

    def reset_after_fork(self) -> None:
        """In a forked child, leave all that is open to the parent, and start with a folder of its own."""
        if not self._closed:
            for shelf in self._shelves():
                shelf.leave()
            self._start()

    def append(self, payload: bytes, items: int) -> bool:
        """Write a batch at the end; False after :meth:`close`.

        Raises:
            OSError: if it cannot be written, for example because the disk is full.
        """
        with self._lock:
            if self._closed:
                return False
            self._append(Batch(self._signal, items, time.time(), payload))
            lost = self._make_room()
        self._lose(Counter({SPOOL_FULL: lost}))
        return True

    def head(self) -> Head | None:
        """Return the oldest batch that can be sent; what is damaged or too old before it is dropped.

        Raises:
            OSError: if nothing can be read now, for example because the program has too many open files.
        """
        losses: Counter[str] = Counter()
        try:
            with self._lock:
                self._head = None
                self._head = None if self._closed else self._find_head(losses)
                return self._head
        finally:
            self._lose(losses)

    def finish(self, head: Head) -> None:
        """Strike a batch that needs no sending any more."""
        with self._lock:
            self._head = None
            if head.segment in head.shelf:
                head.segment.mark_sent(head.end, head.batch.items)
                head.shelf.tidy()

    def put_back(self, head: Head, items: int) -> None:
        """Note that so many items of a batch could not be sent now.

        They are lost if their file was deleted meanwhile to make room.
        """
        losses: Counter[str] = Counter()
        with self._lock:
            self._head = None
            if self._closed:
                return
            if head.segment not in head.shelf and not self._newest_only:
                losses[SPOOL_FULL] += items
            # What others have left is sent last, and grows too old meanwhile.
            with suppress(OSError):
                for shelf in tuple(self._adopted):
                    self._first(shelf, losses)
        self._lose(losses)

    def adopt(self) -> None:
        """Take over what dead processes have left; it is sent when nothing of this process waits."""
        with self._lock:
            if self._closed:
                return
            for folder in orphans(self._root, self._signal, self._unusable):
                self._inherit(Shelf(folder))
            lost = self._make_room()
        self._lose(Counter({SPOOL_FULL: lost}))

    def items(self) -> int:
        """Return the number of items that wait here, those of dead processes included."""
        with self._lock:
            return sum(shelf.items for shelf in self._shelves())

    def position(self) -> Position:
        """Return the end of what this process has written so far."""
        with self._lock:
            return self._position()

    def passed(self, position: Position | None = None) -> bool:
        """Say whether nothing is left of what this process had written up to a position, or at all."""
        with self._lock:
            position = position or self._position()
            return not self._gone and (self._own is None or self._own.passed(position))

    def close(self) -> None:
        """Write nothing any more, and leave what is here to the next process."""
        with self._lock:
            if not self._closed:
                self._closed = True
                for shelf in self._shelves():
                    shelf.close()

    def _inherit(self, left: Shelf) -> None:
        if not left:
            left.close()
            return
        heir = self._inherited if self._inherited in self._adopted else None
        try:
            if heir is None:
                left.name_by_time()  # a folder of a new one would need room on the disk
                self._inherited = left
                self._adopted.append(left)
            else:
                heir.take_over(left)
        except OSError as error:
            if isinstance(error, PermissionError):
                self._unusable.add(left.path)
                tell_unusable(left.path, error)
            left.leave()  # the next look tries again

    def _append(self, batch: Batch) -> None:
        segment_bytes = 0 if self._newest_only else self._limits.segment_bytes
        own = self._make_folder() if self._own is None else self._own
        try:
            own.append(batch, segment_bytes)
        except FileNotFoundError:
            # Somebody has deleted the folder. What can still be read of it is sent, if it says something new.
            gone, own = own, self._make_folder()
            if self._newest_only:
                gone.leave()
            else:
                self._adopted.append(gone)
                self._gone.append(gone)
            own.append(batch, segment_bytes)
        while self._newest_only and len(own) > 1:
            own.drop_oldest()

    def _make_folder(self) -> Shelf:
        self._own = Shelf(SpoolFolder.create(self._root, self._signal), self._numbers)
        return self._own

    def _position(self) -> Position:
        return Position(0, 0) if self._own is None else self._own.position()

    def _shelves(self) -> list[Shelf]:
        """Return what was left by others, then what is this process's own: the oldest first."""
        return [*self._adopted, *([] if self._own is None else [self._own])]

    def _find_head(self, losses: Counter[str]) -> Head | None:
        heads = (self._first(shelf, losses) for shelf in reversed(self._shelves()))
        return next((head for head in heads if head), None)

    def _first(self, shelf: Shelf, losses: Counter[str]) -> Head | None:
        """Return the oldest batch of a shelf that can be sent; a shelf of others that has none is closed."""
        while segment := shelf.oldest():
            try:
                found = segment.next(segment.sent)
            except OSError as error:
                if error.errno in _PASSING:
                    raise
                # The disk fails, or somebody has deleted the file.
                losses[SPOOL_DAMAGED] += shelf.drop_oldest()
                continue
            if found is None:
                break
            if found.batch and found.batch.written >= time.time() - self._limits.seconds:
                return Head(found.batch, shelf, segment, found.end)
            items = found.batch.items if found.batch else found.lost
            losses[SPOOL_EXPIRED if found.batch else SPOOL_DAMAGED] += items
            segment.mark_sent(found.end, items)
        if shelf is not self._own:
            self._adopted.remove(shelf)
            self._gone = [gone for gone in self._gone if gone is not shelf]
            shelf.close()
        return None

    def _make_room(self) -> int:
        """Delete the oldest files until the rest is within its bounds; return the number of items lost."""
        lost = 0
        while sum(shelf.bytes for shelf in self._shelves()) > self._limits.bytes:
            shelf = next((shelf for shelf in self._shelves() if len(shelf) > (shelf is self._own)), None)
            if shelf is None:
                break
            being_sent = self._head is not None and self._head.segment is shelf.oldest()
            lost += shelf.drop_oldest()
            if being_sent and self._head is not None:
                # Whoever sends it tells what became of it.
                lost -= self._head.batch.items
        return lost

    def _lose(self, losses: Counter[str]) -> None:
        # Outside the lock: the first loss is logged, and a log handler may make items.
        for reason, items in losses.items():
            if items:
                self._on_loss(reason, items)
