"""What the context says while a model call is open, so that one instrumentation tells it and no other does.

OpenTelemetry's own instrumentations (opentelemetry-util-genai 1.2b0 and newer) put a mutable object of a
class of theirs into the context around a call. One that finds such an object tells nothing itself and writes
its facts into it; whoever put it there tells the call. Traceloop's look for a truth value under a key of
their own. Neither package is imported here: what the program has not imported has nobody to keep still.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

import wrapt
from opentelemetry import context as otel_context
from opentelemetry.context import Context

from litespan import semconv
from litespan.emit.ended import error_of
from litespan.records import ModelCall

_PROTOCOL: Final = "opentelemetry.util.genai.invocation"
_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    semconv.CHAT: ("CLIENT_INFERENCE_CONTEXT_KEY", "InferenceData"),
    semconv.TEXT_COMPLETION: ("CLIENT_INFERENCE_CONTEXT_KEY", "InferenceData"),
    semconv.EMBEDDINGS: ("CLIENT_EMBEDDING_CONTEXT_KEY", "EmbeddingData"),
}
_TRACELOOP: Final = "opentelemetry.semconv_ai"
_TRACELOOP_KEY: Final = "suppress_language_model_instrumentation"
# What outer instrumentations have no field for.
_EXTRAS: Final = (f"{semconv.SCOPE}.", semconv.USAGE_COST_AMOUNT.removesuffix("amount"))


def protocol_known() -> bool:
    """Say whether the program has imported an opentelemetry-util-genai that can be kept still."""
    return _protocol(semconv.CHAT) is not None


def _protocol(operation: str) -> tuple[str, type[Any]] | None:
    """Return the context key of an operation and the class of what is under it, if both exist."""
    module = sys.modules.get(_PROTOCOL)
    names = _NAMES.get(operation)
    if module is None or names is None:
        return None
    key, kind = (getattr(module, name, None) for name in names)
    return (key, kind) if isinstance(key, str) and isinstance(kind, type) else None


class _Data(wrapt.ObjectProxy):  # type: ignore[type-arg]  # not generic before wrapt 2
    """litespan's object under the key: one of the wanted class as long as the call is open.

    A context outlives its call where it was copied, and LiteLLM runs callbacks in copies; calls made there
    are calls of their own.
    """


class _WhileOpen:
    """True until the call ends."""

    __slots__ = ("open",)

    def __init__(self) -> None:
        self.open = True

    def __bool__(self) -> bool:
        return self.open


class CallMarks:
    """What one call leaves in the context. ``outer`` is the object of an instrumentation that tells it."""

    __slots__ = ("_data", "_open", "_values", "outer")

    def __init__(self, protocol: tuple[str, type[Any]] | None, *, traceloop: bool) -> None:
        self.outer: Any = None
        self._data: _Data | None = None
        self._open: _WhileOpen | None = None
        self._values: dict[str, object] = {}
        if protocol is not None:
            self._join(*protocol)
        if traceloop:
            self._open = self._values[_TRACELOOP_KEY] = _WhileOpen()

    def _join(self, key: str, kind: type[Any]) -> None:
        found = otel_context.get_value(key)
        if isinstance(found, kind) and not isinstance(found, _Data):
            self.outer = self._values[key] = found
        else:
            self._data = self._values[key] = _Data(kind())

    def mark(self, context: Context) -> Context:
        """Return a context with the marks."""
        for key, value in self._values.items():
            context = otel_context.set_value(key, value, context)
        return context

    def close(self) -> None:
        """End the marks in every context that still holds them."""
        if self._data is not None:
            self._data.__wrapped__ = None
        if self._open is not None:
            self._open.open = False


def marks_of(operation: str) -> CallMarks | None:
    """Return the marks of a call that begins; ``None`` where nobody is imported who is to be kept still."""
    traceloop = _TRACELOOP in sys.modules
    protocol = _protocol(operation) if _PROTOCOL in sys.modules else None
    return CallMarks(protocol, traceloop=traceloop) if protocol is not None or traceloop else None


def tell(call: ModelCall, attributes: Mapping[str, Any], outer: Any) -> None:
    """Write the facts of a call into the object of the instrumentation that tells it.

    Content is left out: whether it may be told is for the other one to decide, from what it sees itself.
    """
    for name, value in _facts(call).items():
        if value is not None and hasattr(outer, name):
            setattr(outer, name, value)
    outer.attributes.update({name: value for name, value in attributes.items() if name.startswith(_EXTRAS)})


def _facts(call: ModelCall) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "operation_name": call.operation,
        "provider_name": call.provider,
        "request_model": call.model,
        "conversation_id": call.conversation_id,
        "server_address": call.server_address,
        "server_port": call.server_port,
        "error_type": error_of(call),
        "response_id": call.response_id,
        "response_model": call.response_model,
        "response_finish_reasons": list(call.finish_reasons) if call.finish_reasons else None,
        "request_stream": True if call.stream else None,
        "response_time_to_first_chunk": call.time_to_first_chunk,
    }
    if call.usage is not None:
        facts |= {
            "usage_input_tokens": call.usage.input_tokens,
            "usage_output_tokens": call.usage.output_tokens,
            "usage_cache_read_input_tokens": call.usage.cache_read_tokens,
            "usage_cache_write_input_tokens": call.usage.cache_write_tokens,
            "usage_reasoning_output_tokens": call.usage.reasoning_tokens,
        }
    return facts
