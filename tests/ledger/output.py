"""Keep what LiteLLM prints and warns of, with every failure, out of the tables."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from typing import Final

# LiteLLM's answers hold what their pydantic classes do not allow, and it leaves its log entries unsent when
# an event loop ends (litellm 1.83.0).
_WARNINGS: Final = (
    "Pydantic serializer warnings",
    "coroutine '.*' was never awaited",
)


@contextlib.contextmanager
def unprinted() -> Iterator[None]:
    """Drop what is printed to standard output, and LiteLLM's warnings."""
    with (
        open(os.devnull, "w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
        warnings.catch_warnings(),
    ):
        for message in _WARNINGS:
            warnings.filterwarnings("ignore", message)
        yield
