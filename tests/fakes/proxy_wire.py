"""The wire of a LiteLLM proxy: OpenAI's chat completions; what a call cost is in a header."""

from __future__ import annotations

from typing import Any

from litespan.testing.reply import ServedUsage
from tests.fakes.dialects import CACHED, REASONING, WRITTEN, with_details
from tests.fakes.openai_like import Dialect, OpenAILikeWire

COST_HEADER = "x-litellm-response-cost"


def _usage(usage: ServedUsage) -> dict[str, Any]:
    cache = {"cached_tokens": usage.cache_read_tokens, "cache_creation_tokens": usage.cache_write_tokens}
    return {**with_details(usage), "prompt_tokens_details": cache}


PROXY = Dialect("litellm_proxy", _usage, frozenset({CACHED, WRITTEN, REASONING}), path="")


class ProxyWire(OpenAILikeWire):
    """A LiteLLM proxy."""

    def __init__(self) -> None:
        super().__init__(PROXY)


def billed(cost: float, *, stream: bool) -> dict[str, str]:
    """Return the headers of an answer: the head of a stream goes out before anything has cost anything."""
    return {COST_HEADER: "0.0" if stream else str(cost)}
