"""Up to which byte a file has been sent to which receiver: a small file beside it."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
from collections.abc import Mapping
from typing import Any, BinaryIO, Final

from litespan.export.json_lines import is_at

SUFFIX: Final = ".sent"
# Bytes at the beginning by which a file is known again after it was rotated.
_KNOWN_BY: Final = 4096
_NUMBER: Final = re.compile(r"\.\d+$")  # of a rotated file


class Journal:
    """The journal of one file and receiver. It is written after what it says has happened.

    So a kill in between makes the last requests go out twice, and never not at all. ``file`` is the open
    file: its writer may rotate it at any time, and then the path names another one.
    """

    def __init__(self, path: str, receiver: str, file: BinaryIO) -> None:
        self._path = path
        self._receiver = receiver
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        # Read once: a writer that empties its file in place, and begins anew, changes what is there.
        file.seek(0)
        self._beginning = file.read(_KNOWN_BY)
        self._entries = _read(path + SUFFIX)

    def offset(self) -> int:
        """Return up to where the file was sent, perhaps under a name that it had before it was rotated.

        0 if it was not, as when the path names another file now.
        """
        if (offset := self._offset_in(self._entries)) or not self._size:
            return offset
        return max(map(self._offset_in, map(_read, _journals_beside(self._path))), default=0)

    def _offset_in(self, entries: Mapping[str, Any]) -> int:
        entry = entries.get(self._receiver)
        if not isinstance(entry, dict) or not isinstance(entry.get("offset"), int):
            return 0
        offset = max(entry["offset"], 0)
        known = offset <= self._size and entry.get("begins") == self._fingerprint(offset)
        return offset if known else 0

    def write(self, offset: int) -> None:
        """Note that everything before a byte was sent; an OSError if that is not possible.

        Nothing is noted once the path names another file, of which nothing was sent, or where it is noted.
        """
        entry = {"offset": offset, "begins": self._fingerprint(offset)}
        if self._entries.get(self._receiver) == entry or not is_at(self._file.fileno(), self._path):
            return
        entries = {**self._entries, self._receiver: entry}
        # Hidden, so that no pattern for the data names what a kill leaves here.
        folder, name = os.path.split(self._path)
        unfinished = os.path.join(folder, f".{name}{SUFFIX}.{os.getpid()}")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump(entries, file, indent=1)
            os.replace(unfinished, self._path + SUFFIX)
        except OSError:
            os.unlink(unfinished)
            raise
        self._entries = entries

    def _fingerprint(self, offset: int) -> str:
        return hashlib.sha256(self._beginning[:offset]).hexdigest()


def _journals_beside(path: str) -> list[str]:
    """Return the journals of the names that a file has had or will have: they end in different numbers."""
    first = _NUMBER.sub("", path)
    found = glob.glob(glob.escape(first) + "*" + SUFFIX)
    return [journal for journal in found if _NUMBER.sub("", journal.removesuffix(SUFFIX)) == first]


def is_journal(path: str) -> bool:
    """Say whether a file is a journal, by its name and by what is in it."""
    entries = _read(path) if path.endswith(SUFFIX) else {}
    return bool(entries) and all(isinstance(entry, dict) and "offset" in entry for entry in entries.values())


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            entries = json.load(file)
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}
