"""Values of any kind for the fuzzer: plain ones that JSON can hold, odd ones, and objects that fail."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st


class HostileError(Exception):
    """Raised by a hostile object, whatever it is asked."""


class Hostile:
    """An object on which everything raises."""

    def __repr__(self, *_: object) -> str:
        raise HostileError

    __str__ = __bool__ = __len__ = __iter__ = __eq__ = __hash__ = __repr__  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        raise HostileError


class HostileText(str):
    """A text whose own methods fail."""

    __slots__ = ()

    def __str__(self, *_: object) -> str:
        raise HostileError

    __repr__ = isascii = strip = split = lower = __str__  # type: ignore[assignment]


# Names that requests, answers, chunks, span data and files of litespan's hosts use.
NAMES = (
    "_hidden_params", "additional_headers", "arguments", "audio", "cache_hit", "choices", "content",
    "cost", "data", "delta", "file", "finish_reason", "from_agent", "function", "headers", "id",
    "image_url", "index", "input", "item", "logprobs", "message", "messages", "metadata", "model",
    "model_config", "n", "name", "object", "output", "parts", "prompt_tokens", "prompt_tokens_details",
    "reasoning_content", "response", "response_format", "role", "seed", "server", "service_tier",
    "status", "stop", "stream", "system_fingerprint", "temperature", "text", "thinking_blocks",
    "to_agent", "tool_calls", "tools", "total_tokens", "triggered", "type", "url", "usage",
)  # fmt: skip
WORDS = (
    "", "assistant", "user", "tool", "system", "text", "image_url", "input_audio", "file", "tool_use",
    "tool_result", "function", "function_call", "reasoning", "response.completed", "message_start",
    "message_delta", "content_block_delta", "message_stop", "text_delta", "stop", "gpt-4o-mini",
    "data:image/png;base64,AAAA",
    "data:,%ff", "http://u:p@h:port/?q=1", "http://[::1", "\ud83d", "a\nb\r\0\x1b[31m", "x" * 3000,
    "1e999", "NaN",
    '{"a": 1}', "[" * 200, "9" * 5000,
)  # fmt: skip

texts = st.sampled_from(WORDS) | st.text(max_size=20)
numbers = (
    st.integers(-3, 300)
    | st.sampled_from([2**53 + 1, 2**63, -(2**63) - 1, 10**400])
    | st.builds(pow, st.just(10), st.just(5000))  # too many digits for Python to print
    | st.floats(allow_nan=True, allow_infinity=True)
)
scalars = st.none() | st.booleans() | numbers | texts
odd = (
    st.binary(max_size=8)
    | st.sampled_from([int, ..., 1j])
    | st.builds(object)
    | st.just({1, 2})
    | st.builds(Hostile)
    | st.builds(HostileText, texts)
)


def tree(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Make values of nested lists and mappings, whose names are mostly those that the hosts use."""
    names = st.sampled_from(NAMES)
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6),
        max_leaves=12,
    )


def as_object(value: Any) -> Any:
    """Turn mappings into objects with those attributes, all the way down."""
    if isinstance(value, dict):
        return SimpleNamespace(**{name: as_object(item) for name, item in value.items()})
    return [as_object(item) for item in value] if isinstance(value, list) else value


plain = tree(scalars)
plain_mappings = st.dictionaries(st.sampled_from(NAMES), plain, max_size=8)
any_values = tree(scalars | odd)
any_mappings = st.dictionaries(st.sampled_from(NAMES), any_values, max_size=8)
shaped = plain_mappings | plain_mappings.map(as_object)
any_shaped = any_mappings | any_mappings.map(as_object) | odd
