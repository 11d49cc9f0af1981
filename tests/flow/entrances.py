"""Ways into LiteLLM, one function each: how a program without agents makes its calls."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import litellm
import pytest
from litellm.caching.caching import Cache
from litellm.integrations.custom_logger import CustomLogger
from litellm.types.caching import LiteLLMCacheType

from litespan.testing import Provider, Reply
from tests.fakes.litellm_callbacks import call_back
from tests.fakes.litellm_calls import target
from tests.flow.troubles import until

MESSAGES = [{"role": "user", "content": "Hi"}]
INPUTS: dict[str, dict[str, Any]] = {
    "embedding": {"input": ["a", "b"]},
    "text_completion": {"prompt": "Once"},
    "responses": {"input": "Hi"},
    "messages": {"messages": MESSAGES, "max_tokens": 50},
    "completion": {"messages": MESSAGES},
}
FAILS = Reply.fails(500, headers={"x-should-retry": "false"})


@dataclass
class Host:
    """What a row of the table has at hand; `before` is what it made before litespan was installed."""

    provider: Provider
    patch: pytest.MonkeyPatch
    folder: Path
    before: Any = None


Act = Callable[[Host], Awaitable[None]]


@dataclass(frozen=True)
class Way:
    """One way in, and what must be seen of it.

    A call is *billed* when the provider answered a request of it with 200. `refused` are calls whose one
    request it answered with an error, `free` are calls that no provider was asked for. `lost` are parts of
    the usage that LiteLLM drops when it translates an answer from one API's format to another's.
    """

    act: Act
    operation: str = "chat"
    billed: int = 1
    refused: int = 0
    free: int = 0
    script: tuple[Reply, ...] = ()
    before: Callable[[Host], Any] = field(default=lambda host: None)
    lost: tuple[str, ...] = ()

    @property
    def calls(self) -> int:
        """All calls of the program."""
        return self.billed + self.refused + self.free


def arguments(provider: Provider, name: str, wire: str = "openai", **options: Any) -> dict[str, Any]:
    """Return the arguments for a function of LiteLLM, or a Router's, by its name."""
    kind = next(kind for kind in INPUTS if kind in name)
    return {**target(provider, wire), **INPUTS[kind], **options}


async def finish(response: Any) -> Any:
    """Await what can be awaited, and read a stream to its end."""
    if inspect.isawaitable(response):
        response = await response
    if hasattr(response, "__anext__"):
        async for _ in response:
            pass
    elif hasattr(response, "__next__"):
        for _ in response:
            pass
    return response


def plain(name: str, wire: str = "openai", **options: Any) -> Act:
    """Call a function of the package `litellm`."""

    async def act(host: Host) -> None:
        await finish(getattr(litellm, name)(**arguments(host.provider, name, wire, **options)))

    return act


def with_fallback(name: str, **options: Any) -> Act:
    """Call a function with a spare model."""

    async def act(host: Host) -> None:
        spare = {**target(host.provider), "model": "openai/gpt-4o"}
        given = {"fallbacks": [spare], "num_retries": 0, "max_retries": 0, **options}
        await finish(getattr(litellm, name)(**arguments(host.provider, name, **given)))

    return act


def in_thread(name: str) -> Act:
    """Call a function that blocks in a thread of its own."""

    async def act(host: Host) -> None:
        await asyncio.to_thread(getattr(litellm, name), **arguments(host.provider, name))

    return act


def batch(name: str, **options: Any) -> Act:
    """Send several conversations at once, from a thread: these helpers block."""

    async def act(host: Host) -> None:
        given = {**target(host.provider), "messages": [MESSAGES] * 3, **options}
        await asyncio.to_thread(getattr(litellm, name), **given)

    return act


def to_models(name: str) -> Act:
    """Ask two models the same."""

    async def act(host: Host) -> None:
        given = {
            **target(host.provider),
            "messages": MESSAGES,
            "models": ["openai/gpt-4o", "openai/gpt-4o-mini"],
        }
        given.pop("model")
        await asyncio.to_thread(lambda: list(getattr(litellm, name)(**given)))

    return act


async def first_of_models(host: Host) -> None:
    """Ask two models the same, and take the first answer."""
    models = ["openai/gpt-4o", "openai/gpt-4o-mini"]
    given = {**target(host.provider), "messages": MESSAGES, "models": models}
    await asyncio.to_thread(litellm.batch_completion_models, **given)


def anthropic_style(name: str, wire: str) -> Act:
    """Call a function of `litellm.anthropic.messages`."""

    async def act(host: Host) -> None:
        function = getattr(litellm.anthropic.messages, name)
        await finish(function(**arguments(host.provider, "messages", wire)))

    return act


def client(**options: Any) -> Act:
    """Call the OpenAI-like client."""

    async def act(host: Host) -> None:
        given = {**target(host.provider), "messages": MESSAGES, **options}
        made = litellm.LiteLLM(api_key=given.pop("api_key"), base_url=given.pop("api_base"))
        await finish(made.chat.completions.create(**given))

    return act


# -- routers -----------------------------------------------------------------------------------------------
def make_router(host: Host, wire: str = "openai", **options: Any) -> Any:
    """Build a Router with the deployments `first` and `second`."""
    parameters = {**target(host.provider, wire), "max_retries": 0}
    models = [{"model_name": name, "litellm_params": parameters} for name in ("first", "second")]
    return litellm.Router(models, **{"num_retries": 0, "disable_cooldowns": True, **options})


def routed(name: str, wire: str = "openai", *, router: dict[str, Any] | None = None, **options: Any) -> Act:
    """Call a method of a Router, of the one built before if there is one."""

    async def act(host: Host) -> None:
        made = host.before or make_router(host, wire, **(router or {}))
        given = arguments(host.provider, name, wire, **{"model": "first", **options})
        for key in ("api_base", "api_key", *(("model",) if "models" in given else ())):
            given.pop(key)
        await finish(getattr(made, name)(**given))

    return act


# -- LiteLLM's cache ---------------------------------------------------------------------------------------
def memory_cache(host: Host) -> Any:
    """Return LiteLLM's cache in memory, and the number of its entries."""
    cache: Any = Cache(type=LiteLLMCacheType.LOCAL)
    return cache, lambda: len(cache.cache.cache_dict)


def disk_cache(host: Host) -> Any:
    """Return LiteLLM's cache on disk, and the number of its entries."""
    cache: Any = Cache(type=LiteLLMCacheType.DISK, disk_cache_dir=str(host.folder))
    return cache, lambda: len(cache.cache.disk_cache)


def twice(act: Act, make: Callable[[Host], Any] = memory_cache) -> Act:
    """Do the same twice with a cache; LiteLLM writes its entries in the background."""

    async def both(host: Host) -> None:
        cache, entries = make(host)
        host.patch.setattr(litellm, "cache", cache)
        await act(host)
        await until(lambda: entries() > 0)
        await act(host)

    return both


# -- calls inside calls ------------------------------------------------------------------------------------
class Judge(CustomLogger):
    """A success callback that has each answer judged by another call."""

    def __init__(self, act: Act, host: Host) -> None:
        super().__init__()
        self._act = act
        self._host = host
        self.judged = 0
        self._judging = False

    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Judge the first answer."""
        if self._judging:
            return
        self._judging = True
        await self._act(self._host)
        self.judged += 1


def judged_by(act: Act) -> Act:
    """Make a call whose answer is judged by another one, in a callback."""

    async def both(host: Host) -> None:
        judge = Judge(act, host)
        call_back(host.patch, judge)
        await plain("acompletion")(host)
        await until(lambda: judge.judged == 1)

    return both


class OverLiteLLM(litellm.CustomLLM):
    """A provider of the program's own, over LiteLLM."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host

    async def acompletion(self, *args: Any, **kwargs: Any) -> litellm.ModelResponse:
        """Pass the answer of another model on."""
        answer: litellm.ModelResponse = await litellm.acompletion(
            **arguments(self._host.provider, "completion")
        )
        return answer


async def custom_provider(host: Host) -> None:
    """Call a provider of the program's own, which answers by another call: two calls, billed once."""
    handler = {"provider": "mine", "custom_handler": OverLiteLLM(host)}
    host.patch.setattr(litellm, "custom_provider_map", [handler])
    host.patch.setattr(litellm, "provider_list", [*litellm.provider_list, "mine"])
    host.patch.setattr(litellm, "_custom_providers", ["mine"])
    await litellm.acompletion(model="mine/outer", messages=MESSAGES)
