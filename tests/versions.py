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
    """Let LiteLLM say what it likes of an awaited stream whose connection breaks.

    1.83 ends it as if it were whole. Newer ones raise one of several exceptions, or end it too.
    """
    import httpx  # this module is for tests without LiteLLM too
    from litellm.exceptions import APIConnectionError, MidStreamFallbackError

    if installed("litellm") < (1, 84):
        return nullcontext()
    return suppress(APIConnectionError, MidStreamFallbackError, httpx.TransportError)
