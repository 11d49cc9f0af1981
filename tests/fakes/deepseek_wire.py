"""The DeepSeek wire: OpenAI's chat completions, with the tokens that its cache had and those it had not."""

from __future__ import annotations

from typing import Any

from litespan.testing.reply import ServedUsage
from tests.fakes.dialects import CACHED, REASONING, with_details
from tests.fakes.openai_like import Dialect, OpenAILikeWire


def _usage(usage: ServedUsage) -> dict[str, Any]:
    return {
        **with_details(usage),
        "prompt_cache_hit_tokens": usage.cache_read_tokens,
        "prompt_cache_miss_tokens": usage.input_tokens - usage.cache_read_tokens,
    }


DEEPSEEK = Dialect("deepseek", _usage, frozenset({CACHED, REASONING}), frozenset({"asked", "finish"}))


class DeepSeekWire(OpenAILikeWire):
    """DeepSeek's API."""

    def __init__(self) -> None:
        super().__init__(DEEPSEEK)
