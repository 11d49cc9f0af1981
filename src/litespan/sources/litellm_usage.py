"""Usage as LiteLLM hands it over -> :class:`~litespan.records.Usage`: pure, and never inventing a number.

LiteLLM has already added Anthropic's cache reads and writes to ``prompt_tokens``, and most providers count
reasoning in ``completion_tokens``; only what the provider's own total shows to be left out is added here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from litespan.records import Usage, has_parts

_NOTHING: Final = MappingProxyType[str, Any]({})
_MAX_TOKENS: Final = 2**53  # more is no count, and exporters send no more than 2**63
_COUNTS: Final = frozenset({int, type(None)})

# Counts in the shapes of Chat Completions and Responses, and where LiteLLM puts those of other providers.
_OF_WHOLE: Final = (
    *("prompt_tokens", "input_tokens", "completion_tokens", "output_tokens"),
    *("cache_read_input_tokens", "cached_tokens", "cache_creation_input_tokens"),
)
_OF_INPUTS: Final = (
    *("cached_tokens", "cache_creation_tokens", "cache_write_tokens"),
    *("audio_tokens", "image_tokens"),
)
_OF_OUTPUTS: Final = ("reasoning_tokens", "audio_tokens")


def read(source: Any, name: str) -> Any:
    """Read ``name`` from a mapping or an object; ``None`` where it is absent."""
    if isinstance(source, dict):
        return source.get(name)
    return getattr(source, name, None)


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, and an empty one for what is none."""
    return value if isinstance(value, list) else []


def reader(source: Any) -> Callable[[str], Any]:
    """Return :func:`read` of one source, made for many reads.

    LiteLLM's answers are pydantic objects, and pydantic takes microseconds to say that one is absent.
    So their fields are read from where pydantic keeps them; private attributes and properties are not found.
    """
    if source is None:
        return _NOTHING.get
    if isinstance(source, dict):
        return source.get
    extra = getattr(source, "__pydantic_extra__", _NOTHING)
    if extra is _NOTHING:
        return partial(read, source)
    return {**extra, **vars(source)}.get if extra else vars(source).get


def hidden_of(source: Any) -> Any:
    """Return what LiteLLM keeps beside an answer, a stream or a chunk; ``None`` where it keeps nothing.

    In its pydantic objects that is a private attribute, for which pydantic looks in several places.
    """
    private = getattr(source, "__pydantic_private__", None)
    if isinstance(private, dict) and "_hidden_params" in private:
        return private["_hidden_params"]
    return read(source, "_hidden_params")


def tokens(value: Any) -> int | None:
    """Return a token count, or ``None`` for what is none: text, negative, fractional, absurdly large."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not 0 <= value <= _MAX_TOKENS or value != int(value):
        return None
    return int(value)


def _counts(found: Callable[[str], Any], names: Sequence[str]) -> Sequence[int | None]:
    """Return what :func:`tokens` returns for each name.

    Nearly always they are small numbers or nothing, which is seen of all of them in one look.
    """
    values = tuple(map(found, names))
    if _COUNTS.issuperset(map(type, values)):
        told = tuple(filter(None, values))
        if not told or (min(told) > 0 and max(told) <= _MAX_TOKENS):
            return values
    return tuple(map(tokens, values))


def _first(*counts: int | None) -> int | None:
    for count in counts:
        if count is not None:
            return count
    return None


class Told(NamedTuple):
    """What reads a usage (Chat Completions or Responses shape), and what reads its details of both sides."""

    whole: Callable[[str], Any]
    inputs: Callable[[str], Any]
    outputs: Callable[[str], Any]


def told(raw: Any) -> Told:
    """Return what reads the usage of a response or a chunk; of ``None``, what finds nothing."""
    whole = reader(raw)
    return Told(
        whole,
        reader(whole("prompt_tokens_details") or whole("input_tokens_details")),
        reader(whole("completion_tokens_details") or whole("output_tokens_details")),
    )


def usage_from(raw: Any) -> Usage | None:
    """Return the usage of a response or a chunk."""
    return None if raw is None else counts_of(told(raw))


def counts_of(said: Told) -> Usage | None:
    """Return the counts of a usage.

    All zeros is what LiteLLM fills in where the provider said nothing, so it is missing, not zero.
    """
    whole, inputs, outputs = said
    writes = inputs("cache_creation_token_details")
    # Together and Moonshot tell cache reads beside the counts: `beside`.
    prompt, input_, completion, output, read_whole, beside, written_whole = _counts(whole, _OF_WHOLE)
    cache_read, created, written, audio, image = _counts(inputs, _OF_INPUTS)
    reasoning, audio_output = _counts(outputs, _OF_OUTPUTS)
    usage = Usage(
        input_tokens=input_ if prompt is None else prompt,
        output_tokens=output if completion is None else completion,
        cache_read_tokens=_first(cache_read, read_whole, beside),
        cache_write_tokens=_first(created, written, written_whole),
        cache_write_1h_tokens=None if writes is None else tokens(read(writes, "ephemeral_1h_input_tokens")),
        reasoning_tokens=reasoning,
        audio_input_tokens=audio,
        audio_output_tokens=audio_output,
        image_input_tokens=image,
    )
    if usage.reasoning_tokens:
        _add_reasoning_told_apart(usage, tokens(whole("total_tokens")))
    return usage if usage.input_tokens or usage.output_tokens else None


def _add_reasoning_told_apart(usage: Usage, total: int | None) -> None:
    """Add the reasoning to an output that leaves it out: the provider's total then is the sum of all three.

    xAI counts so, and LiteLLM passes its counts on as they are.
    """
    output = (usage.output_tokens or 0) + (usage.reasoning_tokens or 0)
    if total == (usage.input_tokens or 0) + output:
        usage.output_tokens = output


def merge(usages: Iterable[Usage]) -> Usage | None:
    """Return the usage of a stream: providers send growing counts, so the largest of each is the last."""
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


def without_contradictions(usage: Usage) -> Usage:
    """Take out parts that are larger than their whole.

    Which of the two is wrong cannot be known, so rates per token do not give the cost of such a call.
    """
    if not has_parts(usage):
        return usage
    read_tokens, written = usage.cache_read_tokens or 0, usage.cache_write_tokens
    written_1h = usage.cache_write_1h_tokens or 0
    most_written = max(written or 0, written_1h)
    if _exceeds(usage.input_tokens, read_tokens, most_written) or _exceeds(written, written_1h):
        usage.cache_read_tokens = usage.cache_write_tokens = usage.cache_write_1h_tokens = None
        usage.unrated = True
    if _exceeds(usage.input_tokens, usage.audio_input_tokens, usage.image_input_tokens):
        usage.audio_input_tokens = usage.image_input_tokens = None
        usage.unrated = True
    if _exceeds(usage.output_tokens, usage.reasoning_tokens, usage.audio_output_tokens):
        usage.reasoning_tokens = usage.audio_output_tokens = None
        usage.unrated = True
    return usage


def _exceeds(whole: int | None, part: int | None, other: int | None = None) -> bool:
    return whole is not None and (part or 0) + (other or 0) > whole


def fill_cache_writes(raw: Any) -> None:
    """Tell the Agents SDK of cache writes.

    It reads ``prompt_tokens_details.cache_write_tokens``; LiteLLM fills ``cache_creation_tokens`` and leaves
    the other one empty. Can go when LiteLLM fills both.
    """
    details = read(raw, "prompt_tokens_details")
    if details is None or isinstance(details, dict):
        return
    found = reader(details)
    written = tokens(found("cache_creation_tokens"))
    if written and found("cache_write_tokens") is None:
        details.cache_write_tokens = written
