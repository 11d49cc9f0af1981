"""Calls that would pass LiteLLM's public functions by, sent through them.

Two objects of LiteLLM hold the functions themselves, not their names: a Router that was built before
litespan was installed, for the Responses and the Messages API, and ``litellm.LiteLLM().chat.completions``.
And a blocking call with fallbacks, made where an event loop runs, asks its models in a thread without its
context: that is brought there. What is hooked is private (tried with litellm 1.83.0); where it looks
different, these calls are not seen, and such fallbacks not whose they are.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from litespan.sources.litellm_entrances import ENTRANCES
from litespan.sources.litellm_inner import FALLBACKS
from litespan.sources.litellm_transport import current
from litespan.sources.patching import Patches

_RUN_IN_THREAD: Final = "run_async_function"
_OF_ROUTER: Final = ("_ageneric_api_call_with_fallbacks", "_generic_api_call_with_fallbacks")


def install(litellm: Any, patches: Patches) -> None:
    """Hook what exists."""
    public = {getattr(function, "__wrapped__", None): function for function in _public(litellm)}

    def through_public_name(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        function = kwargs.get("original_function")
        if patches.active and function in public:
            kwargs = {**kwargs, "original_function": public[function]}
        return wrapped(*args, **kwargs)

    def through_litellm(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        if not patches.active or instance.router_obj is not None:
            return wrapped(*args, **kwargs)
        # With a router in its place LiteLLM calls `router.completion`; LiteLLM itself has one as well.
        return type(instance)(instance.params, litellm).create(*args, **kwargs)

    router = getattr(litellm, "Router", None)
    for name in _OF_ROUTER:
        if name in vars(router or object):
            patches.wrap(router, name, through_public_name)
    client = getattr(litellm, "Completions", None)
    if "create" in vars(client or object):
        patches.wrap(client, "create", through_litellm)
    try:
        fallbacks = import_module(FALLBACKS)
    except ImportError:
        return
    if _RUN_IN_THREAD in vars(fallbacks):
        patches.wrap(fallbacks, _RUN_IN_THREAD, _with_open_call)


def _with_open_call(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
    """Run an asynchronous function elsewhere, inside the call that is open here."""
    call, function = current.get(), kwargs.get("async_function")
    if call is None or function is None:
        return wrapped(*args, **kwargs)

    async def inside(*args: Any, **kwargs: Any) -> Any:
        current.set(call)  # in the context of a task of its own
        return await function(*args, **kwargs)

    return wrapped(*args, **{**kwargs, "async_function": inside})


def _public(litellm: Any) -> list[Any]:
    return [getattr(litellm, name) for name in ENTRANCES if hasattr(litellm, name)]
