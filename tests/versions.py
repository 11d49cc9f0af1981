"""Tests of what only newer hosts have."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version

import pytest


def installed(distribution: str) -> tuple[int, ...]:
    """Return the first three numbers of an installed version; none if it is not installed."""
    try:
        return tuple(int(number) for number in re.findall(r"\d+", version(distribution))[:3])
    except PackageNotFoundError:
        return ()


def needs(distribution: str, minimum: str) -> pytest.MarkDecorator:
    """Skip a test where a distribution is missing or older than ``minimum`` ("1.43", "0.66"); say which."""
    found = installed(distribution)
    shown = ".".join(map(str, found)) or "not"
    return pytest.mark.skipif(
        found < tuple(int(number) for number in minimum.split(".")),
        reason=f"needs {distribution} {minimum} or newer, {shown} installed",
    )
