"""How long Bedrock keeps what a call wrote to the prompt cache: two prices, of which LiteLLM keeps one sum.

Converse tells it in ``cacheDetails``, which LiteLLM drops (1.83.0). Whole answers are read again where the
transport probe saw them; of streams only the request tells that there is a doubt. This can go when LiteLLM
fills ``cache_creation_token_details`` for Converse, as it does for InvokeModel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from litespan.records import ModelCall
from litespan.sources.litellm_guesses import body_of
from litespan.sources.litellm_usage import read, tokens

BEDROCK: Final = frozenset({"bedrock", "bedrock_converse"})
_ONE_HOUR: Final = "1h"


def asks_for_long_cache_writes(request: Mapping[str, Any]) -> bool:
    """Say whether a request to Bedrock asks for cache entries that live an hour."""
    return any(read(read(part, "cache_control"), "ttl") == _ONE_HOUR for part in _cacheable(request))


def _cacheable(request: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what a request can mark for the cache: messages, their parts, tools."""
    for message in request.get("messages") or ():
        yield message
        content = read(message, "content")
        yield from content if isinstance(content, list) else ()
    for tool in request.get("tools") or ():
        yield from (tool, read(tool, "function"))
    for point in request.get("cache_control_injection_points") or ():
        yield {"cache_control": read(point, "control")}


def split_cache_writes(call: ModelCall, answer: Any) -> None:
    """Write down how much of a call's cache writes live an hour, from its answer, an ``httpx.Response``."""
    usage = call.usage
    if usage is None or not call.long_cache_writes or usage.cache_write_1h_tokens is not None:
        return
    details = read(read(body_of(answer), "usage"), "cacheDetails")
    if isinstance(details, list):
        long = (tokens(read(one, "inputTokens")) for one in details if read(one, "ttl") == _ONE_HOUR)
        usage.cache_write_1h_tokens = sum(count or 0 for count in long)
        usage.unrated = False  # Converse bills nothing but tokens, so this was the only doubt.
