"""What LiteLLM's streams say: one reader per kind of stream, from chunks to the fields of a record."""

from __future__ import annotations

from typing import Any, Final

from litespan import records
from litespan.labels import as_name
from litespan.providers import without_route
from litespan.sources import litellm_answer
from litespan.sources import litellm_failures as failures
from litespan.sources import litellm_mapping as mapping
from litespan.sources.litellm_quirks import note_google, stream_usage
from litespan.sources.litellm_usage import as_list, hidden_of, read, reader, usage_from
from litespan.sources.model_names import model_name

# LiteLLM's providers whose streams look the same whether the provider's finish reason came or not.
_FINISH_UNKNOWN: Final = frozenset({"gemini", "vertex_ai", "vertex_ai_beta", "cached_response"})

_GENERATORS: Final = 3  # that LiteLLM puts around a stream, at most


class StreamReader:
    """Reads LiteLLM's chat streams (``CustomStreamWrapper``).

    ``shows_asking``: the usage option changes chunks, so that :meth:`hide_asking` is to be called with each.
    """

    shows_asking = False

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
        choices = getattr(chunk, "choices", None)
        if not isinstance(choices, list) or not choices:
            return False
        # LiteLLM's choices have it among pydantic's extra fields, whose attribute access is slow.
        extra = getattr(choices[0], "__pydantic_extra__", None)
        if extra is not None and "finish_reason" in extra:
            return extra["finish_reason"] is not None
        return read(choices[0], "finish_reason") is not None

    def is_usage_only(self, chunk: Any) -> bool:
        """Say whether a chunk is the extra one that carries the usage."""
        return read(chunk, "usage") is not None and not any(
            read(choice, "finish_reason")
            or read(choice, "text")
            or read(read(choice, "delta"), "content")
            or read(read(choice, "delta"), "tool_calls")
            for choice in as_list(read(chunk, "choices"))
        )

    def has_usage(self, inner: Any) -> bool:
        """Say whether the provider sent a usage so far."""
        chunks = read(inner, "chunks") or ()
        return any(usage_from(read(chunk, "usage")) is not None for chunk in chunks)

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
        hidden = hidden_of(inner)
        cached = read(inner, "custom_llm_provider") == "cached_response"
        record.cache_hit = cached or read(hidden, "cache_hit") is True
        record.litellm_provider = record.litellm_provider or mapping.provider_in(hidden)
        record.usage = None if record.cache_hit else stream_usage(record, chunks)
        note_google(record, hidden)
        reason = read(inner, "received_finish_reason") or read(inner, "intermittent_finish_reason")
        record.finish_reasons = (reason,) if (reason := as_name(reason)) else None
        record.response_id = as_name(read(inner, "response_id"))
        for chunk in chunks:
            record.response_model = record.response_model or model_name(read(chunk, "model"))
            record.service_tier = record.service_tier or as_name(read(chunk, "service_tier"))
        if record.response_model is not None:  # LiteLLM leaves its own word in front, as in "invoke/…"
            provider = record.litellm_provider or ""
            record.response_model = without_route(provider, record.response_model)
        record.system_fingerprint = as_name(read(inner, "system_fingerprint"))
        mapping.fill_from_hidden(record, hidden, reader(read(chunks[-1], "usage") if chunks else None))
        if record.captures_content:
            record.output = litellm_answer.choices_of(chunks)


class _InGenerators:
    """Stands for a chat stream that lives in generators of LiteLLM, as one of their variables.

    The one for an endpoint of its own exists only from the first chunk on (tried with litellm 1.83.0). Where
    it cannot be found, no attribute of it is there, and the usage is missing.
    """

    def __init__(self, generator: Any) -> None:
        self._generator = generator
        self._found: Any = None

    def __getattr__(self, name: str) -> Any:
        """Read an attribute of the chat stream."""
        return getattr(self.find(), name)

    def find(self) -> Any:
        """Return the chat stream; ``None`` as long as there is none."""
        if self._found is None:
            self._found = _chat_stream_in(self._generator)
        return self._found


def _chat_stream_in(generator: Any) -> Any:
    for _ in range(_GENERATORS):
        variables = getattr(_frame(generator), "f_locals", {})
        stream = variables.get("streamwrapper", variables.get("response"))
        if stream is None or read(stream, "chunks") is not None:
            return stream
        generator = stream
    return None


def _frame(generator: Any) -> Any:
    return read(generator, "ag_frame") or read(generator, "gi_frame")


class TextReader(StreamReader):
    """Reads text completion streams: a chat stream, each chunk of which LiteLLM converts for the program."""

    shows_asking = True

    def __init__(self) -> None:
        self._zeros = True
        self._inside: _InGenerators | None = None

    def source(self, stream: Any) -> Any:
        """Return the chat stream inside. An answer from LiteLLM's cache has no layer around it."""
        # LiteLLM 1.109 notes who asked, and gives others no usage instead of zeros.
        self._zeros = not hasattr(stream, "usage_injected_by_proxy")
        if read(stream, "chunks") is not None:
            return stream
        inside = read(stream, "completion_stream")
        if _frame(inside) is None:
            return inside
        self._inside = _InGenerators(inside)
        return self._inside

    def is_last(self, chunk: Any) -> bool:
        """Say whether a chunk ends a choice; find the chat stream while its generators run."""
        if self._inside is not None:
            self._inside.find()
        return super().is_last(chunk)

    def hide_asking(self, chunk: Any) -> None:
        """Give a chunk the zeros that LiteLLM 1.83 fills in when nobody asks: programs may count on them."""
        if self._zeros and hasattr(chunk, "usage") and chunk.usage is None:
            chunk.usage = type(chunk)().usage


class ResponsesReader(StreamReader):
    """Reads streams of the Responses API: events, of which the last one holds the whole response."""

    def __init__(self) -> None:
        self._response: Any = None
        self._error: Any = None

    def is_last(self, chunk: Any) -> bool:
        """Say whether an event ends the response; keep the response or the error that it holds."""
        kind = read(chunk, "type")
        if kind in ("response.completed", "response.incomplete", "response.failed"):
            self._response = read(chunk, "response")
            return True
        if kind == "error":  # some versions of LiteLLM keep what it says one level deeper
            self._error = read(chunk, "error") or chunk
            return True
        return False

    def is_usage_only(self, chunk: Any) -> bool:
        """Events never come only for the usage."""
        return False

    def arrived_whole(self, inner: Any, *, finished: bool) -> bool:
        """Say whether the last event came."""
        return finished

    def fill(self, record: records.ModelCall, inner: Any) -> None:
        """Write down what the last event said."""
        if self._error is not None:
            record.failure = failures.failure_told(self._error)
        if self._response is None:  # of a stream that only LiteLLM itself reads, it keeps the last event
            self._response = read(read(inner, "completed_response"), "response")
        if self._response is None:
            return
        mapping.fill_from_response(record, self._response)
        if record.captures_content:
            record.output = litellm_answer.choices(self._response)
