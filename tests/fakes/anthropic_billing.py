"""The usage of Anthropic messages: what they tell of tokens and fees, at the start and at the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from litespan.testing.reply import ServedUsage


@dataclass(frozen=True, slots=True)
class Billing:
    """What a wire tells beside the tokens of the reply.

    searches: web searches by Anthropic's own tool, each with a fee. A stream learns only at its end of the
        input that they found.
    inference_geo: where the model ran; a single country has a surcharge.
    terse: the end of a stream tells the output tokens alone, as servers of other makers do.
    """

    searches: int = 0
    inference_geo: str | None = None
    terse: bool = False

    def first(self, usage: ServedUsage | None) -> ServedUsage | None:
        """Return what a stream knows at its start: the input, and the first output token."""
        if usage is None:
            return None
        found = _fresh(usage) // 2 if self.searches else 0
        return replace(usage, input_tokens=usage.input_tokens - found, output_tokens=1, reasoning_tokens=0)

    def whole(self, usage: ServedUsage | None, tier: str | None) -> dict[str, Any]:
        """Write the usage of a message that is no stream."""
        return {} if usage is None else {"usage": {**_full(usage, tier), **self._place(), **self._tools()}}

    def start(self, usage: ServedUsage | None, tier: str | None) -> dict[str, Any]:
        """Write the usage of `message_start`."""
        return {} if usage is None else {"usage": {**_full(usage, tier), **self._place()}}

    def end(self, usage: ServedUsage | None) -> dict[str, Any]:
        """Write the usage of `message_delta`: the sums up to then, without the lifetimes."""
        if usage is None:
            return {}
        counts = {"output_tokens": usage.output_tokens} if self.terse else _counts(usage)
        return {"usage": {**counts, **self._tools()}}

    def _place(self) -> dict[str, Any]:
        return {"inference_geo": self.inference_geo} if self.inference_geo else {}

    def _tools(self) -> dict[str, Any]:
        return {"server_tool_use": {"web_search_requests": self.searches}} if self.searches else {}


def expressible(usage: ServedUsage | None) -> ServedUsage | None:
    """Reduce a usage to what the wire can say: it does not count reasoning apart."""
    return None if usage is None else replace(usage, reasoning_tokens=0)


def _full(usage: ServedUsage, tier: str | None) -> dict[str, Any]:
    lifetimes = {
        "ephemeral_5m_input_tokens": usage.cache_write_tokens,
        "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens,
    }
    return {**_counts(usage), "cache_creation": lifetimes, "service_tier": tier or "standard"}


def _counts(usage: ServedUsage) -> dict[str, int]:
    """Write the counts; `input_tokens` leave out the cache parts."""
    return {
        "input_tokens": _fresh(usage),
        "cache_creation_input_tokens": usage.cache_write_tokens + usage.cache_write_1h_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "output_tokens": usage.output_tokens,
    }


def _fresh(usage: ServedUsage) -> int:
    written = usage.cache_write_tokens + usage.cache_write_1h_tokens
    return usage.input_tokens - usage.cache_read_tokens - written
