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

    Such an answer has a time that it took; where the probe saw no request, there was none. The usage is in
    the provider's own answer, and missing where that is not known: without the probe also of a blocking call
    that the cache answered whole, which has that time, too. What was only read may be the cache's.
    """
    asked = call.operation == _EMBEDDINGS and read(response, "_response_ms") is not None
    if not asked or (probe is not None and not probe.attempts):
        return
    answer = read(probe, "answer")
    posted = read(read(answer, "_request"), "method") == "POST"
    call.cache_hit = False
    call.usage = usage_of(call, told(read(body_of(answer), "usage"))) if posted else None
