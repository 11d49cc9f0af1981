"""`usageMetadata` of Gemini and Vertex AI: how the tokens of a call are told, and what beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from litespan.testing.reply import ServedUsage


@dataclass(frozen=True, slots=True)
class Metering:
    """What a wire tells beside the tokens of the reply.

    tool_prompts: input tokens that Google's own tools put in; told beside the prompt, part of the total.
    audio, images: prompt tokens of that modality; the rest is text.
    cached_audio: how many of the audio tokens came from the cache.
    made_images: output tokens that are an image.
    searches: queries that grounded the answer; they have a fee.
    traffic: how Vertex AI served the call, as in `ON_DEMAND`.
    """

    tool_prompts: int = 0
    audio: int = 0
    images: int = 0
    cached_audio: int = 0
    made_images: int = 0
    searches: tuple[str, ...] = field(default=())
    traffic: str | None = None

    def usage_metadata(self, usage: ServedUsage) -> dict[str, Any]:
        """Write the usage; the candidates' tokens leave out the thoughts, the prompt's those of tools."""
        prompt, made = usage.input_tokens - self.tool_prompts, usage.output_tokens - usage.reasoning_tokens
        fields = {
            "promptTokenCount": prompt,
            "candidatesTokenCount": made,
            "totalTokenCount": usage.total_tokens,
            "promptTokensDetails": _modalities(prompt, AUDIO=self.audio, IMAGE=self.images),
            "cachedContentTokenCount": usage.cache_read_tokens,
            "cacheTokensDetails": self._cached(usage),
            "candidatesTokensDetails": self._made(made),
            "thoughtsTokenCount": usage.reasoning_tokens,
            "toolUsePromptTokenCount": self.tool_prompts,
            "trafficType": self.traffic,
        }
        always = ("promptTokenCount", "candidatesTokenCount", "totalTokenCount", "promptTokensDetails")
        return {name: value for name, value in fields.items() if value or name in always}

    def grounding(self) -> Mapping[str, Any]:
        """Write what a candidate says of the searches that grounded it."""
        return {"groundingMetadata": {"webSearchQueries": list(self.searches)}} if self.searches else {}

    def _cached(self, usage: ServedUsage) -> list[dict[str, Any]]:
        """Split the cached tokens; told only where some are audio."""
        return _modalities(usage.cache_read_tokens, AUDIO=self.cached_audio) if self.cached_audio else []

    def _made(self, made: int) -> list[dict[str, Any]]:
        return _modalities(made, IMAGE=min(made, self.made_images)) if self.made_images else []


def expressible(usage: ServedUsage | None) -> ServedUsage | None:
    """Reduce a usage to what the wire can say: it knows no cache writes."""
    return None if usage is None else replace(usage, cache_write_tokens=0, cache_write_1h_tokens=0)


def share(usage: ServedUsage | None, index: int, count: int) -> ServedUsage | None:
    """Return what the event at `index` of `count` reports: the whole input, the output so far."""
    told = expressible(usage)
    if told is None:
        return None
    output, reasoning = told.output_tokens * index // count, told.reasoning_tokens * index // count
    return replace(told, output_tokens=output, reasoning_tokens=reasoning)


def _modalities(total: int, **others: int) -> list[dict[str, Any]]:
    counts = {"TEXT": total - sum(others.values()), **others}
    return [{"modality": name, "tokenCount": count} for name, count in counts.items() if count]
