"""The real servers and tools that `make backends` builds."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

from tools.backends.build import CACHE


def binary(name: str) -> str:
    """Return the path of a built program, for example "promtool"; without it the test is skipped.

    In continuous integration, where the variable ``CI`` is set, the test fails instead.
    """
    path = CACHE / "bin" / name
    return str(path) if os.access(path, os.X_OK) else _missing(name)


def _missing(name: str) -> NoReturn:
    reason = f"{name} is not there: `make backends` builds it (needs Go)"
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
