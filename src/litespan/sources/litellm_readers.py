"""What LiteLLM's streams say: one reader per kind of stream, from chunks to the fields of a record."""

from __future__ import annotations

from typing import Any, Final

from litespan import records
from litespan.sources import litellm_answer
from litespan.sources import litellm_mapping as mapping
from litespan.sources.litellm_usage import read, usage_from

# LiteLLM's providers whose streams look the same whether the provider's finish reason came or not.
_FINISH_UNKNOWN: Final = frozenset({"gemini", "vertex_ai", "vertex_ai_beta", "cached_response"})


class StreamReader:
    """Reads LiteLLM's chat streams (``CustomStreamWrapper``)."""

    def whole(self, response: Any) -> Any:
        """Return an answer that is no stream, in a shape that :mod:`litellm_mapping` reads."""
        return response

    def source(self, stream: Any) -> Any:
        """Return the object that keeps what the provider sent."""
        return stream

    def hide_asking(self, chunk: Any) -> None:
        """Give a chunk what only the usage option took from it."""

    def is_last(self, chunk: Any) -> bool:
        """Say whether a chunk ends a choice."""
        choices = chunk.choices
        if not choices:
            return False
        # LiteLLM's choices have it among pydantic's extra fields, whose attribute access is slow.
        extra = getattr(choices[0], "__pydantic_extra__", None)
        if extra is not None and "finish_reason" in extra:
            return extra["finish_reason"] is not None
        return choices[0].finish_reason is not None

    def is_usage_only(self, chunk: Any) -> bool:
        """Say whether a chunk is the extra one that carries the usage."""
        return read(chunk, "usage") is not None and not any(
            read(choice, "finish_reason")
            or read(choice, "text")
            or read(read(choice, "delta"), "content")
            or read(read(choice, "delta"), "tool_calls")
            for choice in chunk.choices
        )

    def reported_usage(self, inner: Any) -> records.Usage | None:
        """Return the usage that the provider sent so far."""
        return mapping.stream_usage(read(inner, "chunks"))

    def arrived_whole(self, inner: Any, *, finished: bool) -> bool:
        """Say whether the provider's finish reason came.

        LiteLLM ends a cut stream with a finish reason of its own, so the chunks do not tell. For Gemini its
        state is the same either way; there only the transport probe knows.
        """
        if inner is None or read(inner, "custom_llm_provider") in _FINISH_UNKNOWN:
            return finished
        return read(inner, "received_finish_reason") is not None

    def fill(self, record: records.ModelCall, inner: Any) -> None:
        """Write down what the chunks said."""
        chunks = read(inner, "chunks") or ()
        hidden = read(inner, "_hidden_params")
        cached = read(inner, "custom_llm_provider") == "cached_response"
        record.cache_hit = cached or read(hidden, "cache_hit") is True
        record.usage = (
            None
            if record.cache_hit
            else mapping.without_estimates(mapping.stream_usage(chunks), record.litellm_provider)
        )
        if record.usage is None and not record.cache_hit:
            record.usage_missing_reason = "not_reported"
        reason = read(inner, "received_finish_reason") or read(inner, "intermittent_finish_reason")
        record.finish_reasons = (str(reason),) if reason else None
        record.response_id = read(inner, "response_id")
        for chunk in chunks:
            record.response_model = record.response_model or read(chunk, "model")
            record.service_tier = record.service_tier or read(chunk, "service_tier")
        record.system_fingerprint = read(inner, "system_fingerprint")
        mapping.fill_from_hidden(record, hidden, chunks and read(chunks[-1], "usage"))
        if record.captures_content:
            record.output = litellm_answer.choices_of(chunks)


class TextReader(StreamReader):
    """Reads text completion streams: a chat stream, each chunk of which LiteLLM converts for the program."""

    def source(self, stream: Any) -> Any:
        """Return the chat stream inside, or ``None`` where it cannot be found: the usage is then missing.

        An answer from LiteLLM's cache has no layer around it. The one of an awaited stream is a generator,
        and the chat stream is among its arguments (tried with litellm 1.83.0).
        """
        if read(stream, "chunks") is not None:
            return stream
        inside = read(stream, "completion_stream")
        frame = read(inside, "ag_frame")
        return inside if frame is None else frame.f_locals.get("response")

    def hide_asking(self, chunk: Any) -> None:
        """Give a chunk the zero usage that it has when nobody asks: programs may count on its presence."""
        if chunk.usage is None:
            chunk.usage = type(chunk)().usage


class ResponsesReader(StreamReader):
    """Reads streams of the Responses API: events, of which the last one holds the whole response."""

    def __init__(self) -> None:
        self._response: Any = None

    def is_last(self, chunk: Any) -> bool:
        """Say whether an event ends the response; keep the response that it holds."""
        if read(chunk, "type") in ("response.completed", "response.incomplete", "response.failed"):
            self._response = read(chunk, "response")
            return True
        return False

    def is_usage_only(self, chunk: Any) -> bool:
        """Events never come only for the usage."""
        return False

    def reported_usage(self, inner: Any) -> records.Usage | None:
        """Return the usage of the last event."""
        return usage_from(read(self._response, "usage"))

    def arrived_whole(self, inner: Any, *, finished: bool) -> bool:
        """Say whether the last event came."""
        return finished

    def fill(self, record: records.ModelCall, inner: Any) -> None:
        """Write down what the last event said."""
        if self._response is None:
            record.usage_missing_reason = "not_reported"
        else:
            mapping.fill_from_response(record, self._response)
            if record.captures_content:
                record.output = litellm_answer.choices(self._response)
