"""What a ``litespan.LitellmModel`` says about its own calls, brought to the call source by a context."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar, Token
from typing import NamedTuple

from litespan.guard import guarded_one
from litespan.sources.litellm_transport import current as open_call


class CallOptions(NamedTuple):
    """Price in USD per million tokens by class, and whether content may be captured (``None``: as set)."""

    price: Mapping[str, float] | None = None
    capture_content: bool | None = None


class Given(NamedTuple):
    """Options, and the open call around the model that gave them, which may have ended by now.

    LiteLLM runs its callbacks in copies of a call's context. What they call is inside that call, not the
    model's own call: it has another price. Content stays out there as well: a judge quotes what it judges.
    """

    options: CallOptions
    around: object

    @property
    def price(self) -> Mapping[str, float] | None:
        """The price of a call that begins here; ``None`` if it is not the model's own."""
        return self.options.price if open_call.get() is self.around else None


current: ContextVar[Given | None] = ContextVar("litespan_call_options", default=None)


@guarded_one("call options")
def given_here(options: CallOptions | None) -> Given | None:
    """Return options as they hold for a call that begins here; ``None`` for none."""
    return None if options is None else Given(options, open_call.get())


@guarded_one("call options")
def reset(token: Token[Given | None]) -> None:
    """Put back what was there before, only where the options were set.

    A coroutine that nobody runs any more is closed in another context than it ran in, for example by the
    garbage collector.
    """
    try:
        current.reset(token)
    except ValueError:
        return
