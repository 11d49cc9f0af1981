"""Names of models, made safe: LiteLLM takes the URL of an endpoint for a model, and URLs hold secrets."""

from __future__ import annotations

import re
from typing import Final

from litespan.labels import as_name
from litespan.sources.mcp_names import server_name

_MAY_BE_SECRET: Final = re.compile(r"[@?#\\]")


def model_name(value: object) -> str | None:
    """Return a model's name as :func:`as_name` does, without user-info, query and fragment of a URL in it.

    A URL with none of them stays as it is: prices are found by it.
    """
    name = as_name(value)
    if name is None or "://" not in name:
        return name
    return server_name(name) if _MAY_BE_SECRET.search(name.partition("://")[2]) else name
