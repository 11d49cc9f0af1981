"""Numbered lines of files, of gzip files and of standard input, read once and with bounded memory."""

from __future__ import annotations

import gzip
import io
import os
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, Final, NamedTuple, cast

STDIN: Final = "-"
MAX_LINE: Final = 256 * 1024 * 1024  # bytes; a longer line is no export request, and is never held whole
GZIP_MAGIC: Final = b"\x1f\x8b"

_BUFFER: Final = 1 << 20
_UNREADABLE: Final = (OSError, EOFError, zlib.error)


class Line(NamedTuple):
    """One line of a file; ``number`` counts from 1."""

    file: str
    number: int
    data: bytes


class Lines:
    """The lines of several files, one after the other. A file that is named twice is read once.

    Args:
        paths: names of files; ``-`` is standard input. Compressed ones are known by their first bytes.
        report: gets file, line number and what is wrong where something cannot be read.
        advance: gets the number of bytes taken from the disk since the last time, for a progress bar.
        max_line: bytes of the longest line that is read.
    """

    def __init__(
        self,
        paths: Sequence[str],
        report: Callable[[str, int, str], None],
        advance: Callable[[int], None] = lambda _: None,
        max_line: int = MAX_LINE,
    ) -> None:
        self.paths = [*_each_once(paths)]
        self._report = report
        self._advance = advance
        self._max_line = max_line
        self.read_bytes = 0
        self.read_lines = 0

    def __iter__(self) -> Iterator[Line]:
        """Yield the lines, with their ends."""
        for path in self.paths:
            number = 0
            try:
                for line in self._of_file(path):
                    number = line.number
                    yield line
            except _UNREADABLE as error:
                self.read_lines += 1  # the one that it breaks off in
                reason = str(error) if not isinstance(error, OSError) else error.strerror or str(error)
                self._report(path, number + 1, f"the file cannot be read from here on: {reason}")

    def _of_file(self, path: str) -> Iterator[Line]:
        raw = sys.stdin.buffer if path == STDIN else open(path, "rb", _BUFFER)  # noqa: SIM115 - closed below
        try:
            packed = cast("io.BufferedReader", raw).peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC)
            file = cast("BinaryIO", io.BufferedReader(gzip.GzipFile(fileobj=raw), _BUFFER)) if packed else raw
            yield from self._numbered(path, file, raw)
        finally:
            if path != STDIN:
                raw.close()

    def _numbered(self, path: str, file: BinaryIO, raw: BinaryIO) -> Iterator[Line]:
        number, told = 0, 0
        while data := file.readline(self._max_line):
            number += 1
            self.read_lines += 1
            self.read_bytes += len(data)
            if len(data) == self._max_line and not data.endswith(b"\n"):
                self._report(path, number, f"the line is longer than {self._max_line:,} bytes")
                self._skip_rest(file)
            else:
                yield Line(path, number, data)
            if raw.seekable() and (position := raw.tell()) - told >= _BUFFER:
                self._advance(position - told)
                told = position

    def _skip_rest(self, file: BinaryIO) -> None:
        while data := file.readline(_BUFFER):
            self.read_bytes += len(data)
            if data.endswith(b"\n"):
                return


def hint_for(line: bytes) -> str:
    """Return what helps where a line that is not read begins JSON over several, or a list; else nothing."""
    start = line.strip()
    if start != b"{" and not start.startswith(b"["):
        return ""
    what = "." if start == b"{" else "'.[]'"
    return f" (each request has to stand on one line: `jq -c {what} FILE > NEW` writes it so)"


def total_bytes(paths: Sequence[str]) -> int | None:
    """Return the bytes on the disk, all files together; None where standard input is among them."""
    return None if STDIN in paths else sum(map(os.path.getsize, _each_once(paths)))


def unread_rotations(paths: Sequence[str]) -> list[str]:
    """Return the rotated files beside these (``path.1``, ``path.2``, …) that are not among them."""
    named = {os.path.realpath(path) for path in paths}
    beside = [found for path in paths if path != STDIN for found in _rotations(path)]
    return [path for path in dict.fromkeys(beside) if os.path.realpath(path) not in named]


def _rotations(path: str) -> Iterator[str]:
    number = 1
    while os.path.exists(rotated := f"{path}.{number}"):
        yield rotated
        number += 1


def _each_once(paths: Sequence[str]) -> Iterator[str]:
    seen: set[str] = set()
    for path in paths:
        real = path if path == STDIN else os.path.realpath(path)
        if real not in seen:
            seen.add(real)
            yield path
