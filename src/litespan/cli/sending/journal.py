"""Up to which byte a file has been sent to which receiver: a small file beside it."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any, Final

SUFFIX: Final = ".sent"
# Bytes at the beginning by which a file is known again after it was rotated.
_KNOWN_BY: Final = 4096


class Journal:
    """The journal of one file and receiver. It is written after what it says has happened.

    So a kill in between makes the last requests go out twice, and never not at all.
    """

    def __init__(self, path: str, receiver: str) -> None:
        self._path = path
        self._receiver = receiver
        self._entries = _read(path + SUFFIX)

    def offset(self) -> int:
        """Return up to where the file was sent; 0 if the file is another one now."""
        entry = self._entries.get(self._receiver)
        if not isinstance(entry, dict) or not isinstance(entry.get("offset"), int):
            return 0
        offset = max(entry["offset"], 0)
        known = offset <= os.path.getsize(self._path) and entry.get("begins") == _fingerprint(
            self._path, offset
        )
        return offset if known else 0

    def write(self, offset: int) -> None:
        """Note that everything before a byte was sent; an OSError if that is not possible."""
        self._entries[self._receiver] = {"offset": offset, "begins": _fingerprint(self._path, offset)}
        unfinished = f"{self._path}{SUFFIX}.{os.getpid()}"
        with open(
            os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as file:
            json.dump(self._entries, file, indent=1)
        os.replace(unfinished, self._path + SUFFIX)


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            entries = json.load(file)
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _fingerprint(path: str, offset: int) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read(min(offset, _KNOWN_BY))).hexdigest()
