"""A trace processor that keeps what the SDK's tracing says, as an exporter of another vendor would see it."""

from __future__ import annotations

from typing import Any

from agents.tracing import GenerationSpanData, Span, Trace, TracingProcessor


class SpanLog(TracingProcessor):
    """Keeps the ended spans."""

    def __init__(self) -> None:
        self.ended: list[Span[Any]] = []

    def on_trace_start(self, trace: Trace) -> None:
        """Nothing to note."""

    def on_trace_end(self, trace: Trace) -> None:
        """Nothing to note."""

    def on_span_start(self, span: Span[Any]) -> None:
        """Nothing to note: what a span says is known at its end."""

    def on_span_end(self, span: Span[Any]) -> None:
        """Keep the span."""
        self.ended.append(span)

    def shutdown(self) -> None:
        """Nothing to stop."""

    def force_flush(self) -> None:
        """Nothing to send."""

    @property
    def generations(self) -> list[GenerationSpanData]:
        """The data of the ended generation spans."""
        return [span.span_data for span in self.ended if isinstance(span.span_data, GenerationSpanData)]

    @property
    def generation(self) -> GenerationSpanData:
        """The data of the one generation span that there is."""
        (only,) = self.generations
        return only
