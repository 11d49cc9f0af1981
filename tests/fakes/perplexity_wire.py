"""The Perplexity wire: OpenAI's chat completions, with sources, and what the call cost by kind."""

from __future__ import annotations

from typing import Any

from litespan.testing.reply import ServedUsage
from tests.fakes.dialects import REASONING, counts
from tests.fakes.openai_like import Dialect, OpenAILikeWire


def _usage(usage: ServedUsage) -> dict[str, Any]:
    """Write the usage: reasoning and the tokens of sources are counted beside the total."""
    answer = usage.output_tokens - usage.reasoning_tokens
    return {
        **counts(usage),
        "completion_tokens": answer,
        "total_tokens": usage.input_tokens + answer,
        "reasoning_tokens": usage.reasoning_tokens,
        "citation_tokens": 20_000,
        "num_search_queries": 3,
        "search_context_size": "low",
    }


def _cost(cost: float) -> dict[str, Any]:
    return {"cost": {"input_tokens_cost": 0.0, "output_tokens_cost": 0.0, "total_cost": cost}}


PERPLEXITY = Dialect(
    "perplexity",
    _usage,
    frozenset({REASONING}),
    frozenset({"every"}),
    cost=_cost,
    path="",
    extra={"citations": ["https://example.org/a", "https://example.org/b"]},
)


class PerplexityWire(OpenAILikeWire):
    """Perplexity's API."""

    def __init__(self) -> None:
        super().__init__(PERPLEXITY)
