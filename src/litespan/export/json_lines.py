"""A file of lines that several processes may write at once, rotated by size."""

from __future__ import annotations

import errno
import io
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from litespan.setting_checks import ConfigurationError

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger("litespan")


class JsonLinesFile:
    """Appends lines; a line that would make the file pass ``max_bytes`` goes into a new file.

    Rotated files are named ``path.1`` (the newest) to ``path.<backups>``. An exclusive lock on the file is
    held around rotation and write, so lines of several processes neither mix nor get lost.

    Args:
        signal: ``traces``, ``metrics`` or ``logs``, which names the setting of its path.

    Raises:
        ConfigurationError: if the file cannot be opened for writing.
    """

    def __init__(self, path: str, max_bytes: int, backups: int, signal: str) -> None:
        self._path = os.path.abspath(path)
        self._max_bytes = max_bytes
        self._backups = backups
        self._lock = threading.Lock()
        self._file: io.FileIO | None = None
        self._failing = False
        try:
            self._file = self._open()
        except OSError as error:
            is_folder = os.path.isdir(self._path)
            mend = (
                "Name a file in it"
                if is_folder
                else "Create its folder and allow writing there, or choose another path"
            )
            raise ConfigurationError(
                f"{self._path} cannot be written ({error.strerror or type(error).__name__}). "
                f"{mend}: {signal}_file, or LITESPAN_{signal.upper()}_FILE."
            ) from error

    def try_write(self, line: bytes) -> bool:
        """Append one line (given without its newline); return False if that is not possible now.

        The disk may be full, or the folder gone: nothing of the line is left in the file, the failure is
        logged once, and the next call tries again.
        """
        try:
            with self._lock:
                while not self._write_or_reopen(line + b"\n"):
                    pass
        except OSError as error:
            self._log_failure(error)
            return False
        self._failing = False
        return True

    def close(self) -> None:
        """Close the file. A write that hangs (a lost network disk) is not waited for."""
        if self._lock.acquire(timeout=0.1):
            file, self._file = self._file, None
            self._lock.release()
            if file is not None:
                file.close()

    def _open(self) -> io.FileIO:
        return io.FileIO(self._path, "ab", opener=_open_private)

    def _write_or_reopen(self, data: bytes) -> bool:
        """Write; or return False if the path names another file now, because of a rotation or a removal."""
        file = self._file = self._file or self._open()
        with _exclusive(file):
            if is_at(file.fileno(), self._path):
                if not self._would_overflow(file, data):
                    _append(file, data)
                    return True
                self._rotate()
        self._file = None
        file.close()
        return False

    def _would_overflow(self, file: io.FileIO, data: bytes) -> bool:
        size = os.fstat(file.fileno()).st_size
        return size > 0 and size + len(data) > self._max_bytes

    def _log_failure(self, error: OSError) -> None:
        if not self._failing:
            logger.warning(
                "litespan cannot write %s (%s); it tries again with the next export.",
                self._path,
                error.strerror,
            )
        self._failing = True

    def _rotate(self) -> None:
        for number in range(self._backups, 1, -1):
            older = f"{self._path}.{number - 1}"
            if os.path.exists(older):
                os.replace(older, f"{self._path}.{number}")
        os.replace(self._path, f"{self._path}.1")


def is_at(descriptor: int, path: str) -> bool:
    """Say whether a path still names an open file; not after a rotation or a removal."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _open_private(path: str, flags: int) -> int:
    # For the owner only: with content capture on, the file holds prompts and answers.
    return os.open(path, flags | getattr(os, "O_CLOEXEC", 0), 0o600)


def _append(file: io.FileIO, data: bytes) -> None:
    written = file.write(data)
    if written != len(data):
        # The disk filled up in the middle of the line; half a line would break every reader of the file.
        os.ftruncate(file.fileno(), os.fstat(file.fileno()).st_size - (written or 0))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def _exclusive(file: io.FileIO) -> Iterator[None]:
    # Windows has no flock; there, one process should write to one file.
    if sys.platform == "win32":
        yield
        return
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
