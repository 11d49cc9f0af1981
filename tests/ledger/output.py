"""Keep LiteLLM's printed help, which comes with every failure, out of the tables."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def unprinted() -> Iterator[None]:
    """Drop what is printed to standard output."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        yield
