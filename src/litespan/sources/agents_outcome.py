"""How an Agents SDK span ended: outcome and failure.

The SDK sets ``span.error`` in some cases only, and without the exception. But it ends its spans while the
exception is on its way out, so the interpreter still knows it.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Final

from agents import exceptions

from litespan import records
from litespan.records import Failure, Record, ToolCall, exception_type

_TRIPWIRES: Final = tuple(
    kind
    for name in (
        "InputGuardrailTripwireTriggered",
        "OutputGuardrailTripwireTriggered",
        "ToolInputGuardrailTripwireTriggered",
        "ToolOutputGuardrailTripwireTriggered",
    )
    if (kind := getattr(exceptions, name, None)) is not None
)
_STOPPED: Final = (asyncio.CancelledError, KeyboardInterrupt, SystemExit)

# Messages of ``span.error`` where the SDK ends the span without an exception (streamed runs).
_BLOCKED_MESSAGE: Final = "Guardrail tripwire triggered"
_ERROR_TYPES: Final = {"Max turns exceeded": exceptions.MaxTurnsExceeded}


def handled_now() -> int | None:
    """Return the identity of the exception that is being handled here, if any."""
    error = sys.exc_info()[1]
    return id(error) if error is not None else None


def settle(record: Record, span_error: Any) -> None:
    """Set outcome and failure of a record that ends now."""
    error = sys.exc_info()[1]
    if error is not None and id(error) != record.handling:
        _from_exception(record, error)
    elif span_error:
        _from_span_error(record, span_error)


def _from_exception(record: Record, error: BaseException) -> None:
    if isinstance(error, _TRIPWIRES):
        record.outcome = records.BLOCKED
    elif isinstance(error, _STOPPED):
        record.outcome = records.CANCELLED
    elif isinstance(error, GeneratorExit):
        record.outcome = records.ABANDONED
    else:
        record.outcome = records.ERROR
        record.failure = Failure(type=exception_type(type(error)), exception=type(error).__name__)


def _from_span_error(record: Record, span_error: Any) -> None:
    message = span_error.get("message") if isinstance(span_error, dict) else None
    if message == _BLOCKED_MESSAGE:
        record.outcome = records.BLOCKED
        return
    record.outcome = records.ERROR
    kind = _ERROR_TYPES.get(message) if isinstance(message, str) else None
    if kind is not None:
        record.failure = Failure(type=exception_type(kind), exception=kind.__name__)
    else:
        other = "tool_error" if isinstance(record, ToolCall) else records.OTHER_FAILURE
        record.failure = Failure(type=other)
