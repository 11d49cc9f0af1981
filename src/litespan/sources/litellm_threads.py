"""Calls that LiteLLM makes in threads of its own, brought into the context of their caller.

``batch_completion`` and its sisters hand their calls to a pool. What a Router or a fallback does without
``await`` goes to a thread where an event loop runs. A thread begins with an empty context, in which a call
would belong to no agent, no tool and no span. What is hooked is private (tried with litellm 1.83.0); where it
looks different, these calls stand apart. It can go when LiteLLM copies the context, as it does for callbacks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any, Final

import wrapt

from litespan.sources.patching import Patches

_BATCHES: Final = "litellm.batch_completion.main"
_BRIDGE: Final = "run_async_function"
_BRIDGED: Final = (
    "litellm.litellm_core_utils.fallback_utils",
    "litellm.main",
    "litellm.responses.main",
    "litellm.router",
)


class _ForThreads(wrapt.ObjectProxy):  # type: ignore[type-arg]  # not generic before wrapt 2
    """LiteLLM to the module that makes batches: each time it takes the call, it takes the context along."""

    def __getattr__(self, name: str) -> Any:
        """Return LiteLLM's attribute."""
        found = getattr(self.__wrapped__, name)
        return partial(copy_context().run, found) if name == "completion" else found


def install(litellm: Any, patches: Patches) -> None:
    """Hook what exists."""

    def bridge(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        if not patches.active:
            return wrapped(*args, **kwargs)
        if args:
            return wrapped(_in_context(args[0]), *args[1:], **kwargs)
        return wrapped(**{**kwargs, "async_function": _in_context(kwargs["async_function"])})

    for name in _BRIDGED:
        module = sys.modules.get(name)
        if _BRIDGE in vars(module or object):
            patches.wrap(module, _BRIDGE, bridge)
    batches = sys.modules.get(_BATCHES)
    if vars(batches or object).get("litellm") is litellm:
        patches.put(batches, "litellm", _ForThreads(litellm))


def _in_context(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a coroutine function that runs in the context of now, whichever thread's loop runs it."""
    context = copy_context()

    async def run(*args: Any, **kwargs: Any) -> Any:
        for variable, value in context.items():
            variable.set(value)
        return await function(*args, **kwargs)

    return run
