"""What a ``litespan.LitellmModel`` says about its own calls, brought to the call source by a context."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar, Token
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallOptions:
    """Price in USD per million tokens by class, and whether content may be captured (``None``: as set)."""

    price: Mapping[str, float] | None = None
    capture_content: bool | None = None


current: ContextVar[CallOptions | None] = ContextVar("litespan_call_options", default=None)


def reset(token: Token[CallOptions | None]) -> None:
    """Put back what was there before, only where the options were set.

    A coroutine that nobody runs any more is closed in another context than it ran in, for example by the
    garbage collector.
    """
    try:
        current.reset(token)
    except ValueError:
        return
