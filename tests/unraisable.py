"""Exceptions that nobody can catch, as in what the garbage collector closes: none may be litespan's own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

import litespan
from litespan import guard

_OURS: Final = Path(litespan.__file__).parent


def report_those_of_litespan(patch: pytest.MonkeyPatch, report: Callable[[str], object]) -> None:
    """Have what litespan's own code raised reported, each with its place; the hosts' own are left out.

    So are warnings that a test has made errors: what the garbage collector finds, as a file left open, is
    warned of in whichever function runs just then.

    Nothing is parsed or formatted here, as pytest's hook does: see ``addopts`` in pyproject.toml.
    """

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        place = guard.raised_at(unraisable.exc_traceback)
        if _OURS in Path(place).parents and not issubclass(unraisable.exc_type, Warning):
            report(f"nobody could catch {unraisable.exc_type.__name__} of {place}")

    patch.setattr(sys, "unraisablehook", hook)
