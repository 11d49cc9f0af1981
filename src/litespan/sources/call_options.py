"""What a ``litespan.LitellmModel`` says about its own calls, brought to the call source by a context."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallOptions:
    """Price in USD per million tokens by class, and whether content may be captured (``None``: as set)."""

    price: Mapping[str, float] | None = None
    capture_content: bool | None = None


current: ContextVar[CallOptions | None] = ContextVar("litespan_call_options", default=None)
