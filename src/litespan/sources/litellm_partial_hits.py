"""Embeddings of which LiteLLM's cache held a part: the rest was asked for, and is billed.

LiteLLM calls the whole a hit, and adds its own count of what was cached to the provider's usage (litellm
1.83.0). This can go when it tells the two apart.
"""

from __future__ import annotations

from typing import Any, Final

from litespan.records import ModelCall
from litespan.sources.litellm_guesses import body_of
from litespan.sources.litellm_quirks import usage_of
from litespan.sources.litellm_transport import Probe
from litespan.sources.litellm_usage import read, told

_EMBEDDINGS: Final = "embeddings"


def take_back_hit(call: ModelCall, response: Any, probe: Probe | None) -> None:
    """Let a call that LiteLLM says its cache answered be what it was, if a request was made for a part.

    LiteLLM notes on such an answer how long it took. On that of a blocking call it does so also where the
    cache had all of it; then only the probe knows that there was no request.

    The usage is the one in the provider's own answer, and missing where the probe has not seen that: with no
    probe, and where the last request was no POST, as it may have asked the cache.
    """
    asked = call.operation == _EMBEDDINGS and read(response, "_response_ms") is not None
    if not asked or (probe is not None and not probe.attempts):
        return
    answer = read(probe, "answer")
    posted = read(read(answer, "_request"), "method") == "POST"
    call.cache_hit = False
    call.usage = usage_of(call, told(read(body_of(answer), "usage"))) if posted else None
