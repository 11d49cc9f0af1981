"""The folder of one process in a spool, locked as long as the process lives."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import uuid
from collections.abc import Iterator
from typing import Final

from litespan.export.spool.segment import SUFFIX
from litespan.setting_checks import ConfigurationError

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger("litespan")

_LOCK = "lock"
_UNFINISHED = "new-"
# Whatever else lies in the root of a spool, or has a file named `lock`, is somebody else's.
_NAME: Final = re.compile(r"(?P<signal>[a-z]+)-[0-9a-f]{32}")


class SpoolFolder:
    """A folder and its lock. The lock is the system's, so it ends with its process, however that ends.

    A folder whose lock is free belongs to nobody: its process is dead, and the first one to lock it sends the
    rest.
    """

    def __init__(self, path: str, lock: int) -> None:
        self.path = path
        self._lock: int | None = lock

    @classmethod
    def create(cls, root: str, signal: str) -> SpoolFolder:
        """Make a folder for this process and a signal; an OSError if that is not possible."""
        name = f"{signal}-{uuid.uuid4().hex}"
        os.makedirs(root, mode=0o700, exist_ok=True)
        unfinished = os.path.join(root, _UNFINISHED + name)
        os.mkdir(unfinished, 0o700)
        path = os.path.join(root, name)
        try:
            lock = _try_lock(os.path.join(unfinished, _LOCK), os.O_CREAT)
            # It gets its name when it is locked: nobody can take it for an orphan in between.
            os.rename(unfinished, path)
        except OSError:
            # Each batch tries again, and nobody else would ever clear away what is left here.
            _remove(unfinished)
            raise
        if lock is None:
            raise BlockingIOError(path)
        return cls(path, lock)

    @classmethod
    def adopt(cls, path: str) -> SpoolFolder | None:
        """Take the folder of a dead process; None if its process lives, or another one has taken it."""
        if not _NAME.fullmatch(os.path.basename(path)):
            return None
        lock = _try_lock(os.path.join(path, _LOCK), 0)
        if lock is None:
            with contextlib.suppress(OSError):
                os.rmdir(path)  # only if it is empty: its process was killed while it deleted the folder
            return None
        if os.fstat(lock).st_nlink == 0:
            # Another process has sent the rest and deleted the folder since it was opened here.
            os.close(lock)
            return None
        return cls(path, lock)

    def files(self) -> list[str]:
        """Return the paths of its files, the oldest first."""
        if not os.path.isdir(self.path):
            return []
        names = sorted(name for name in os.listdir(self.path) if name.endswith(SUFFIX))
        return [os.path.join(self.path, name) for name in names]

    def release(self) -> None:
        """Leave the folder to whoever wants it; delete it if there is nothing to send in it."""
        if not self.files():
            _remove(self.path)
        self._unlock()

    def leave(self) -> None:
        """Close the lock and change nothing: the folder is the parent's, or somebody else's from now on."""
        self._unlock()

    def _unlock(self) -> None:
        # Forgotten first, as in Segment.close.
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


def prepare(root: str) -> str:
    """Make the root of a spool, for its owner only, and return its absolute path.

    Raises:
        ConfigurationError: if it cannot be made or written, or the system has no file locks that end with
            their process (Windows).
    """
    if sys.platform == "win32":
        raise ConfigurationError("spool_dir works on Linux and macOS only.")
    root = os.path.abspath(root)
    try:
        probe = SpoolFolder.create(root, "probe")
        probe.release()
    except OSError as error:
        raise ConfigurationError(
            f"spool_dir={root!r} cannot be used ({error.strerror or type(error).__name__}). "
            "Name a folder on a local disk that this user may write to."
        ) from error
    return root


def orphans(root: str, signal: str, unusable: set[str]) -> Iterator[SpoolFolder]:
    """Take and yield the folders that dead processes have left for a signal.

    A folder that cannot be locked, as of another user, is told of once, and skipped as long as it is in
    ``unusable``.
    """
    for name in os.listdir(root) if os.path.isdir(root) else []:
        found = _NAME.fullmatch(name)
        path = os.path.join(root, name)
        if found is None or found["signal"] != signal or path in unusable:
            continue
        try:
            folder = SpoolFolder.adopt(path)
        except OSError as error:
            unusable.add(path)
            tell_unusable(path, error)
            continue
        if folder is not None:
            yield folder


def tell_unusable(path: str, error: OSError) -> None:
    """Log that a folder stays where it is."""
    logger.warning(
        "litespan cannot send what is left in %s (%s). Let this user read and write it, or send it by hand: "
        "litespan send %s --otlp ENDPOINT",
        path,
        error.strerror or type(error).__name__,
        os.path.join(path, f"*{SUFFIX}"),
    )


def folder_of(file: str) -> str:
    """Return the folder in which a spool file lies."""
    return os.path.dirname(os.path.abspath(file))


def belongs_to_a_process(file: str) -> bool:
    """Say whether a spool file lies in the folder of a process that lives."""
    path = os.path.join(folder_of(file), _LOCK)
    if not os.path.exists(path):
        return False
    lock = _try_lock(path, 0)
    if lock is not None:
        os.close(lock)
    return lock is None


def _remove(path: str) -> None:
    """Delete a folder with its lock, but not if the user has put something into it."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(path, _LOCK))
    with contextlib.suppress(OSError):
        os.rmdir(path)


def _try_lock(path: str, flags: int) -> int | None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)
    except FileNotFoundError:
        return None
    if sys.platform != "win32":
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
    return descriptor
