"""The wrap of LiteLLM's public calls: one outer call is one model call, whatever happens inside.

No callbacks of LiteLLM are used: they run late, in other tasks, and some never run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from litespan.guard import guarded
from litespan.providers import provider_name, split_model
from litespan.records import ModelCall
from litespan.recorder import Position, Recorder
from litespan.sources import call_options, litellm_mapping, litellm_transport
from litespan.sources.litellm_call import OpenCall, current
from litespan.sources.litellm_stream import ResponsesReader, Stream, StreamReader, StreamState
from litespan.sources.patching import Patches

_MAX_REFUSALS: Final = 1000


@dataclass(frozen=True, slots=True)
class Entrance:
    """One public function of LiteLLM: its operation, and where its positional arguments go."""

    operation: str
    is_async: bool
    positional: tuple[str, ...]
    asks_for_usage: bool
    reader: Callable[[], StreamReader]


_CHAT: Final = ("model", "messages")
_PROMPT: Final = ("prompt", "model")
_INPUT: Final = ("model", "input")
_RESPONSES: Final = ("input", "model")

ENTRANCES: Final[Mapping[str, Entrance]] = {
    "acompletion": Entrance("chat", True, _CHAT, True, StreamReader),
    "completion": Entrance("chat", False, _CHAT, True, StreamReader),
    "atext_completion": Entrance("text_completion", True, _PROMPT, True, StreamReader),
    "text_completion": Entrance("text_completion", False, _PROMPT, True, StreamReader),
    "aembedding": Entrance("embeddings", True, _INPUT, False, StreamReader),
    "embedding": Entrance("embeddings", False, _INPUT, False, StreamReader),
    "aresponses": Entrance("chat", True, _RESPONSES, False, ResponsesReader),
    "responses": Entrance("chat", False, _RESPONSES, False, ResponsesReader),
}


class CallSource:
    """Watches LiteLLM's public calls for one recorder."""

    def __init__(self, litellm: Any, recorder: Recorder) -> None:
        self._litellm = litellm
        self._recorder = recorder
        self._patches = Patches()
        self._probing = False
        self._refusals: set[str] = set()
        self._providers = frozenset(str(getattr(p, "value", p)) for p in litellm.provider_list)

    def install(self) -> None:
        """Wrap the public calls, and LiteLLM's transport where the probe fits."""
        if self._recorder.settings.transport_probe:
            self._probing = litellm_transport.install(self._patches)
        for name, entrance in ENTRANCES.items():
            if hasattr(self._litellm, name):
                hook = self._async_hook(entrance) if entrance.is_async else self._sync_hook(entrance)
                self._patches.wrap(self._litellm, name, hook)

    def uninstall(self) -> None:
        """Put LiteLLM's own functions back."""
        self._patches.undo()

    # -- hooks ---------------------------------------------------------------------------------------------
    def _async_hook(self, entrance: Entrance) -> Callable[..., Any]:
        def hook(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
            if self._passes_through(kwargs, sys._getframe(1).f_globals.get("__name__", "")):
                return wrapped(*args, **kwargs)
            return self._acall(entrance, wrapped, args, kwargs)

        return hook

    def _sync_hook(self, entrance: Entrance) -> Callable[..., Any]:
        def hook(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
            if self._passes_through(kwargs, sys._getframe(1).f_globals.get("__name__", "")):
                return wrapped(*args, **kwargs)
            return self._call(entrance, wrapped, args, kwargs)

        return hook

    def _passes_through(self, kwargs: Mapping[str, Any], caller: str) -> bool:
        """Say whether a call is LiteLLM's own, made inside another one, and so not a call of the program.

        LiteLLM hands its logging object on when it calls itself (fallbacks, Responses over completion). Where
        it does not, an open call and the calling module tell. A Router's attempts are calls: each is billed.
        """
        if not self._patches.active or "litellm_logging_obj" in kwargs:
            return True
        outer = current.get()
        nested = caller.startswith("litellm.") and not caller.startswith("litellm.router")
        return outer is not None and not outer.closed and nested

    async def _acall(self, entrance: Entrance, wrapped: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        opened = self._open(entrance, args, kwargs)
        if opened is None:
            return await wrapped(*args, **kwargs)
        call, asking = opened
        try:
            with call:
                try:
                    response = await wrapped(*args, **(asking or kwargs))
                except Exception as error:
                    if not self._usage_refused(call, kwargs, error):
                        raise
                    response = await wrapped(*args, **kwargs)
        except BaseException as error:
            call.failed(error)
            raise
        return self._hand_over(entrance, call, response)

    def _call(self, entrance: Entrance, wrapped: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        opened = self._open(entrance, args, kwargs)
        if opened is None:
            return wrapped(*args, **kwargs)
        call, asking = opened
        try:
            with call:
                try:
                    response = wrapped(*args, **(asking or kwargs))
                except Exception as error:
                    if not self._usage_refused(call, kwargs, error):
                        raise
                    response = wrapped(*args, **kwargs)
        except BaseException as error:
            call.failed(error)
            raise
        return self._hand_over(entrance, call, response)

    # -- before the call -----------------------------------------------------------------------------------
    @guarded("call source")
    def _open(
        self, entrance: Entrance, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[OpenCall, dict[str, Any] | None] | None:
        """Begin a record; ``None`` where nothing shall be recorded. Also returns arguments that ask for usage."""
        if self._recorder.suppressed():
            return None
        position = self._recorder.locate()
        if position is not None and position.disabled and self._recorder.settings.follow_agents_tracing:
            return None
        named = {**dict(zip(entrance.positional, args, strict=False)), **kwargs}
        record = self._record(entrance, named, position)
        custom = record.litellm_provider in self._custom_providers()
        call = OpenCall(self._recorder, record, position, custom=custom, probing=self._probing)
        self._recorder.begin(record, self._parent(position))
        asking = self._ask_for_usage(entrance, record, kwargs)
        call.asked_for_usage = asking is not None
        return call, asking

    def _record(self, entrance: Entrance, named: Mapping[str, Any], position: Position | None) -> ModelCall:
        options = call_options.current.get()
        base_url = named.get("base_url") or named.get("api_base")
        host, port = litellm_mapping.server(base_url)
        provider, model = self._provider_and_model(named)
        record = ModelCall(
            operation=entrance.operation,
            provider=provider_name(provider, host),
            litellm_provider=provider,
            model=model,
            stream=bool(named.get("stream")),
            parameters=litellm_mapping.parameters(named),
            server_address=host,
            server_port=port,
            price=options.price if options is not None else None,
        )
        if position is not None:
            record.trace_id, record.span_id = position.trace_id, position.span_id
        allowed = (position is None or position.allows_content) and (
            options is None or options.capture_content is not False
        )
        record.captures_content = self._recorder.captures_content(allowed=allowed)
        if record.captures_content:
            record.input = named.get("messages") or named.get("prompt") or named.get("input")
            record.tools = named.get("tools")
        return record

    def _provider_and_model(self, named: Mapping[str, Any]) -> tuple[str | None, str | None]:
        model = named.get("model")
        if not isinstance(model, str):
            return None, None
        provider, bare = split_model(model, self._providers, named.get("custom_llm_provider"))
        if provider is None:
            # LiteLLM's own look-up prints to stdout for models that it does not know; its table does not.
            entry = self._litellm.model_cost.get(model)
            provider = entry.get("litellm_provider") if isinstance(entry, dict) else None
        return provider, bare

    def _parent(self, position: Position | None) -> Any:
        if position is not None and position.record is not None:
            return position.record
        outer = current.get()
        return outer.record if outer is not None else None

    def _custom_providers(self) -> set[str]:
        return {entry["provider"] for entry in self._litellm.custom_provider_map}

    # -- usage of streams ----------------------------------------------------------------------------------
    def _ask_for_usage(
        self, entrance: Entrance, record: ModelCall, kwargs: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Return arguments with the usage option of streams, or ``None`` where it shall not be added."""
        options = kwargs.get("stream_options") or {}
        if (
            not record.stream
            or not entrance.asks_for_usage
            or not self._recorder.settings.request_stream_usage
            or "include_usage" in options
            or self._endpoint(kwargs) in self._refusals
        ):
            return None
        asking = {**kwargs, "stream_options": {**options, "include_usage": True}}
        if self._litellm.cache is not None:
            # The option is part of LiteLLM's cache key; the key of the program's own request must be used.
            key = self._litellm.cache.get_cache_key(**kwargs)
            asking["litellm_params"] = {**(kwargs.get("litellm_params") or {}), "preset_cache_key": key}
        return asking

    @guarded("call source")
    def _usage_refused(self, call: OpenCall, kwargs: Mapping[str, Any], error: Exception) -> bool:
        """Say whether the provider refused only our asking; it is then not asked again."""
        if not call.asked_for_usage or not litellm_mapping.refuses_stream_usage(error):
            return False
        call.asked_for_usage = False
        if len(self._refusals) < _MAX_REFUSALS:
            self._refusals.add(self._endpoint(kwargs))
        return True

    def _endpoint(self, kwargs: Mapping[str, Any]) -> str:
        return f"{kwargs.get('base_url') or kwargs.get('api_base')} {kwargs.get('model')}"

    # -- after the call ------------------------------------------------------------------------------------
    def _hand_over(self, entrance: Entrance, call: OpenCall, response: Any) -> Any:
        if not call.record.stream or not (hasattr(response, "__anext__") or hasattr(response, "__next__")):
            call.returned(response)
            return response
        return self._proxy(entrance, call, response) or response

    @guarded("call source")
    def _proxy(self, entrance: Entrance, call: OpenCall, response: Any) -> Stream:
        return Stream(response, StreamState(call, response, entrance.reader()))
