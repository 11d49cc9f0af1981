"""The files of the stack of servers, as the wheel carries them, or as they stand in a checkout."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterator
from typing import Final

import litespan

COMPOSE: Final = "docker-compose.yml"
_DASHBOARDS: Final = "dashboards"
_DEPLOY: Final = "deploy"


def source() -> str:
    """Return the folder that holds the files.

    Raises:
        FileNotFoundError: if litespan was installed without them.
    """
    package = os.path.dirname(os.path.abspath(litespan.__file__))
    checkout = os.path.dirname(os.path.dirname(package))
    for folder in (os.path.join(package, "stack"), checkout):
        if os.path.isfile(os.path.join(folder, COMPOSE)):
            return folder
    raise FileNotFoundError(f"{package} was installed without the files of the stack")


def files(folder: str) -> Iterator[str]:
    """Yield their paths below the folder, sorted; a checkout's generator of dashboards is not among them."""
    yield COMPOSE
    for name in sorted(os.listdir(os.path.join(folder, _DASHBOARDS))):
        if name.endswith(".json"):
            yield os.path.join(_DASHBOARDS, name)
    for parent, folders, names in os.walk(os.path.join(folder, _DEPLOY)):
        folders.sort()
        for name in sorted(names):
            yield os.path.relpath(os.path.join(parent, name), folder)


def in_the_way(folder: str, target: str) -> list[str]:
    """Return the paths that are there already with another content, or are no files."""
    return [
        path for path in files(folder) if _differs(os.path.join(folder, path), os.path.join(target, path))
    ]


def copy(folder: str, target: str) -> int:
    """Write the files below ``target`` and return how many; those that are there are replaced.

    Raises:
        OSError: if one cannot be written.
    """
    paths = list(files(folder))
    for path in paths:
        to = os.path.join(target, path)
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copyfile(os.path.join(folder, path), to)
    return len(paths)


def _differs(ours: str, theirs: str) -> bool:
    if not os.path.lexists(theirs):
        return False
    return not (os.path.isfile(theirs) and filecmp.cmp(ours, theirs, shallow=False))
