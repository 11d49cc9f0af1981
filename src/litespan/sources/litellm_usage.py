"""Usage as LiteLLM hands it over -> :class:`~litespan.records.Usage`: pure, and never inventing a number.

LiteLLM has already added Anthropic's cache reads and writes to ``prompt_tokens`` and reasoning to
``completion_tokens``; nothing is added here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from litespan.records import Usage


def read(source: Any, name: str) -> Any:
    """Read ``name`` from a mapping or an object; ``None`` where it is absent."""
    if isinstance(source, dict):
        return source.get(name)
    return getattr(source, name, None)


def tokens(value: Any) -> int | None:
    """Return a token count, or ``None`` for what is none: text, negative, fractional, not a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if value != value or value in (float("inf"), float("-inf")) or value < 0 or value != int(value):
        return None
    return int(value)


def _first(*values: Any) -> int | None:
    return next((count for count in map(tokens, values) if count is not None), None)


def usage_from(raw: Any) -> Usage | None:
    """Return the usage of a response or a chunk (Chat Completions or Responses shape).

    All zeros is what LiteLLM fills in where the provider said nothing, so it is missing, not zero.
    """
    if raw is None:
        return None
    inputs = read(raw, "prompt_tokens_details") or read(raw, "input_tokens_details")
    outputs = read(raw, "completion_tokens_details") or read(raw, "output_tokens_details")
    writes = read(inputs, "cache_creation_token_details")
    usage = Usage(
        input_tokens=_first(read(raw, "prompt_tokens"), read(raw, "input_tokens")),
        output_tokens=_first(read(raw, "completion_tokens"), read(raw, "output_tokens")),
        cache_read_tokens=_first(read(inputs, "cached_tokens"), read(raw, "cache_read_input_tokens")),
        cache_write_tokens=_first(
            read(inputs, "cache_creation_tokens"),
            read(inputs, "cache_write_tokens"),
            read(raw, "cache_creation_input_tokens"),
        ),
        cache_write_1h_tokens=_first(read(writes, "ephemeral_1h_input_tokens")),
        reasoning_tokens=_first(read(outputs, "reasoning_tokens")),
        audio_input_tokens=_first(read(inputs, "audio_tokens")),
        audio_output_tokens=_first(read(outputs, "audio_tokens")),
        image_input_tokens=_first(read(inputs, "image_tokens")),
    )
    return usage if usage.input_tokens or usage.output_tokens else None


def merge(usages: Iterable[Usage]) -> Usage | None:
    """Return the usage of a stream: providers send growing counts, so the largest of each field is the last."""
    merged: Usage | None = None
    for usage in usages:
        if merged is None:
            merged = usage
            continue
        for field in fields(Usage):
            if field.name == "complete":
                continue
            counts = [c for c in (getattr(merged, field.name), getattr(usage, field.name)) if c is not None]
            setattr(merged, field.name, max(counts) if counts else None)
    return merged


def fill_cache_writes(raw: Any) -> None:
    """Tell the Agents SDK of cache writes.

    It reads ``prompt_tokens_details.cache_write_tokens``; LiteLLM fills ``cache_creation_tokens`` and leaves
    the other one empty. Can go when LiteLLM fills both.
    """
    details = read(raw, "prompt_tokens_details")
    written = tokens(read(details, "cache_creation_tokens"))
    if written and not isinstance(details, dict) and read(details, "cache_write_tokens") is None:
        details.cache_write_tokens = written
