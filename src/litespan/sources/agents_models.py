"""The Agents SDK's generation and response spans -> fields of a :class:`~litespan.records.ModelCall`. Pure.

Both hold what OpenAI's APIs answer, in the shapes that LiteLLM uses too. What the SDK fills in for what a
provider did not say is not reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from litespan import records
from litespan.labels import as_name
from litespan.providers import provider_name, provider_of_any_llm, provider_of_host
from litespan.records import ModelCall, Usage
from litespan.sources import litellm_answer
from litespan.sources import litellm_failures as failures
from litespan.sources import litellm_mapping as mapping
from litespan.sources.agents_caller import Caller
from litespan.sources.litellm_usage import read, usage_from, without_contradictions
from litespan.sources.model_names import model_name

GENERATION: Final = "generation"
RESPONSE: Final = "response"

# The types of the SDK's spans for one model call.
MODEL_SPANS: Final = frozenset({GENERATION, RESPONSE})

_DETAILS: Final = ("cache_read_tokens", "cache_write_tokens", "reasoning_tokens")


def is_litellm(data: Any) -> bool:
    """Say whether a span is that of the SDK's LiteLLM adapter."""
    return data.type == GENERATION and config_of(data).get("model_impl") == "litellm"


def config_of(data: Any) -> Mapping[str, Any]:
    """Return a generation span's model configuration, empty where there is none."""
    config = getattr(data, "model_config", None)
    return config if type(config) is dict or isinstance(config, Mapping) else {}  # the first is told faster


def begin(data: Any, caller: Caller) -> ModelCall:
    """Return the record of a model span that begins."""
    config = config_of(data)
    host, port = mapping.server(config.get("base_url") or caller.base_url)
    provider = caller.provider or _provider(config, host)
    return ModelCall(
        operation="chat",
        provider=provider_name(provider, host),
        litellm_provider=provider,
        model=caller.model or _model(data, config),
        stream=caller.streams,
        parameters=mapping.parameters(caller.settings if caller.known else _settings(config)),
        server_address=host,
        server_port=port,
        host_span=True,
        host_allows_content=caller.allows_content,
        offers_billed_tools=caller.offers_billed_tools,
    )


def _provider(config: Mapping[str, Any], host: str | None) -> str | None:
    name = as_name(config.get("provider"))
    if config.get("model_impl") == "any-llm" and name is not None:
        return provider_of_any_llm(name)
    return provider_of_host(host)


def _model(data: Any, config: Mapping[str, Any]) -> str | None:
    name = model_name(read(data, "model"))
    if name is None:
        return None
    return name.removeprefix(f"{config.get('provider')}/") if config.get("model_impl") == "any-llm" else name


def _settings(config: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**config, "reasoning_effort": read(config.get("reasoning"), "effort")}


def arrived_whole(data: Any) -> bool:
    """Say whether the whole answer had come: the SDK fills these in when it has, and not before."""
    return read(data, "response") is not None or data.usage is not None


def complete(call: ModelCall, data: Any) -> None:
    """Write down what the SDK knows at the span's end: the answer, as far as it keeps it, and the usage."""
    response = read(data, "response")
    if response is not None:
        mapping.fill_from_response(call, response)
        if call.failure is not None:
            call.outcome = records.ERROR
    else:
        call.usage = reported(data.usage)
        # The answer, which tells whether they were used, is not on the span of a run that keeps content out.
        if call.usage is not None and call.offers_billed_tools:
            call.usage.unrated = True
        if data.type == RESPONSE:
            call.response_id = as_name(data.export().get("response_id"))
    call.usage_missing_reason = failures.missing_reason(call)


def reported(raw: Any) -> Usage | None:
    """Return the usage on a span; the SDK writes 0 for every detail that the provider left out."""
    usage = usage_from(raw)
    if usage is not None:
        for name in _DETAILS:
            setattr(usage, name, getattr(usage, name) or None)
    return None if usage is None else without_contradictions(usage)


def keep_content(call: ModelCall, data: Any) -> None:
    """Write down what was said."""
    response = read(data, "response")
    call.captures_content = True
    call.input = litellm_answer.messages(
        {"input": data.input, "instructions": read(response, "instructions")}
    )
    call.output = read(response, "output") if response is not None else _output(read(data, "output"))
    call.tools = read(response, "tools")


def _output(output: Any) -> Any:
    """Return messages or items: of a stream the SDK keeps one response, which it has put together."""
    first = output[0] if isinstance(output, (list, tuple)) and output else None
    return read(first, "output") if read(first, "object") == "response" else output
