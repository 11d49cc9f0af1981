"""The model object that opens a span: found on the stack, because the Agents SDK's span does not hold it.

A response span tells nothing of its request, and a generation span not whether it streams. The span is
opened inside ``get_response`` or ``stream_response`` of a ``Model``, whose arguments tell. Reading the stack
is private access (tried with openai-agents 0.24.0); where nothing is found, these facts are unknown. It can
go when span data hold the request.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import FrameType, MappingProxyType
from typing import Any, Final, NamedTuple

from agents import (
    CodeInterpreterTool,
    FileSearchTool,
    ImageGenerationTool,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    ShellTool,
    WebSearchTool,
)
from agents.models.interface import Model, ModelTracing
from openai import AsyncAzureOpenAI

from litespan.providers import provider_of_any_llm, provider_of_host
from litespan.sources.litellm_mapping import server
from litespan.sources.model_names import model_name

_STREAMING: Final = {"get_response": False, "stream_response": True}
_MAX_FRAMES: Final = 24
_ANY_LLM_MODULE: Final = "agents.extensions.models.any_llm_model"
_BILLED_TOOLS: Final = (WebSearchTool, FileSearchTool, CodeInterpreterTool, ImageGenerationTool)
_SETTINGS: Final = ("temperature", "top_p", "max_tokens", "frequency_penalty", "presence_penalty")


class Caller(NamedTuple):
    """What the model object says of a call. ``provider`` is LiteLLM's name, ``settings`` what is sent.

    ``known``: the model is one of the SDK's own, so the other facts hold. ``allows_content`` is the run's
    switch for sensitive data, ``offers_billed_tools`` says that the model may use tools of the provider for
    which it takes a fee; both of any model.
    """

    known: bool = False
    allows_content: bool | None = None
    model: str | None = None
    provider: str | None = None
    base_url: str | None = None
    streams: bool = False
    settings: Mapping[str, Any] = MappingProxyType({})
    offers_billed_tools: bool = False


def find() -> Caller:
    """Return what is known of the model that is opening a span in this very call."""
    frame = _frame_of_model()
    return _caller(frame.f_locals, streams=_STREAMING[frame.f_code.co_name]) if frame else Caller()


def is_running() -> bool:
    """Say whether a model is being asked, or its stream read, in this very call."""
    return _frame_of_model() is not None


def _frame_of_model() -> FrameType | None:
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001
    for _ in range(_MAX_FRAMES):
        if frame is None:
            break
        if frame.f_code.co_name in _STREAMING and isinstance(frame.f_locals.get("self"), Model):
            return frame
        frame = frame.f_back
    return None


def _caller(found: Mapping[str, Any], *, streams: bool) -> Caller:
    model: Any = found["self"]
    tracing = _tracing(found)
    allows = tracing.include_data() if tracing is not None else None
    billed = _has_billed_tools(found.get("tools"))
    settings = {**_sent(found.get("model_settings")), **_output_type(found.get("output_schema"))}
    if isinstance(model, (OpenAIChatCompletionsModel, OpenAIResponsesModel)):
        url = _base_url(model)
        name = model_name(model.model) if _names_model(model, found) else None
        return Caller(True, allows, name, _provider(model, url), url, streams, settings, billed)
    if _is_any_llm(model):
        provider, slash, name = (model_name(model.model) or "").partition("/")
        provider, name = (provider, name) if slash else ("openai", provider)
        url = model.base_url
        return Caller(True, allows, name, provider_of_any_llm(provider), url, streams, settings, billed)
    return Caller(allows_content=allows, offers_billed_tools=billed)


def _has_billed_tools(tools: Any) -> bool:
    return isinstance(tools, (list, tuple)) and any(map(_is_billed, tools))


def _is_billed(tool: Any) -> bool:
    """Say whether the provider takes a fee for a tool; a shell without an executor runs with the provider."""
    return isinstance(tool, _BILLED_TOOLS) or (isinstance(tool, ShellTool) and tool.executor is None)


def _tracing(found: Mapping[str, Any]) -> ModelTracing | None:
    """Return the run's tracing switch, under whatever name the model takes it, ``*args`` included."""
    for value in found.values():
        inside = (
            value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
        )
        for candidate in inside:
            if isinstance(candidate, ModelTracing):
                return candidate
    return None


def _names_model(model: Any, found: Mapping[str, Any]) -> bool:
    """Say whether the request names the model: one that is the SDK's default leaves it to a stored prompt."""
    return found.get("prompt") is None or getattr(model, "_model_is_explicit", True)


def _base_url(model: Any) -> str | None:
    """Return where the client sends; the websocket model says so in a place of its own."""
    client = getattr(model, "_client", None)
    url = getattr(client, "websocket_base_url", None) if hasattr(model, "_websocket_options") else None
    url = url or getattr(client, "base_url", None)
    return str(url) if url is not None else None


def _provider(model: Any, url: str | None) -> str:
    client = getattr(model, "_client", None)
    return provider_of_host(server(url)[0]) or ("azure" if isinstance(client, AsyncAzureOpenAI) else "openai")


def _is_any_llm(model: object) -> bool:
    """Say whether a model is any-llm's, which is not imported unless the program has."""
    kind = getattr(sys.modules.get(_ANY_LLM_MODULE), "AnyLLMModel", None)
    return isinstance(kind, type) and isinstance(model, kind)


def _sent(settings: Any) -> dict[str, Any]:
    """Return the settings that the SDK sends, under the names of Chat Completions."""
    sent = {name: getattr(settings, name, None) for name in _SETTINGS}
    sent["reasoning_effort"] = getattr(getattr(settings, "reasoning", None), "effort", None)
    extra = getattr(settings, "extra_args", None)
    return {**sent, **extra} if isinstance(extra, Mapping) else sent


def _output_type(schema: Any) -> dict[str, Any]:
    plain = getattr(schema, "is_plain_text", None)
    return {"response_format": {"type": "json_schema"}} if callable(plain) and not plain() else {}
