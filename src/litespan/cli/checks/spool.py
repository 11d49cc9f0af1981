"""Whether what waits for a receiver can be kept on disk."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from typing import Final

from litespan.cli.checks.files import little_room
from litespan.cli.checks.finding import Finding, ok, problem, warning

CHECK: Final = "spool"


@dataclass(frozen=True, slots=True)
class SpoolPlace:
    """What is known of the spool's folder.

    Attributes:
        fault: why it cannot be used; None if it can.
        free: bytes that are free there.
        open_to_others: whether other users of this machine may look into it.
    """

    fault: str | None = None
    free: int = 0
    open_to_others: bool = False


def look_at_spool(path: str) -> SpoolPlace:
    """Find out whether the folder can be used, without making it."""
    path = os.path.abspath(path)
    there = path
    while not os.path.lexists(there):
        there = os.path.dirname(there)
    if not os.path.isdir(there):
        return SpoolPlace("is no folder" if there == path else f"cannot be made: {there} is no folder")
    if not os.access(there, os.W_OK | os.X_OK):
        return SpoolPlace(f"cannot be written: {there} belongs to another user")
    others = there == path and bool(os.stat(path).st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    return SpoolPlace(None, shutil.disk_usage(there).free, others)


def check_spool(path: str, place: SpoolPlace, full_size: int) -> Finding:
    """Judge the folder; ``full_size`` is how many bytes a process may keep there."""
    if place.fault is not None:
        return problem(CHECK, f"{path} {place.fault}", "export LITESPAN_SPOOL_DIR=/a/folder/of/this/user")
    if place.open_to_others:
        return warning(
            CHECK, f"{path} can be read by others; it holds content if content is on", f"chmod 700 '{path}'"
        )
    if place.free < full_size:
        mend = f"Free some space in {path}, or lower LITESPAN_SPOOL_MAX_BYTES."
        return little_room(CHECK, path, place.free, full_size, mend)
    return ok(CHECK, f"{path} can be used")
