"""The event emitter: one log record per model call, with its content as values, through the API only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry._logs import Logger, LogRecord, SeverityNumber

from litespan import semconv
from litespan.emit.call_attributes import call_kind
from litespan.emit.spans import SpanInContext
from litespan.labels import AttributeValue
from litespan.records import ModelCall, Record
from litespan.semconv import Generation

_CONTENT: Final = (
    semconv.SYSTEM_INSTRUCTIONS, semconv.INPUT_MESSAGES, semconv.OUTPUT_MESSAGES, semconv.TOOL_DEFINITIONS,
)  # fmt: skip
_INFERENCE: Final = (semconv.CHAT, semconv.TEXT_COMPLETION)
_LARGEST_INT: Final = 2**63


class EventEmitter:
    """Tells each inference call as an event: the attributes of its span, and its content where captured.

    Events do not depend on spans: they are told of calls that are not sampled too. Embeddings have none, nor
    have calls that another instrumentation tells. ``constant``: attributes of all events, as of all spans.
    """

    def __init__(
        self, logger: Logger, generation: Generation, *, constant: Mapping[str, AttributeValue]
    ) -> None:
        self._logger = logger
        self._kind = call_kind(generation, content=True)
        self._constant = constant

    def began(self, record: Record) -> None:
        """Do nothing: an event is told once, when the call has ended."""

    def ended(self, record: Record) -> None:
        """Emit the event of a call, in the context of its span."""
        if not isinstance(record, ModelCall) or record.operation not in _INFERENCE or record.told_elsewhere:
            return
        handle = record.handle
        self._logger.emit(
            LogRecord(
                timestamp=record.end_ns,
                context=handle.context if isinstance(handle, SpanInContext) else None,
                severity_number=SeverityNumber.DEBUG,
                severity_text="DEBUG",
                attributes=self._attributes(record),
                event_name=semconv.INFERENCE_DETAILS,
            )
        )

    def hears_began(self, kind: type[Record]) -> bool:
        """No event is told of a beginning."""
        return False

    def hears_ended(self, kind: type[Record]) -> bool:
        """Events are told of model calls."""
        return kind is ModelCall

    def _attributes(self, call: ModelCall) -> dict[str, Any]:
        attributes: dict[str, Any] = {**self._constant, **self._kind.start(call), **self._kind.end(call)}
        for name in _CONTENT:
            if name in attributes:
                attributes[name] = structured(attributes[name])
        return attributes


def structured(text: str) -> Any:
    """Return the value of a JSON text in the form that a log record can carry.

    OTLP has integers of 64 bits; larger ones become text.
    """
    return json.loads(text, parse_int=_int)


def _int(digits: str) -> int | str:
    number = int(digits)
    return number if -_LARGEST_INT <= number < _LARGEST_INT else digits
