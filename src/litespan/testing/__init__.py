"""The public test kit: a fake provider that remembers what it served, and a capture of spans and metrics.

Names are loaded on first use, so that importing one part does not pay for the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from litespan.testing.capture import Capture as Capture
    from litespan.testing.deterministic import CountingIdGenerator as CountingIdGenerator
    from litespan.testing.deterministic import SteppingClock as SteppingClock
    from litespan.testing.provider import Provider as Provider
    from litespan.testing.reply import ProviderError as ProviderError
    from litespan.testing.reply import Reply as Reply
    from litespan.testing.reply import ServedUsage as ServedUsage
    from litespan.testing.reply import ToolCall as ToolCall
    from litespan.testing.served import Served as Served
    from litespan.testing.tree import render_tree as render_tree
    from litespan.testing.wire import Request as Request

_HOMES = {
    "Capture": "capture",
    "CountingIdGenerator": "deterministic",
    "Provider": "provider",
    "ProviderError": "reply",
    "Reply": "reply",
    "Request": "wire",
    "Served": "served",
    "ServedUsage": "reply",
    "SteppingClock": "deterministic",
    "ToolCall": "reply",
    "render_tree": "tree",
}

__all__ = [
    "Capture",
    "CountingIdGenerator",
    "Provider",
    "ProviderError",
    "Reply",
    "Request",
    "Served",
    "ServedUsage",
    "SteppingClock",
    "ToolCall",
    "render_tree",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
