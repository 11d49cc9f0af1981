"""The wrap of LiteLLM's public calls: one outer call is one model call, whatever happens inside.

No callbacks of LiteLLM are used: they run late, in other tasks, and some never run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any, Final

from litespan.guard import guarded, guarded_one
from litespan.labels import as_name
from litespan.position import Position
from litespan.providers import provider_name, split_model
from litespan.recorder import Recorder
from litespan.records import OK, ModelCall, Record
from litespan.sources import (
    call_options,
    litellm_answer,
    litellm_detours,
    litellm_estimates,
    litellm_mapping,
    litellm_secrets,
    litellm_stream_usage,
    litellm_threads,
    litellm_traffic,
    litellm_transport,
)
from litespan.sources.litellm_bedrock import BEDROCK, asks_for_long_cache_writes
from litespan.sources.litellm_call import OpenCall, current
from litespan.sources.litellm_entrances import Entrance, found_in
from litespan.sources.litellm_inner import FALLBACKS, Inner, is_stream
from litespan.sources.litellm_proxies import observed
from litespan.sources.litellm_stream import StreamState, stop_asking
from litespan.sources.litellm_stream_usage import StreamUsage
from litespan.sources.litellm_usage import hidden_of, read
from litespan.sources.lookout import Lookout
from litespan.sources.model_names import model_name
from litespan.sources.patching import Patches, calling_module

_NONE: Final[AbstractSet[str]] = frozenset()

# A program calls few models, again and again.
_split_model: Final = lru_cache(maxsize=1024)(split_model)
_provider_name: Final = lru_cache(maxsize=1024)(provider_name)


class CallSource:
    """Watches LiteLLM's public calls for one recorder."""

    def __init__(self, litellm: Any, recorder: Recorder, lookout: Lookout) -> None:
        self._litellm = litellm
        self._recorder = recorder
        self._lookout = lookout
        self._patches = Patches()
        self._probing = False
        self._stream_usage = StreamUsage(litellm, recorder.settings)
        self._providers = frozenset(str(getattr(p, "value", p)) for p in litellm.provider_list)

    def install(self) -> None:
        """Wrap the public calls, and LiteLLM's transport where the probe fits."""
        if self._recorder.settings.transport_probe:
            self._probing = litellm_transport.install(self._patches)
        for owner, name, entrance in found_in(self._litellm):
            hook = self._async_hook(name, entrance) if entrance.is_async else self._sync_hook(entrance)
            self._patches.wrap(owner, name, hook)
        litellm_detours.install(self._litellm, self._patches)
        litellm_threads.install(self._litellm, self._patches)
        litellm_traffic.install(self._patches)
        litellm_estimates.install(self._patches)
        litellm_stream_usage.install(self._patches)

    def uninstall(self) -> None:
        """Put LiteLLM's own functions back."""
        self._patches.undo()

    # -- hooks ---------------------------------------------------------------------------------------------
    def _async_hook(self, name: str, entrance: Entrance) -> Callable[..., Any]:
        def hook(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
            module = calling_module() or ""
            if self._is_call_of_program(kwargs, module):
                coroutine: Any = self._acall(entrance, wrapped, args, kwargs)
                # Python says it of a coroutine that nobody awaited, and tools that list tasks do.
                coroutine.__name__ = coroutine.__qualname__ = name
                return coroutine
            outer = self._handed_on(entrance, kwargs, module)
            if outer is None:
                return wrapped(*args, **kwargs)
            return self._ainside(outer, entrance, wrapped(*args, **kwargs))

        return hook

    def _sync_hook(self, entrance: Entrance) -> Callable[..., Any]:
        def hook(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
            module = calling_module() or ""
            if self._is_call_of_program(kwargs, module):
                return self._call(entrance, wrapped, args, kwargs)
            outer = self._handed_on(entrance, kwargs, module)
            if outer is None:
                return wrapped(*args, **kwargs)
            before = outer.inner
            response = wrapped(*args, **kwargs)
            self._note_answer(outer, before, entrance, response)
            return response

        return hook

    @guarded("call source")
    def _is_call_of_program(self, kwargs: Mapping[str, Any], module: str) -> bool:
        """Say whether a call is the program's: not LiteLLM's own, made inside another one.

        LiteLLM hands its logging object on when it calls itself (fallbacks, Responses over completion). Where
        it does not, an open call and the calling module tell. A Router's attempts are calls: each is billed.
        """
        if not self._patches.active or "litellm_logging_obj" in kwargs:
            return False
        outer = current.get()
        if outer is None or outer.closed:
            return True
        return not module.startswith("litellm.") or module.startswith("litellm.router")

    # -- calls inside a call -------------------------------------------------------------------------------
    @guarded("call source")
    def _handed_on(self, entrance: Entrance, kwargs: Mapping[str, Any], module: str) -> OpenCall | None:
        """Return the open call that LiteLLM hands on to another function, or to another model."""
        outer = current.get()
        if outer is None or outer.closed or "litellm_logging_obj" not in kwargs:
            return None
        if module == FALLBACKS:
            asked = self._record(entrance, kwargs, None)
            secrets = _secrets(kwargs) if outer.record.captures_content else None
            outer.ask_another(asked, secrets, custom=asked.litellm_provider in self._custom_providers())
        return outer

    async def _ainside(self, outer: OpenCall, entrance: Entrance, called: Awaitable[Any]) -> Any:
        before = outer.inner
        response = await called
        self._note_answer(outer, before, entrance, response)
        return response

    @guarded("call source")
    def _note_answer(self, outer: OpenCall, before: Inner | None, entrance: Entrance, response: Any) -> None:
        """Keep the answer of a call inside, unless it has come from one further inside."""
        if outer.inner is before and not outer.closed:
            outer.inner = Inner(entrance.reader(), response)

    # -- calls of the program ------------------------------------------------------------------------------
    async def _acall(self, entrance: Entrance, wrapped: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        call = self._open(entrance, wrapped, args, kwargs)
        if call is None:
            return await wrapped(*args, **kwargs)
        try:
            with call:
                refused = False
                try:
                    response = await wrapped(*args, **(call.asking or kwargs))
                except Exception as error:
                    refused = bool(self._stream_usage.is_refused(call, error))
                    if not refused:
                        raise
                if refused:  # not in the handler: the program's exception shall not carry the first one
                    response = await wrapped(*args, **kwargs)
        except BaseException as error:
            call.failed(error)
            raise
        return self._hand_over(entrance, call, response)

    def _call(self, entrance: Entrance, wrapped: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        call = self._open(entrance, wrapped, args, kwargs)
        if call is None:
            return wrapped(*args, **kwargs)
        try:
            with call:
                refused = False
                try:
                    response = wrapped(*args, **(call.asking or kwargs))
                except Exception as error:
                    refused = bool(self._stream_usage.is_refused(call, error))
                    if not refused:
                        raise
                if refused:  # not in the handler: the program's exception shall not carry the first one
                    response = wrapped(*args, **kwargs)
        except BaseException as error:
            call.failed(error)
            raise
        return self._hand_over(entrance, call, response)

    # -- before the call -----------------------------------------------------------------------------------
    @guarded("call source")
    def _open(
        self, entrance: Entrance, wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> OpenCall | None:
        """Begin a record, or return ``None``."""
        if self._recorder.suppressed():
            return None
        self._lookout.call_begins()
        position = self._recorder.locate()
        if position is not None and position.disabled and self._recorder.settings.follow_agents_tracing:
            return None
        named = entrance.named(wrapped, args, kwargs)
        record = self._record(entrance, named, position)
        custom = bool(self._litellm.custom_provider_map) and (
            record.litellm_provider in self._custom_providers()
        )
        call = OpenCall(self._recorder, record, position, custom=custom, probing=self._probing)
        if record.captures_content:
            call.secrets = _secrets(named)
        whole = position.call if position is not None else None
        # The host's own model span may stand for this call.
        if whole is None or not self._recorder.claim(whole, record):
            self._recorder.begin(record, self._parent(position))
        if record.stream and entrance.asks_for_usage:
            self._stream_usage.ask(call, named, kwargs)
        return call

    def _record(self, entrance: Entrance, named: Mapping[str, Any], position: Position | None) -> ModelCall:
        given = call_options.current.get()
        base_url = named.get("base_url") or named.get("api_base")
        host, port = litellm_mapping.server(base_url)
        provider, model = self._provider_and_model(named)
        record = ModelCall(
            operation=entrance.operation,
            provider=_provider_name(provider, host),
            litellm_provider=provider,
            model=model,
            stream=bool(named.get("stream")),
            parameters=litellm_mapping.parameters(named),
            server_address=host,
            server_port=port,
            price=given.price if given is not None else None,
            mocked=litellm_mapping.is_mocked(named),
            long_cache_writes=provider in BEDROCK and asks_for_long_cache_writes(named),
            table_entry=litellm_mapping.table_entry(named, provider),
        )
        if position is not None:
            record.trace_id, record.span_id = position.trace_id, position.span_id
        allowed = (position is None or position.allows_content) and (
            given is None or given.options.capture_content is not False
        )
        # The conventions have no content for embeddings: texts to index and long vectors.
        talks = entrance.operation != "embeddings"
        record.captures_content = talks and self._recorder.captures_content(allowed=allowed)
        if record.captures_content:
            record.input = litellm_answer.messages(named)
            record.tools = named.get("tools")
        return record

    def _provider_and_model(self, named: Mapping[str, Any]) -> tuple[str | None, str | None]:
        model = model_name(named.get("model"))
        if model is None:
            return None, None
        # LiteLLM adds the program's own providers to its list only when it calls one of them.
        custom = self._custom_providers()
        known = self._providers | custom if custom else self._providers
        provider, bare = _split_model(model, known, as_name(named.get("custom_llm_provider")))
        if provider is None:
            # LiteLLM's own look-up prints to stdout for models that it does not know; its table does not.
            entry = self._litellm.model_cost.get(model)
            provider = as_name(entry.get("litellm_provider")) if isinstance(entry, dict) else None
        return provider, bare

    def _parent(self, position: Position | None) -> Record | None:
        outer = current.get()
        if position is not None and position.record is not None:
            beside = position.beside and outer is None
            return position.record.parent if beside else position.record
        return outer.record.whole or outer.record if outer is not None else None

    def _custom_providers(self) -> AbstractSet[str]:
        if not self._litellm.custom_provider_map:
            return _NONE
        return {entry["provider"] for entry in self._litellm.custom_provider_map}

    # -- after the call ------------------------------------------------------------------------------------
    def _hand_over(self, entrance: Entrance, call: OpenCall, response: Any) -> Any:
        if call.inner is not None and call.inner.answer is response:
            call.inner = None  # LiteLLM has translated nothing
        if not call.record.stream or _is_whole(response):
            self._end(entrance, call, response)
            return response
        proxy = self._proxy(entrance, call, response)
        if proxy is None:
            self._give_up(entrance, call, response)
            return response
        return proxy

    @guarded("call source")
    def _end(self, entrance: Entrance, call: OpenCall, response: Any) -> None:
        try:
            call.returned(entrance.reader().whole(response))
        finally:
            if not call.closed:  # an answer that cannot be read
                call.ended(OK)

    @guarded("call source")
    def _give_up(self, entrance: Entrance, call: OpenCall, response: Any) -> None:
        """Leave a stream alone that cannot be observed, as the program would have it; end its call here."""
        stop_asking(entrance.reader().source(response))
        call.ended(OK)

    @guarded("call source")
    def _proxy(self, entrance: Entrance, call: OpenCall, response: Any) -> Any:
        reader = entrance.reader()
        hidden = hidden_of(response)
        if call.cache_key is not None and read(hidden, "cache_key") is not None:
            hidden["cache_key"] = call.cache_key
        return observed(response, StreamState(call, reader.source(response), reader))


@guarded_one("call source")
def _is_whole(response: Any) -> bool:
    """Say whether an answer is no stream. If that cannot be told, it may be one, and is treated as one."""
    return not is_stream(response)


_secrets = guarded("call source")(litellm_secrets.of_request)
