"""Whatever is written into a usage: no exception, nothing invented, no contradiction kept."""

from __future__ import annotations

import math
from dataclasses import fields
from types import SimpleNamespace
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from litellm.types.utils import Usage as HostUsage

from litespan.charging import charge
from litespan.price_table import given_price
from litespan.records import ModelCall, Usage
from litespan.sources.litellm_quirks import stream_usage, usage_of
from litespan.sources.litellm_usage import merge, told, usage_from, without_contradictions

LARGEST = 2**53
COUNTS = [field.name for field in fields(Usage) if field.name not in ("complete", "unrated")]
WHOLES = ["prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens"]
FLAT = ["cache_read_input_tokens", "cache_creation_input_tokens", "cached_tokens", "cost", "inference_geo"]
PARTS = ["cached_tokens", "cache_creation_tokens", "cache_write_tokens", "audio_tokens", "image_tokens"]
LIFETIMES = ["ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"]

counts = st.integers(0, 3000)
odd = st.one_of(
    st.none(),
    st.integers(-5, -1),
    st.sampled_from([10**400, -(10**400), LARGEST + 1, LARGEST, "12", "", b"7", True, [], {}, object()]),
    st.floats(),
)
values = counts | odd


def some(names: list[str], value: st.SearchStrategy[Any] = values) -> st.SearchStrategy[dict[str, Any]]:
    """Make mappings with any of these names."""
    return st.dictionaries(st.sampled_from(names), value)


def shaped(content: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Any]:
    """Make a mapping into what carries it: itself, or an object with its names."""
    return content | content.map(lambda found: SimpleNamespace(**found))


prompt_details = st.builds(
    lambda parts, lifetimes: parts | lifetimes,
    some(PARTS),
    st.just({}) | st.fixed_dictionaries({"cache_creation_token_details": shaped(some(LIFETIMES)) | odd}),
)
details = {
    "prompt_tokens_details": shaped(prompt_details) | odd,
    "input_tokens_details": shaped(prompt_details) | odd,
    "completion_tokens_details": shaped(some(["reasoning_tokens", "audio_tokens", "image_tokens"])) | odd,
    "output_tokens_details": shaped(some(["reasoning_tokens", "audio_tokens"])) | odd,
    "server_tool_use": shaped(some(["web_search_requests"])) | odd,
}
bodies = st.builds(
    lambda wholes, flat, nested: {**wholes, **flat, **nested},
    some(WHOLES),
    some(FLAT),
    st.fixed_dictionaries({}, optional=details),
)
raws = shaped(bodies) | bodies.map(lambda body: HostUsage.model_construct(**body))
# What LiteLLM itself can build: whole numbers only, in its own class.
host_usages = st.builds(
    lambda wholes, prompt, completion: HostUsage(
        **wholes, prompt_tokens_details=prompt or None, completion_tokens_details=completion or None
    ),
    some(["prompt_tokens", "completion_tokens", "total_tokens"], counts),
    some(["cached_tokens", "cache_creation_tokens", "audio_tokens", "image_tokens"], counts),
    some(["reasoning_tokens", "audio_tokens", "image_tokens"], counts),
)
calls = st.builds(
    ModelCall,
    litellm_provider=st.sampled_from([None, "openai", "anthropic", "bedrock", "gemini", "xai", "perplexity"]),
    model=st.sampled_from([None, "gpt-4o", "claude-sonnet-4-5"]),
    long_cache_writes=st.booleans(),
)


def assert_sound(usage: Usage) -> None:
    """Check what holds for every usage that leaves the sources."""
    known = [getattr(usage, name) for name in COUNTS if getattr(usage, name) is not None]
    assert all(type(count) is int and 0 <= count for count in known)
    written = max(usage.cache_write_tokens or 0, usage.cache_write_1h_tokens or 0)
    if usage.input_tokens is not None:
        assert (usage.cache_read_tokens or 0) + written <= usage.input_tokens
        assert (usage.audio_input_tokens or 0) + (usage.image_input_tokens or 0) <= usage.input_tokens
    if usage.output_tokens is not None:
        assert (usage.reasoning_tokens or 0) + (usage.audio_output_tokens or 0) <= usage.output_tokens
    if usage.cache_write_tokens is not None:
        assert (usage.cache_write_1h_tokens or 0) <= usage.cache_write_tokens


def numbers_in(raw: Any) -> set[int]:
    """Collect all whole numbers in a raw usage, at any depth."""
    if isinstance(raw, (bool, str, bytes)) or raw is None:
        return set()
    if isinstance(raw, (int, float)):
        return {int(raw)} if math.isfinite(raw if abs(raw) <= LARGEST else math.inf) else set()
    inside = raw.values() if isinstance(raw, dict) else getattr(raw, "__dict__", {}).values()
    extra = (getattr(raw, "__pydantic_extra__", None) or {}).values()
    return set().union(*(numbers_in(part) for part in (*inside, *extra)))


@settings(max_examples=300)
@given(raw=raws | host_usages | odd, call=calls)
@example(raw={"prompt_tokens": 10, "completion_tokens": 5, "cache_read_input_tokens": 11}, call=ModelCall())
@example(raw={"prompt_tokens": 10**400, "completion_tokens": -(10**400)}, call=ModelCall())
def test_any_usage_of_an_answer(raw: Any, call: ModelCall) -> None:
    """A usage of any form is sound or missing, and its price is not negative."""
    usage = usage_of(call, told(raw))

    if usage is not None:
        assert usage.input_tokens or usage.output_tokens
        assert_sound(usage)
        cost = charge(given_price({"input": 1.0, "output": 2.0}), usage)
        assert cost is None or (cost.amount >= 0 and not usage.unrated)


@settings(max_examples=300)
@given(raw=raws | host_usages)
def test_no_count_is_invented(raw: Any) -> None:
    """Every count is one that the usage holds; only an output that leaves the reasoning out is a sum."""
    usage = usage_from(raw)

    if usage is not None:
        held = numbers_in(raw)
        sums = {number + (usage.reasoning_tokens or 0) for number in held | {0}}
        for name in COUNTS:
            count = getattr(usage, name)
            assert count is None or count in held or (name == "output_tokens" and count in sums)


@given(raws=st.lists(raws | host_usages, max_size=5), call=calls)
def test_any_usages_of_a_stream(raws: list[Any], call: ModelCall) -> None:
    """The chunks of a stream give one sound usage, whose wholes are not below those of any chunk."""
    usage = stream_usage(call, [{"usage": raw} for raw in raws])
    alone = [found for raw in raws if (found := usage_of(call, told(raw))) is not None]

    assert bool(alone) is (usage is not None)
    if usage is not None:
        assert_sound(usage)
        assert (usage.input_tokens or 0) >= max(found.input_tokens or 0 for found in alone)
        assert (usage.output_tokens or 0) >= max(found.output_tokens or 0 for found in alone)


@given(st.lists(st.builds(Usage, *[st.none() | counts] * len(COUNTS)), min_size=1, max_size=5))
def test_merging_takes_the_largest(usages: list[Usage]) -> None:
    """Each count of the merged usage is the largest that was reported, and missing if none was."""
    reported = {name: [getattr(usage, name) for usage in usages] for name in COUNTS}

    merged = merge(usages)

    assert merged is not None
    for name, found in reported.items():
        assert getattr(merged, name) == max((count for count in found if count is not None), default=None)


@given(st.builds(Usage, *[st.none() | counts] * len(COUNTS)))
def test_contradictions_are_taken_out_once(usage: Usage) -> None:
    """What is left is sound, the wholes stay, and a usage without contradiction stays as it is."""
    before = Usage(**{name: getattr(usage, name) for name in COUNTS})

    after = without_contradictions(usage)

    assert_sound(after)
    assert (after.input_tokens, after.output_tokens) == (before.input_tokens, before.output_tokens)
    assert after.unrated or after == before
    assert without_contradictions(Usage(**{name: getattr(after, name) for name in COUNTS})).unrated is False
