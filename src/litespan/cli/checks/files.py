"""Whether the files that litespan writes can be written, and have room."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from dataclasses import dataclass
from typing import Final

from litespan.cli.checks.finding import Finding, ok, problem, warning

_MEGABYTE: Final = 1e6
_FOLDER: Final = "is a folder"


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of where a file goes.

    Attributes:
        fault: why it cannot be written; None if it can.
        free: bytes that are free there; None if that is not known.
        taken: bytes that the file takes already.
        no_folder: the folder that it goes to is not there.
    """

    fault: str | None
    free: int | None = None
    taken: int = 0
    no_folder: bool = False


def look_at(path: str) -> Place:
    """Find out whether a file can be written, without touching it."""
    folder = os.path.dirname(path)
    if os.path.isdir(path):
        return Place(_FOLDER)
    if os.path.exists(path) and not os.access(path, os.W_OK):
        return Place("is there and may not be written")
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return Place(f"cannot be written ({error.strerror})", no_folder=not os.path.exists(folder))
    taken = os.path.getsize(path) if os.path.exists(path) else 0
    return Place(None, shutil.disk_usage(folder).free, taken)


def check_file(signal: str, variable: str, path: str, place: Place, full_size: int) -> Finding:
    """Judge a file; ``full_size`` is how many bytes it and its rotated ones may take."""
    check = f"file of {signal}"
    if place.fault is not None:
        return problem(
            check, f"{path} {place.fault}", f"export {variable}={_other_path(signal, path, place)}"
        )
    if place.free is not None and place.free < full_size - place.taken:
        mend = f"Free some space in {os.path.dirname(path)}, or lower LITESPAN_FILE_MAX_BYTES."
        return little_room(check, path, place.free, full_size, mend)
    return ok(check, f"{path} can be written")


def little_room(check: str, path: str, free: int, full_size: int, mend: str) -> Finding:
    """Warn of a disk with fewer free bytes than a path may take."""
    room = f"{free / _MEGABYTE:,.0f} MB free, and it may take {full_size / _MEGABYTE:,.0f} MB"
    return warning(check, f"{path}: {room}", mend)


def _other_path(signal: str, path: str, place: Place) -> str:
    if place.fault == _FOLDER:
        return shlex.quote(os.path.join(path, f"litespan-{signal}.jsonl"))
    folder, name = os.path.split(path)
    if place.no_folder:
        return f"/a/folder/that/exists/{name}  # or: mkdir -p {shlex.quote(folder)}"
    return f"/a/folder/of/this/user/{name}"
