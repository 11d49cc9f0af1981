"""Tracing-first observability for the OpenAI Agents SDK on LiteLLM models.

Importing litespan starts nothing and imports neither litellm nor agents; names are loaded when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from litespan import testing
    from litespan._api import configure, flush, instrument, shutdown, stats, uninstrument
    from litespan._models import LitellmModel, LitellmProvider
    from litespan.context import using
    from litespan.setting_checks import ConfigurationError

__version__ = "0.1.0"

__all__ = [
    "ConfigurationError",
    "LitellmModel",
    "LitellmProvider",
    "configure",
    "flush",
    "instrument",
    "shutdown",
    "stats",
    "testing",
    "uninstrument",
    "using",
]

_HOME = {
    "ConfigurationError": "litespan.setting_checks",
    "LitellmModel": "litespan._models",
    "LitellmProvider": "litespan._models",
    "using": "litespan.context",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'litespan' has no attribute {name!r}")
    if name == "testing":
        return import_module("litespan.testing")
    value = getattr(import_module(_HOME.get(name, "litespan._api")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
