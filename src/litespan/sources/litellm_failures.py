"""LiteLLM's exceptions and failed answers -> why a call failed, and why its usage did not arrive.

Pure functions; they read the host's objects and change none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from http import HTTPStatus
from itertools import islice
from typing import Any, Final

from litespan import records
from litespan.records import Failure, ModelCall, exception_type
from litespan.sources.litellm_usage import read

# What the Responses API says of `background=True`, where an answer has its finish reason.
_UNDER_WAY: Final = (("queued",), ("in_progress",))
_MAX_CODE: Final = 64
_MAX_DIGITS: Final = 6  # of a number of attempts
_STATUSES: Final = range(100, 1000)
_MAX_CAUSES: Final = 32

# Exceptions, by class name, with which HTTP clients report that an answer broke off.
_CUT: Final = frozenset(
    {
        "ClientPayloadError",
        "ConnectionResetError",
        "IncompleteRead",
        "ReadError",
        "RemoteProtocolError",
        "ServerDisconnectedError",
        "TransferEncodingError",
    }
)
_TIMEOUTS: Final = frozenset({"APITimeoutError", "Timeout", "TimeoutError"})


def failure_from(error: BaseException, *, with_message: bool, cut: bool = False) -> Failure:
    """Return what may be said of an exception. Its text may quote content, so it is kept only if allowed.

    A cut stream fails as one that LiteLLM ends without an exception: which of them raise depends on its
    version, and the HTTP status that it then names never came.
    """
    if cut:
        message = str(error) if with_message else None
        return Failure(type=records.INCOMPLETE, exception=type(error).__name__, message=message)
    status = read(error, "status_code")
    code = _provider_code(error, status)
    return Failure(
        type=code or exception_type(type(error)),
        exception=type(error).__name__,
        status=status if isinstance(status, int) and status in _STATUSES else None,
        code=code,
        message=str(error) if with_message else None,
    )


def _provider_code(error: BaseException, status: Any) -> str | None:
    """Return the provider's own error code.

    LiteLLM's exception has none, or the HTTP status in its place; the HTTP client's exception below has it.
    Causes with another status are what the program was handling when it made the call.
    """
    for cause in chain(error):
        code, body = read(cause, "code"), read(cause, "body")
        if code is None and isinstance(body, dict):
            code = body.get("code") or body.get("type")
        if _is_code(code) and read(cause, "status_code") == status:
            return str(code)
    return None


def _is_code(code: Any) -> bool:
    """Say whether a value is one of a provider's error codes: words, which no text with content is."""
    usable = isinstance(code, str) and len(code) <= _MAX_CODE and code.replace("_", "").isalnum()
    return usable and not code.isdigit()


def failure_told(error: Any) -> Failure:
    """Return why a provider says, in an answer of status 200, that it failed."""
    code = read(error, "code")
    return Failure(type=str(code) if _is_code(code) else records.OTHER_FAILURE)


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what caused it, each once."""
    seen: set[int] = set()
    pending: list[Any] = [error]
    while pending and len(seen) < _MAX_CAUSES:
        current = pending.pop(0)
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            pending += [current.__cause__, current.__context__, read(current, "original_exception")]


def was_cut(error: BaseException) -> bool:
    """Say whether an exception of a stream means that the connection broke."""
    return any(type(cause).__name__ in _CUT for cause in chain(error))


def was_warning(error: BaseException) -> bool:
    """Say whether an exception is a warning that the program has made an error."""
    return any(isinstance(cause, Warning) for cause in chain(error))


def missing_reason(call: ModelCall) -> str | None:
    """Return why a call's usage did not arrive, or not whole; ``None`` where nothing is missing.

    ``call`` has ended: its outcome, failure and usage are what they stay.
    """
    if call.cache_hit or call.mocked or call.usage_elsewhere:
        return None
    reason = None if call.usage is not None and call.usage.complete else _reason_of_end(call)
    return reason or (records.LOST_ATTEMPT if call.lost_attempts else None)


def _reason_of_end(call: ModelCall) -> str | None:
    if call.outcome == records.ERROR:
        doubt = billing_doubt(call.failure)
        if doubt == records.TIMEOUT or (doubt and call.timed_out):
            return records.TIMEOUT  # who gave up waiting may have to pay, also for what a retry was refused
        if call.refused:
            return None  # LiteLLM calls some refusals, as Ollama's, lost connections
        # Of one break LiteLLM makes this exception or that, also for one provider.
        return records.CONNECTION if doubt and call.cut else doubt
    if call.outcome != records.OK:
        return call.outcome
    return records.BACKGROUND if call.finish_reasons in _UNDER_WAY else records.NOT_REPORTED


def billing_doubt(failure: Failure | None) -> str | None:
    """Return why a failed call may have been billed all the same; ``None`` if the provider refused it."""
    if failure is None or failure.status is None:
        return records.ERROR
    if failure.exception in _TIMEOUTS:
        return records.TIMEOUT
    # LiteLLM gives status 500 to what never was an answer: lost connections and bodies that it cannot read.
    lost = failure.exception in ("APIConnectionError", "MidStreamFallbackError")
    return records.CONNECTION if lost else None


def has_timed_out(error: BaseException) -> bool:
    """Say whether an exception means that an answer did not come in time.

    LiteLLM takes a failure whose text has the number 429 for a refusal, as that of a timeout of 0.429 s.
    The exception below has the status that it gives to timeouts (litellm 1.83.0 to 1.110.2).
    """
    if type(error).__name__ in _TIMEOUTS:
        return True
    statuses = (read(cause, "status_code") for cause in chain(error))
    told = list(islice((status for status in statuses if isinstance(status, int)), 2))
    return told == [HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT]


def was_cancelled(error: BaseException) -> bool:
    """Say whether the program itself stopped the call."""
    return isinstance(error, (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit))


def attempts_from(error: BaseException) -> int | None:
    """Return the number of HTTP attempts where the openai client's own retry counter is in the chain."""
    for cause in chain(error):
        # httpx's exceptions have a property of that name, which raises where there is no request.
        headers = read(vars(cause).get("request"), "headers")
        count = read(headers, "get") and headers.get("x-stainless-retry-count")
        if isinstance(count, str) and count.isdecimal() and len(count) <= _MAX_DIGITS:
            return int(count) + 1
    return None
