"""The dialects of OpenAI's chat completions: what each provider's page says of the usage, in one table.

All count cached tokens as part of the prompt. All but xAI and Perplexity count reasoning as part of the
completion.
"""

from __future__ import annotations

from typing import Any

from litespan.testing.reply import ServedUsage
from tests.fakes.openai_like import Dialect, Place

CACHED = "cache_read_tokens"
WRITTEN = "cache_write_tokens"
REASONING = "reasoning_tokens"
TICKS_PER_USD = 10**10


def counts(usage: ServedUsage) -> dict[str, Any]:
    """Write the three counts that all have."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }


def with_cached(usage: ServedUsage) -> dict[str, Any]:
    """Write the cached tokens where OpenAI does."""
    return {**counts(usage), "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens}}


def with_details(usage: ServedUsage) -> dict[str, Any]:
    """Write cached and reasoning tokens where OpenAI does."""
    reasoning = {"reasoning_tokens": usage.reasoning_tokens}
    return {**with_cached(usage), "completion_tokens_details": reasoning}


def with_cached_beside(usage: ServedUsage) -> dict[str, Any]:
    """Write the cached tokens beside the counts."""
    return {**counts(usage), "cached_tokens": usage.cache_read_tokens}


def _groq(usage: ServedUsage) -> dict[str, Any]:
    times = {"queue_time": 0.01, "prompt_time": 0.02, "completion_time": 0.03, "total_time": 0.05}
    return {**with_details(usage), **times}


def _mistral(usage: ServedUsage) -> dict[str, Any]:
    return {**with_cached(usage), "num_cached_tokens": usage.cache_read_tokens}


def _xai(usage: ServedUsage) -> dict[str, Any]:
    """Write xAI's usage: the completion is without the reasoning, the total is with it."""
    cached = {"text_tokens": usage.input_tokens, "audio_tokens": 0, "image_tokens": 0}
    return {
        **with_details(usage),
        "completion_tokens": usage.output_tokens - usage.reasoning_tokens,
        "prompt_tokens_details": {**cached, "cached_tokens": usage.cache_read_tokens},
        "num_sources_used": 0,
    }


def _vllm(usage: ServedUsage) -> dict[str, Any]:
    return {**with_cached(usage), "completion_tokens_details": None}


def _ticks(cost: float) -> dict[str, Any]:
    return {"cost_in_usd_ticks": round(cost * TICKS_PER_USD)}


def _estimated(cost: float) -> dict[str, Any]:
    return {"estimated_cost": cost}


_BOTH = frozenset({CACHED, REASONING})
_ON_FINISH: frozenset[Place] = frozenset({"finish"})

DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect(
            "groq",
            _groq,
            _BOTH,
            frozenset({"asked", "x_groq"}),
            reasoning="reasoning",
            extra={"service_tier": "on_demand"},
        ),
        Dialect("mistral", _mistral, frozenset({CACHED}), _ON_FINISH),
        Dialect("xai", _xai, _BOTH, frozenset({"every", "asked"}), cost=_ticks),
        Dialect(
            "together_ai",
            with_cached_beside,
            frozenset({CACHED}),
            frozenset({"finish", "asked"}),
            reasoning="reasoning",
        ),
        Dialect("hosted_vllm", _vllm, frozenset({CACHED}), extra={"prompt_logprobs": None}),
        Dialect("fireworks_ai", with_cached, frozenset({CACHED}), _ON_FINISH),
        Dialect(
            "cerebras",
            with_details,
            _BOTH,
            _ON_FINISH,
            reasoning="reasoning",
            extra={"time_info": {"total_time": 0.01}},
        ),
        Dialect("deepinfra", with_cached, frozenset({CACHED}), _ON_FINISH, cost=_estimated),
        Dialect("moonshot", with_cached_beside, frozenset({CACHED}), frozenset({"choice", "asked"})),
        Dialect("databricks", counts, path="/serving-endpoints"),
    )
}
"""By LiteLLM's name of the provider."""
