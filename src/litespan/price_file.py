"""A file of prices, in JSON or TOML: model names, and under each the prices of its token classes."""

from __future__ import annotations

import json
import sys
from typing import Any


def read_price_file(path: str) -> Any:
    """Return what a file of prices holds, unchecked.

    Raises:
        ValueError: if there is no such file, it is of another kind or not well formed; the message says what
            to do, and does not name the file.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise ValueError(f"it cannot be read ({error.strerror}); give the path of a file") from error
    if path.endswith(".json"):
        return json.loads(text, object_pairs_hook=_without_repeats)
    if path.endswith(".toml"):
        return _toml(text)
    raise ValueError("it must be a .json or .toml file")


def _toml(text: str) -> Any:
    if sys.version_info >= (3, 11):
        import tomllib

        return tomllib.loads(text)
    raise ValueError("TOML needs Python 3.11; write the prices as JSON")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{repeated!r} is there twice; keep one")
    return found
