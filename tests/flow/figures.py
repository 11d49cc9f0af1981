"""One set of figures, read from every place that shows tokens, so that places can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from agents import Usage
from agents.tracing import GenerationSpanData, Span, Trace, TracingProcessor
from opentelemetry.sdk.trace import ReadableSpan

from litespan.testing import Capture, ServedUsage


class Tokens(NamedTuple):
    """Tokens by class; cache writes of both lifetimes together."""

    input: int
    output: int
    cache_read: int
    cache_write: int
    reasoning: int


def of_provider(served: ServedUsage) -> Tokens:
    """Return what a provider served."""
    return Tokens(
        served.input_tokens,
        served.output_tokens,
        served.cache_read_tokens,
        served.cache_write_tokens + served.cache_write_1h_tokens,
        served.reasoning_tokens,
    )


def of_spans(spans: Iterable[ReadableSpan]) -> Tokens:
    """Add up the usage on OpenTelemetry spans."""
    names = (
        "input_tokens",
        "output_tokens",
        "cache_read.input_tokens",
        "cache_creation.input_tokens",
        "reasoning.output_tokens",
    )
    attributes = [span.attributes or {} for span in spans]
    return Tokens(*(sum(int(str(a.get(f"gen_ai.usage.{name}", 0))) for a in attributes) for name in names))


def of_metrics(capture: Capture) -> Tokens:
    """Read the token counters."""
    names = (
        "input_tokens",
        "output_tokens",
        "cache_read.input_tokens",
        "cache_write.input_tokens",
        "reasoning.output_tokens",
    )
    return Tokens(*(int(capture.total(f"gen_ai.client.inference.usage.{name}")) for name in names))


def of_run(usage: Usage) -> Tokens:
    """Read the Agents SDK's own sum over a run, ``context_wrapper.usage``."""
    return Tokens(
        usage.input_tokens,
        usage.output_tokens,
        usage.input_tokens_details.cached_tokens,
        usage.input_tokens_details.cache_write_tokens,
        usage.output_tokens_details.reasoning_tokens,
    )


class Generations(TracingProcessor):
    """Another tracing processor of the program: keeps the generation spans as the Agents SDK ends them."""

    def __init__(self) -> None:
        self.ended: list[GenerationSpanData] = []

    @property
    def tokens(self) -> Tokens:
        """Add up the usage on the ended generation spans."""
        usages = [data.usage or {} for data in self.ended]

        def total(name: str, details: str | None = None) -> int:
            return sum((u.get(details, {}) if details else u).get(name, 0) for u in usages)

        return Tokens(
            total("input_tokens"),
            total("output_tokens"),
            total("cached_tokens", "input_tokens_details"),
            total("cache_write_tokens", "input_tokens_details"),
            total("reasoning_tokens", "output_tokens_details"),
        )

    def on_span_end(self, span: Span[Any]) -> None:
        """Keep a generation span's data."""
        if isinstance(span.span_data, GenerationSpanData):
            self.ended.append(span.span_data)

    def on_span_start(self, span: Span[Any]) -> None:
        """Do nothing."""

    def on_trace_start(self, trace: Trace) -> None:
        """Do nothing."""

    def on_trace_end(self, trace: Trace) -> None:
        """Do nothing."""

    def shutdown(self) -> None:
        """Do nothing."""

    def force_flush(self) -> None:
        """Do nothing."""


def calls(capture: Capture, **attributes: Any) -> int:
    """Return the number of model calls that the metrics count."""
    return int(capture.total("litespan.calls", **attributes))
