"""LiteLLM's own response cache: the same keys with litespan and without, and a hit costs nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import litellm
import pytest
from litellm.caching.caching import Cache
from litellm.types.caching import LiteLLMCacheType

from litespan.testing import Capture, Provider
from tests.fakes.litellm_calls import WIRES, chat
from tests.flow import figures


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch) -> Cache:
    """LiteLLM's cache in memory, for one test."""
    local = Cache(type=LiteLLMCacheType.LOCAL)
    monkeypatch.setattr(litellm, "cache", local)
    return local


def keys(cache: Any) -> list[str]:
    """Return the keys of everything that is cached."""
    return list(cache.cache.cache_dict)


async def stream(arguments: dict[str, Any], cache: Any) -> Any:
    """Read a stream, wait until LiteLLM has written its cache entry, and return the stream."""
    response = await litellm.acompletion(**arguments)
    async for _ in response:
        pass
    await wait_for_entry(cache)
    return response


def stream_sync(arguments: dict[str, Any]) -> Any:
    """The same without await; LiteLLM writes its entry from a thread."""
    response = litellm.completion(**arguments)
    for _ in response:
        pass
    return response


@pytest.mark.parametrize("wire", WIRES)
async def test_what_litespan_streamed_is_a_hit_without_it(
    provider: Provider, cache: Cache, wire: str
) -> None:
    """The entry of a stream seen by litespan is found by the bare program under its own key."""
    arguments = chat(provider, wire, stream=True)
    with Capture() as capture:
        await stream(arguments, cache)
    hit = await stream(arguments, cache)

    assert 1 == len(provider.served)
    assert [cache.get_cache_key(**arguments)] == keys(cache)
    assert keys(cache)[0] == hit._hidden_params["cache_key"]
    assert figures.of_provider(provider.delivered()) == figures.of_metrics(capture)


@pytest.mark.parametrize("wire", WIRES)
async def test_what_the_bare_program_streamed_is_a_hit_with_litespan(
    provider: Provider, cache: Cache, wire: str
) -> None:
    """A cached answer is found with litespan, has the program's key, costs 0 and has no provider tokens."""
    arguments = chat(provider, wire, stream=True)
    bare = await stream(arguments, cache)
    with Capture() as capture:
        hit = await stream(arguments, cache)

    assert 1 == len(provider.served)
    assert cache.get_cache_key(**arguments) == hit._hidden_params["cache_key"]
    assert len(bare.chunks) >= 1
    assert_free(capture)


async def test_a_hit_delivers_the_bare_runs_chunks(provider: Provider, cache: Cache) -> None:
    """A stream out of the cache has the chunks that it has without litespan."""
    arguments = chat(provider, stream=True)
    await stream(arguments, cache)

    async def read() -> list[Any]:
        ignored = {"id", "created", "usage"}
        return [c.model_dump(exclude=ignored) async for c in await litellm.acompletion(**arguments)]

    bare = await read()
    with Capture():
        assert bare == await read()


async def test_a_sync_stream_is_a_hit_both_ways(provider: Provider, cache: Cache) -> None:
    """Streams that are not awaited share their entries with the bare program as well."""
    arguments = chat(provider, stream=True)
    with Capture() as capture:
        stream_sync(arguments)
        await wait_for_entry(cache)
        capture.clear()
        stream_sync(arguments)
    stream_sync(arguments)

    assert 1 == len(provider.served)
    assert [cache.get_cache_key(**arguments)] == keys(cache)
    assert 1 == len(capture.spans)
    assert (capture.spans[0].attributes or {})["litespan.cache_hit"]


async def test_a_whole_answer_out_of_the_cache_is_free(provider: Provider, cache: Cache) -> None:
    """The same for a call that is no stream, whose cached answer still quotes the old usage."""
    await litellm.acompletion(**chat(provider))
    await wait_for_entry(cache)
    with Capture() as capture:
        hit = await litellm.acompletion(**chat(provider))

    assert 19 == hit.usage.total_tokens
    assert 1 == len(provider.served)
    assert_free(capture)


async def test_positional_arguments_keep_their_keys(provider: Provider, cache: Any) -> None:
    """With positional arguments LiteLLM's keys are as odd as without litespan, and no answer is mixed up."""
    arguments = chat(provider, stream=True)
    model, _ = arguments.pop("model"), arguments.pop("messages")

    async def key_of(text: str) -> list[str]:
        async for _ in await litellm.acompletion(model, [{"role": "user", "content": text}], **arguments):
            pass
        await wait_for_entry(cache)
        written = keys(cache)
        cache.cache.cache_dict.clear()
        return written

    bare = [await key_of("one"), await key_of("two")]
    with Capture() as capture:
        assert bare == [await key_of("one"), await key_of("two")]

    assert 4 == len(provider.served)
    assert [] == [span for span in capture.spans if (span.attributes or {}).get("litespan.cache_hit")]


async def wait_for_entry(cache: Any) -> None:
    """Wait until LiteLLM has written an entry, which it does in the background."""
    for _ in range(5000):
        if keys(cache):
            return
        await asyncio.sleep(0.001)
    pytest.fail("LiteLLM wrote no cache entry")


def assert_free(capture: Capture) -> None:
    """Check that the one call was a cache hit: no cost, no tokens, nothing missing."""
    attributes = dict(capture.spans[0].attributes or {})
    assert attributes["litespan.cache_hit"]
    assert 0 == attributes["gen_ai.usage.cost.amount"]
    assert not [name for name in attributes if name.startswith("gen_ai.usage.") and "cost" not in name]
    assert (0, 0, 0, 0, 0) == figures.of_metrics(capture)
    assert 0 == capture.total("litespan.cost")
    assert [] == capture.points("litespan.calls.usage_missing")
    assert 1 == figures.calls(capture, litespan__outcome="ok")
