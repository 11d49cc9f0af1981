"""Names of models, made safe: LiteLLM takes the URL of an endpoint for a model, and URLs hold secrets."""

from __future__ import annotations

import re
from typing import Final

from litespan.labels import MAX_TEXT, as_name
from litespan.sources.mcp_names import UNREADABLE, server_name

_MAY_BE_SECRET: Final = re.compile(r"[@?#\\]")


def model_name(value: object) -> str | None:
    """Return a model's name as :func:`as_name` does, without user-info, query and fragment of a URL in it.

    A URL with none of them stays as it is: prices are found by it.
    """
    name = as_name(value)
    if name is None or "://" not in name:
        return name
    scheme, mark, rest = name.partition("://")
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return f"{scheme}{mark}{UNREADABLE}"  # where its user-info ends may be cut off
    return server_name(name) if _MAY_BE_SECRET.search(rest) else name
