"""LiteLLM's requests, responses, chunks and exceptions -> fields of a :class:`~litespan.records.ModelCall`.

Pure functions; they read the host's objects and change none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from litespan.records import Failure, ModelCall, Usage
from litespan.sources.litellm_usage import merge, read, usage_from

_PARAMETERS: Final = (
    "temperature",
    "top_p",
    "top_k",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "service_tier",
    "dimensions",
)
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


def parameters(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request parameters as they were sent, those that the conventions name."""
    found = {name: kwargs[name] for name in _PARAMETERS if _scalar(kwargs.get(name))}
    max_tokens = kwargs.get("max_completion_tokens", kwargs.get("max_tokens"))
    if _scalar(max_tokens):
        found["max_tokens"] = max_tokens
    choices = kwargs.get("n")
    if isinstance(choices, int) and choices != 1:
        found["n"] = choices
    stop = kwargs.get("stop")
    if stop is not None:
        found["stop"] = (stop,) if isinstance(stop, str) else tuple(str(s) for s in stop)
    effort = kwargs.get("reasoning_effort")
    if isinstance(effort, str):
        found["reasoning_effort"] = effort
    output_type = _output_type(kwargs.get("response_format"))
    if output_type is not None:
        found["output_type"] = output_type
    if isinstance(kwargs.get("encoding_format"), str):
        found["encoding_formats"] = (kwargs["encoding_format"],)
    return found


def _scalar(value: Any) -> bool:
    return isinstance(value, (int, float, str)) and not isinstance(value, bool)


def _output_type(response_format: Any) -> str | None:
    if response_format is None:
        return None
    kind = read(response_format, "type")
    return "text" if kind == "text" else "json"


def server(url: Any) -> tuple[str | None, int | None]:
    """Return host and port of a base URL; user-info, path and query are left out."""
    if not isinstance(url, str):
        return None, None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None, None
    if host is None:
        return None, None
    return host, port or {"http": 80, "https": 443}.get(parts.scheme)


def fill_from_response(call: ModelCall, response: Any) -> None:
    """Write down what a whole response says: id, model, finish reasons, usage, cost of a gateway."""
    hidden = read(response, "_hidden_params") or {}
    call.cache_hit = read(hidden, "cache_hit") is True
    call.response_id = _text(read(response, "id"))
    call.response_model = _text(read(response, "model"))
    call.service_tier = _text(read(response, "service_tier"))
    call.system_fingerprint = _text(read(response, "system_fingerprint"))
    call.finish_reasons = finish_reasons(response)
    call.usage = usage_from(read(response, "usage"))
    if call.usage is None and not call.cache_hit:
        call.usage_missing_reason = "not_reported"
    fill_from_hidden(call, hidden, read(response, "usage"))


def fill_from_hidden(call: ModelCall, hidden: Any, raw_usage: Any = None) -> None:
    """Write down what LiteLLM keeps beside a response or stream: provider and a gateway's own cost in USD."""
    provider = _text(read(hidden, "custom_llm_provider"))
    if provider and call.litellm_provider is None:
        call.litellm_provider = provider
    headers = read(hidden, "additional_headers") or {}
    for value in (
        read(headers, "llm_provider-x-litellm-response-cost"),
        read(raw_usage, "cost"),
    ):
        cost = _number(value)
        if cost:
            call.provider_cost = cost
            return


def finish_reasons(response: Any) -> tuple[str, ...] | None:
    """Return one finish reason per choice, or the status of a Responses API answer."""
    choices = read(response, "choices")
    if isinstance(choices, list) and choices:
        reasons = tuple(str(read(c, "finish_reason")) for c in choices if read(c, "finish_reason"))
        return reasons or None
    status = _text(read(response, "status"))
    return (status,) if status else None


def stream_usage(chunks: Any) -> Usage | None:
    """Return the usage that the provider sent in a stream's chunks; LiteLLM's own estimates are not in them."""
    found = (usage_from(read(chunk, "usage")) for chunk in chunks or ())
    return merge(usage for usage in found if usage is not None)


def failure_from(error: BaseException, *, with_message: bool) -> Failure:
    """Return what may be said of an exception. Its text may quote content, so it is kept only if allowed."""
    status = read(error, "status_code")
    code = read(error, "code")
    body = read(error, "body")
    if not isinstance(code, (str, int)) and isinstance(body, dict):
        code = body.get("code") or body.get("type")
    code = str(code) if isinstance(code, (str, int)) and not isinstance(code, bool) else None
    return Failure(
        type=code if code and len(code) <= 64 and code.replace("_", "").isalnum() else class_name(error),
        exception=type(error).__name__,
        status=status if isinstance(status, int) else None,
        code=code if code and len(code) <= 64 else None,
        message=str(error) if with_message else None,
    )


def class_name(error: BaseException) -> str:
    """Return the qualified class name of an exception; builtins go without their module."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what caused it, each once."""
    seen: set[int] = set()
    pending: list[Any] = [error]
    while pending and len(seen) < 32:
        current = pending.pop(0)
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            pending += [current.__cause__, current.__context__, read(current, "original_exception")]


def was_cut(error: BaseException) -> bool:
    """Say whether an exception of a stream means that the connection broke."""
    return any(type(cause).__name__ in _CUT for cause in chain(error))


def unbilled_doubt(failure: Failure | None) -> str | None:
    """Return why a failed call may have been billed all the same; ``None`` if the provider itself refused it."""
    if failure is None or failure.status is None:
        return "error"
    if failure.exception in ("Timeout", "APITimeoutError"):
        return "timeout"
    # LiteLLM gives status 500 to what never was an answer: lost connections and bodies that it cannot read.
    return "connection" if failure.exception in ("APIConnectionError", "MidStreamFallbackError") else None


def was_cancelled(error: BaseException) -> bool:
    """Say whether the program itself stopped the call."""
    return isinstance(error, (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit))


def refuses_stream_usage(error: BaseException) -> bool:
    """Say whether a provider rejected the request because it does not know the usage option of streams.

    LiteLLM's exception has no ``param`` and no ``code`` in this case; only the text tells.
    """
    if read(error, "status_code") not in (400, 422):
        return False
    text = str(error)
    return "stream_options" in text or "include_usage" in text


def attempts_from(error: BaseException) -> int | None:
    """Return the number of HTTP attempts where the openai client's own retry counter is in the chain."""
    for cause in chain(error):
        headers = read(read(cause, "request"), "headers")
        count = read(headers, "get") and headers.get("x-stainless-retry-count")
        if isinstance(count, str) and count.isdigit():
            return int(count) + 1
    return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number < float("inf") else None
