"""The usage of streams: asked for where the program does not ask, and not again where that is refused.

LiteLLM itself asks OpenAI's own endpoint, if nobody else does, and hands the usage on to the program. What
tells that is private (tried with litellm 1.83.0 and 1.110.2); where it looks different, the usage comes on
the chunk before it, as from other endpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from litespan.guard import guarded
from litespan.settings import Settings
from litespan.sources.litellm_call import OpenCall, current
from litespan.sources.litellm_usage import read
from litespan.sources.patching import Patches

_MAX_REFUSALS: Final = 1000
_MODULE: Final = "litellm.llms.openai.openai"
_METHOD: Final = "OpenAIChatCompletion.get_stream_options"
_OPTIONS: Final = "stream_options"


def install(patches: Patches) -> None:
    """Hook what LiteLLM asks of OpenAI's own endpoint, where it is found."""
    patches.wrap_private(_MODULE, _METHOD, _stream_options)


def _stream_options(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
    options = wrapped(*args, **kwargs)
    _note_asking(wrapped, kwargs)
    return options


@guarded("call source")
def _note_asking(wrapped: Any, kwargs: Any) -> None:
    """Note whether LiteLLM would have asked as well, if only litespan has."""
    call = current.get()
    if call is not None and call.asked_of is not None and _OPTIONS in kwargs:
        call.asked_anyway = wrapped(**{**kwargs, _OPTIONS: call.own_options}) == {_OPTIONS: kwargs[_OPTIONS]}


class StreamUsage:
    """Adds the usage option to streamed calls, and remembers which endpoints and models do not know it."""

    def __init__(self, litellm: Any, settings: Settings) -> None:
        self._litellm = litellm
        self._wanted = settings.request_stream_usage
        self._refusals: set[str] = set()

    @guarded("call source")
    def ask(self, call: OpenCall, named: Mapping[str, Any], kwargs: dict[str, Any]) -> None:
        """Have a streamed call made with the usage option of streams, unless that shall not be added.

        ``named`` are all arguments, ``kwargs`` those that the program gives by name, to which it is added.
        """
        options = named.get("stream_options") or {}
        endpoint = f"{named.get('base_url') or named.get('api_base')} {named.get('model')}"
        if not self._wanted or "include_usage" in options or endpoint in self._refusals:
            return
        by_position = named.keys() - kwargs.keys()
        if "stream_options" in by_position:
            return
        asking = {**kwargs, "stream_options": {**options, "include_usage": True}}
        if self._litellm.cache is not None:
            # The option would change LiteLLM's cache key, so the key of the program's own request goes along.
            # Streams with positional arguments are read and written under two keys; they stay as they are.
            if by_position:
                return
            asking["cache_key"] = kwargs.get("cache_key") or self._litellm.cache.get_cache_key(**kwargs)
        call.asking, call.asked_of, call.cache_key = asking, endpoint, asking.get("cache_key")
        call.own_options = named.get("stream_options")

    @guarded("call source")
    def is_refused(self, call: OpenCall, error: Exception) -> bool:
        """Say whether the provider refused only our asking; it is then not asked again."""
        if call.asked_of is None or not _names_the_option(error):
            return False
        if len(self._refusals) < _MAX_REFUSALS:
            self._refusals.add(call.asked_of)
        call.asked_of = None
        return True


def _names_the_option(error: BaseException) -> bool:
    """Say whether a provider rejected the request because it does not know the usage option of streams.

    LiteLLM's exception has no ``param`` and no ``code`` in this case; only the text tells, and for status 422
    only the text of the answer's body.
    """
    if read(error, "status_code") not in (400, 422):
        return False
    text = f"{error} {read(error, 'body')}"
    return "stream_options" in text or "include_usage" in text
