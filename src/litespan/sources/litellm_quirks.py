"""Where LiteLLM's usage is not what the provider said, put right as far as LiteLLM still carries it.

Pure functions, tried with litellm 1.83.0. Each of them can go when LiteLLM passes on what the provider says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import Any, Final

from litespan.records import ModelCall, Usage, has_parts
from litespan.sources import litellm_traffic
from litespan.sources.litellm_bedrock import BEDROCK
from litespan.sources.litellm_usage import (
    Told,
    counts_of,
    merge,
    read,
    reader,
    tokens,
    told,
    without_contradictions,
)

_GOOGLE: Final = frozenset({"gemini", "vertex_ai", "vertex_ai_beta"})
# It counts reasoning beside the completion and beside the total.
_PERPLEXITY: Final = "perplexity"
# LiteLLM counts the input of their embeddings itself, also where the provider said nothing.
_COUNTED_BY_LITELLM: Final = frozenset({"gemini", "huggingface"})
_ANTHROPIC: Final = frozenset({"anthropic", "anthropic_text"})
# Providers that sell Claude beside other models, all of them by Anthropic's own API.
_CLAUDE_TOO: Final = frozenset({"azure_ai", *_GOOGLE})
# Of all others the counts are taken as they are.
_COUNTING_OTHERWISE: Final = _COUNTED_BY_LITELLM | _ANTHROPIC | _CLAUDE_TOO | BEDROCK | {_PERPLEXITY}
# Where Anthropic ran a model: these words mean no surcharge.
_NO_SURCHARGE: Final = frozenset({"", "global", "not_available"})
# Google's name of how a call was served -> the service tier that has its prices.
_TRAFFIC_TIERS: Final = MappingProxyType({"ON_DEMAND_PRIORITY": "priority", "FLEX": "flex"})
_PREPAID_TRAFFIC: Final = "PROVISIONED_THROUGHPUT"

# What hardly any usage has, and bills otherwise than by tokens: looking whether there is any takes a fraction
# of the time of looking closer.
_RARE_IN_WHOLE: Final = ("inference_geo", "speed", "server_tool_use")
_RARE_IN_INPUTS: Final = ("web_search_requests",)
_RARE_IN_OUTPUTS: Final = ("image_tokens", "video_tokens")
# Items of a Responses API answer that the provider bills beside the tokens.
_BILLED_ITEMS: Final = frozenset(
    {"web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call"}
)
_SHELL: Final = "shell_call"  # runs in a container of the provider, or with the program
_LOCAL: Final = frozenset({None, "local"})


def usage_of(call: ModelCall, said: Told) -> Usage | None:
    """Return the usage of a whole answer as the provider of this call meant it."""
    usage = _corrected(call, said)
    return _settled(call, usage) if usage is not None and has_parts(usage) else usage


def stream_usage(call: ModelCall, chunks: Iterable[Any] | None) -> Usage | None:
    """Return the usage that the provider sent in a stream's chunks; they hold none of LiteLLM's estimates."""
    sent = (raw for chunk in chunks or () if (raw := read(chunk, "usage")) is not None)
    found = (_corrected(call, told(raw)) for raw in sent)
    usage = merge(usage for usage in found if usage is not None)
    return None if usage is None else _settled(call, usage)


def _corrected(call: ModelCall, said: Told) -> Usage | None:
    usage = counts_of(said)
    if usage is None:
        return None
    if call.litellm_provider in _COUNTING_OTHERWISE:
        if call.operation == "embeddings" and call.litellm_provider in _COUNTED_BY_LITELLM:
            return None
        _count_otherwise(usage, call, said.whole)
    if _has_rare(said):
        usage.unrated = usage.unrated or _has_surcharge(said.whole) or _has_fees(said)
    return usage


def _has_rare(said: Told) -> bool:
    return (
        any(map(said.whole, _RARE_IN_WHOLE))
        or any(map(said.inputs, _RARE_IN_INPUTS))
        or any(map(said.outputs, _RARE_IN_OUTPUTS))
    )


def _count_otherwise(usage: Usage, call: ModelCall, found: Callable[[str], Any]) -> None:
    provider, claude = call.litellm_provider, "claude" in (call.model or "")
    if provider in _GOOGLE and not claude:
        usage.input_tokens = _with_tool_prompts(usage, tokens(found("total_tokens")))
    if provider == _PERPLEXITY and usage.reasoning_tokens:
        usage.output_tokens = (tokens(found("completion_tokens")) or 0) + usage.reasoning_tokens
    if _is_estimated(provider, claude=claude):
        usage.reasoning_tokens = None


def _settled(call: ModelCall, usage: Usage) -> Usage:
    """Mark a usage that contradicts itself, or whose cache writes had two prices and are told in one sum."""
    if usage.cache_write_tokens and usage.cache_write_1h_tokens is None:
        usage.unrated = usage.unrated or call.long_cache_writes
    return without_contradictions(usage)


def note_google(call: ModelCall, hidden: Any) -> None:
    """Write down what Google says beside the usage: how it served the call, and whether it searched.

    LiteLLM keeps this with whole answers. Of a stream it keeps the searches, with the usage; how the call was
    served has been noted while the stream was read.
    """
    if call.litellm_provider not in _GOOGLE:
        return
    traffic = call.traffic or litellm_traffic.of(hidden)
    call.service_tier = call.service_tier or _TRAFFIC_TIERS.get(str(traffic))
    groundings = read(hidden, "vertex_ai_grounding_metadata")
    searched = isinstance(groundings, list) and any(read(one, "webSearchQueries") for one in groundings)
    if call.usage is not None and (searched or traffic == _PREPAID_TRAFFIC):
        call.usage.unrated = True


def _with_tool_prompts(usage: Usage, total: int | None) -> int | None:
    """Return the input with the tokens of Google's own tools, which it counts beside the prompt.

    LiteLLM drops their field; the total still includes them.
    """
    told = (usage.input_tokens or 0) + (usage.output_tokens or 0)
    return usage.input_tokens if total is None or total <= told else (usage.input_tokens or 0) + total - told


def _is_estimated(provider: str | None, *, claude: bool) -> bool:
    """Say whether the reasoning tokens are LiteLLM's count of the visible text: these providers send none."""
    return provider in _ANTHROPIC or provider in BEDROCK or (claude and provider in _CLAUDE_TOO)


def _has_surcharge(found: Callable[[str], Any]) -> bool:
    """Say whether Anthropic bills this call above its price list: one region only, or the fast mode."""
    place = found("inference_geo")
    return found("speed") == "fast" or (isinstance(place, str) and place.lower() not in _NO_SURCHARGE)


def _has_fees(said: Told) -> bool:
    """Say whether a part is billed by the piece, or as tokens that have no rate: searches and media."""
    counts = (
        reader(said.whole("server_tool_use"))("web_search_requests"),
        *map(said.inputs, _RARE_IN_INPUTS),
        *map(said.outputs, _RARE_IN_OUTPUTS),
    )
    return any(map(tokens, counts))


def note_tools(call: ModelCall, output: Any) -> None:
    """Write down that an answer's items tell of tools of the provider, for which it takes a fee."""
    if call.usage is not None and isinstance(output, list) and any(map(_is_billed, output)):
        call.usage.unrated = True


def _is_billed(item: Any) -> bool:
    kind = read(item, "type")
    if kind == _SHELL:
        return read(read(item, "environment"), "type") not in _LOCAL
    return kind in _BILLED_ITEMS
