"""Requests from files, whatever their format, and the note of how far they have been sent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, NamedTuple, Protocol

from litespan.cli.sending.journal import Journal
from litespan.cli.sums.lines import GZIP_MAGIC, MAX_LINE, hint_for
from litespan.export.otlp.from_json import NoRequestError, request_from_json
from litespan.export.otlp.requests_pb import Part
from litespan.export.spool.folder import SpoolFolder, belongs_to_a_process, folder_of
from litespan.export.spool.segment import FIRST, Segment, is_spool_file


class Request(NamedTuple):
    """An export request, and the byte of its file at which the next one begins.

    Where something cannot be read there is a ``problem`` and nothing to send.
    """

    signal: str
    part: Part
    end: int
    problem: str = ""


class Source(Protocol):
    """A file of requests that knows how far it was sent. It is closed before the next one is read."""

    path: str
    size: int
    start: int

    def requests(self) -> Iterator[Request]:
        """Yield what was not sent yet."""

    def mark_sent(self, end: int) -> None:
        """Note that everything before a byte was sent or given up; an OSError if that is not possible."""

    def close(self) -> None:
        """Close the file."""


class UnusableFileError(ValueError):
    """A file cannot be sent; the message says why."""


def open_source(path: str, receiver: str) -> Source:
    """Open a file of OTLP JSON lines or of a spool.

    Raises:
        UnusableFileError: if a process that runs sends it itself, it is compressed, or it is a pipe.
        OSError: if it cannot be read.
    """
    if not os.path.isfile(path):
        raise UnusableFileError(
            f"{path} is no file. Save what it gives in one first: beside a file is noted how far it was sent."
        )
    with open(path, "rb") as file:
        start = file.read(FIRST)
    if start.startswith(GZIP_MAGIC):
        raise UnusableFileError(f"{path} is compressed. Unpack it first: gunzip --keep {path}")
    return SpoolSource(path) if is_spool_file(start) else JsonLinesSource(path, receiver)


class JsonLinesSource:
    """OTLP JSON lines; a journal beside the file says how far it was sent."""

    def __init__(self, path: str, receiver: str) -> None:
        self.path = path
        self._file: BinaryIO = open(path, "rb")  # noqa: SIM115 - closed by close()
        self._journal = Journal(path, receiver, self._file)
        self.size = self._file.seek(0, 2)
        self.start = self._journal.offset()

    def requests(self) -> Iterator[Request]:
        """Yield what was not sent yet, up to where the file ended when it was opened."""
        if self.start:
            # It may have been noted under another name only. Where nothing can be noted, `mark_sent` tells.
            with suppress(OSError):
                self._journal.write(self.start)
        end = self._file.seek(self.start)
        while end < self.size and (line := self._file.readline(MAX_LINE)):
            begin, end = end, end + len(line)
            if not line.strip():
                continue
            try:
                yield Request(*request_from_json(line), end)
            except NoRequestError as error:
                if end >= self.size and not line.endswith(b"\n"):
                    # Whoever writes it is not done: the next call reads it whole.
                    yield _problem(begin, f"{self.path}: the last line, at byte {begin:,}, is not finished")
                else:
                    why = f"{error}{hint_for(line)}"
                    yield _problem(end, f"{self.path}: the line at byte {begin:,} is left out: {why}")

    def mark_sent(self, end: int) -> None:
        """Write the journal."""
        self._journal.write(end)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class SpoolSource:
    """A file of a spool whose process is dead; it says itself how far it was sent."""

    def __init__(self, path: str) -> None:
        if belongs_to_a_process(path):
            raise UnusableFileError(f"{path} belongs to a process that runs, which sends it itself.")
        self.path = path
        self._folder: SpoolFolder | None = None
        self._segment = Segment(path)
        self._segment.close()
        self.size = self._segment.size
        self.start = self._segment.sent

    def requests(self) -> Iterator[Request]:
        """Yield what was not sent yet; none if another process has adopted the file meanwhile."""
        # Locked, so that no program adopts it from now on. A file that was copied elsewhere has no lock.
        self._folder = SpoolFolder.adopt(folder_of(self.path))
        if not os.path.exists(self.path) or (self._folder is None and belongs_to_a_process(self.path)):
            yield _problem(self.start, f"{self.path}: another process has begun to send it")
            return
        self._segment = Segment(self.path)
        place = self._segment.sent
        while found := self._segment.next(place):
            if found.batch is None:
                yield _problem(found.end, f"{self.path}: what is at byte {place:,} is damaged and left out")
            else:
                yield Request(found.batch.signal, Part(found.batch.payload, found.batch.items), found.end)
            place = found.end

    def mark_sent(self, end: int) -> None:
        """Note it in the file."""
        self._segment.mark_sent(end, 0)

    def close(self) -> None:
        """Close the file; delete it from a spool if all of it was sent."""
        self._segment.close()
        if self._folder is not None:
            if os.path.exists(self.path) and self._segment.sent >= self._segment.size:
                self._segment.remove()
            self._folder.release()


def _problem(end: int, text: str) -> Request:
    return Request("", Part(b"", 0), end, text)
