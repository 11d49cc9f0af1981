"""LiteLLM's requests and responses -> fields of a :class:`~litespan.records.ModelCall`.

Pure functions; they read the host's objects and change none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from operator import is_
from typing import Any, Final
from urllib.parse import urlsplit

from litespan.labels import MAX_ITEMS, AttributeValue, as_attribute, as_name
from litespan.price_table import number
from litespan.records import ModelCall
from litespan.sources.litellm_failures import failure_told
from litespan.sources.litellm_own_cost import own_cost
from litespan.sources.litellm_quirks import note_google, note_tools, usage_of
from litespan.sources.litellm_usage import hidden_of, read, reader, told
from litespan.sources.model_names import model_name

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
_ALL_PARAMETERS: Final = (
    *_PARAMETERS,
    "max_completion_tokens",
    "max_tokens",
    "n",
    "stop",
    "reasoning_effort",
    "response_format",
    "encoding_format",
)
_MOCKS: Final = ("mock_response", "mock_tool_calls", "mock_timeout")
_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_FAILED: Final = "failed"  # the status of an answer that the Responses API could not make

_is_none: Final = partial(is_, None)


def parameters(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request parameters as they were sent, those that the conventions name."""
    if all(map(_is_none, map(kwargs.get, _ALL_PARAMETERS))):
        return {}  # the most frequent case
    found = {name: _number_or_text(kwargs.get(name)) for name in _PARAMETERS}
    found["max_tokens"] = _number_or_text(kwargs.get("max_completion_tokens", kwargs.get("max_tokens")))
    choices = kwargs.get("n")
    found["n"] = _number_or_text(choices) if isinstance(choices, int) and choices != 1 else None
    found["stop"] = _texts(kwargs.get("stop"))
    found["reasoning_effort"] = as_name(kwargs.get("reasoning_effort"))
    found["output_type"] = _output_type(kwargs.get("response_format"))
    found["encoding_formats"] = _texts(as_name(kwargs.get("encoding_format")))
    return {name: value for name, value in found.items() if value is not None}


def is_mocked(kwargs: Mapping[str, Any]) -> bool:
    """Say whether a request asks LiteLLM to make the answer up instead of sending it to a provider."""
    return any(map(kwargs.get, _MOCKS))


def table_entry(kwargs: Mapping[str, Any], provider: str | None) -> Mapping[str, Any] | None:
    """Return the prices that a call brings along; ``None`` where they do not tell what its tokens cost.

    They are its arguments, or stand in the ``model_info`` of the Router's deployment that it is for. LiteLLM
    1.83 puts both into its table, newer versions only take them for their own sum.
    """
    prices = _prices(kwargs) or _prices(kwargs.get("model_info"))
    return None if prices is None else {"litellm_provider": provider, **prices}


def _prices(given: Any) -> Mapping[str, Any] | None:
    if not isinstance(given, Mapping) or given.get("input_cost_per_token") is None:
        return None
    if given.get("output_cost_per_token") is None:
        return None
    return {name: value for name, value in given.items() if "cost" in name}


def _number_or_text(value: Any) -> Any:
    """Return a number or text as an attribute can carry it; ``None`` for what is neither."""
    return None if isinstance(value, bool) else as_attribute(value) if _is_scalar(value) else None


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (int, float, str))


def _texts(value: Any) -> AttributeValue | None:
    """Return one text or several as a tuple of texts; ``None`` for what is neither."""
    listed = [value] if isinstance(value, str) else value if isinstance(value, (list, tuple)) else ()
    return as_attribute([text for text in listed if isinstance(text, str)]) or None


def _output_type(response_format: Any) -> str | None:
    if response_format is None:
        return None
    kind = read(response_format, "type")
    return "text" if kind == "text" else "json"


def server(url: Any) -> tuple[str | None, int | None]:
    """Return host and port of a base URL; user-info, path and query are left out."""
    return _host_and_port(url) if isinstance(url, str) else (None, None)


@lru_cache(maxsize=256)
def _host_and_port(url: str) -> tuple[str | None, int | None]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None, None
    if host is None:
        return None, None
    return as_name(host), port or _PORTS.get(parts.scheme)


def fill_from_response(call: ModelCall, response: Any) -> None:
    """Write down what a whole response says: id, model, finish reasons, usage, cost of a gateway.

    One that tells of a failure leaves it on the call; whoever ends the call makes it a failed one.
    """
    hidden = hidden_of(response)
    found = reader(response)
    usage = told(found("usage"))
    call.cache_hit = from_cache(hidden)
    call.response_id = as_name(found("id"))
    call.service_tier = as_name(found("service_tier"))
    call.system_fingerprint = as_name(found("system_fingerprint"))
    status = found("status")
    call.finish_reasons = _finish_reasons(found("choices"), status)
    if status == _FAILED:
        call.failure = failure_told(found("error"))
    if call.litellm_provider is None:
        call.litellm_provider = provider_in(hidden)
    call.response_model = _own_name(found("model"), call.litellm_provider)
    call.usage = usage_of(call, usage)
    note_google(call, hidden)
    if (output := found("output")) is not None:
        note_tools(call, output)
    fill_from_hidden(call, hidden, usage.whole)


def from_cache(hidden: Any) -> bool:
    """Say whether a whole answer came from LiteLLM's own cache.

    LiteLLM marks it where it keeps its notes in a dict. Those of text completions are an object, which only
    names the key of the entry (litellm 1.83.0).
    """
    if isinstance(hidden, dict):
        return hidden.get("cache_hit") is True
    if hidden is None:
        return False
    return read(hidden, "cache_hit") is True or as_name(read(hidden, "cache_key")) is not None


def provider_in(hidden: Any) -> str | None:
    """Return the provider as LiteLLM found it, for calls that do not name it."""
    return as_name(read(hidden, "custom_llm_provider"))


def fill_from_hidden(call: ModelCall, hidden: Any, in_usage: Callable[[str], Any]) -> None:
    """Write down what LiteLLM keeps beside a response or stream: a gateway's own cost in USD.

    ``in_usage`` reads the usage, which may tell it, too.
    """
    header = number(read(read(hidden, "additional_headers"), "llm_provider-x-litellm-response-cost"))
    own = own_cost(in_usage, hidden)
    # A proxy may add to what its provider says. OpenRouter has no header: LiteLLM puts its fee in that place.
    told = own if call.litellm_provider == "openrouter" else header or own
    call.provider_cost = told or call.provider_cost


def _finish_reasons(choices: Any, status: Any) -> tuple[str, ...] | None:
    """Return one finish reason per choice, or the status of a Responses API answer."""
    if isinstance(choices, list) and choices:
        if len(choices) == 1:
            reason = as_name(read(choices[0], "finish_reason"))
            return (reason,) if reason else None
        reasons = [reason for c in choices if (reason := as_name(read(c, "finish_reason")))]
        return tuple(reasons[:MAX_ITEMS]) or None
    return (status,) if (status := as_name(status)) else None


def _own_name(model: Any, litellm_provider: str | None) -> str | None:
    """Return a model's name as its provider has it: LiteLLM puts its own name of the provider before some."""
    name = model_name(model)
    return name.removeprefix(f"{litellm_provider}/") if name else None
