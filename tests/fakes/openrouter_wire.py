"""The OpenRouter wire: OpenAI's chat completions, with what the call cost in every answer."""

from __future__ import annotations

from typing import Any

from litespan.testing.reply import ServedUsage
from tests.fakes.dialects import CACHED, REASONING, WRITTEN, with_details
from tests.fakes.openai_like import Dialect, OpenAILikeWire


def _usage(usage: ServedUsage) -> dict[str, Any]:
    cache = {"cached_tokens": usage.cache_read_tokens, "cache_write_tokens": usage.cache_write_tokens}
    return {**with_details(usage), "prompt_tokens_details": cache, "is_byok": False}


def _cost(cost: float) -> dict[str, Any]:
    return {"cost": cost, "cost_details": {"upstream_inference_cost": None}}


OPENROUTER = Dialect(
    "openrouter",
    _usage,
    frozenset({CACHED, WRITTEN, REASONING}),
    frozenset({"always"}),
    cost=_cost,
    reasoning="reasoning",
    path="/api/v1",
    own_choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}],
)


class OpenRouterWire(OpenAILikeWire):
    """OpenRouter's API."""

    def __init__(self) -> None:
        super().__init__(OPENROUTER)
