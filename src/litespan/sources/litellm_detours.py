"""Calls that would pass LiteLLM's public functions by, sent through them.

Two objects of LiteLLM hold the functions themselves, not their names: a Router that was built before
litespan was installed, for the Responses and the Messages API, and ``litellm.LiteLLM().chat.completions``.
What is hooked is private (tried with litellm 1.83.0); where it looks different, these calls are not seen.
"""

from __future__ import annotations

from typing import Any, Final

from litespan.sources.litellm_entrances import ENTRANCES
from litespan.sources.patching import Patches

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


def _public(litellm: Any) -> list[Any]:
    return [getattr(litellm, name) for name in ENTRANCES if hasattr(litellm, name)]
