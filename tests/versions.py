"""Tests of what only newer hosts have, and what hosts do differently from one version to another."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext, suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

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


def cut_stream() -> AbstractContextManager[Any]:
    """Expect what LiteLLM makes of an awaited stream whose connection breaks.

    1.83 ends it as if it were whole, 1.109 raises; the versions between were not tried and may do either.
    """
    from litellm.exceptions import MidStreamFallbackError  # this module is for tests without LiteLLM too

    found = installed("litellm")
    if found < (1, 84):
        return nullcontext()
    return pytest.raises(MidStreamFallbackError) if found >= (1, 109) else suppress(MidStreamFallbackError)
