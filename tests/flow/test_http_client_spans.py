"""The spans of HTTP client instrumentations stand under the chat span of the call that sent the request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import litellm
import pytest
from litellm.caching.llm_caching_handler import LLMClientCache
from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

from litespan.testing import Capture, Provider, Reply
from tests.fakes.litellm_calls import WIRES, chat, model_on


@pytest.fixture
def capture(monkeypatch: pytest.MonkeyPatch) -> Iterator[Capture]:
    """Capture what litespan and the HTTP instrumentations emit; LiteLLM makes its HTTP clients anew."""
    monkeypatch.setattr(litellm, "in_memory_llm_clients_cache", LLMClientCache())
    with Capture(deterministic=True) as capturing:
        yield capturing


@pytest.fixture
def aiohttp_spans(capture: Capture) -> Iterator[None]:
    """Let aiohttp's clients make spans; they are what LiteLLM's asynchronous calls use by default."""
    AioHttpClientInstrumentor().instrument(tracer_provider=capture.tracer_provider)
    yield
    AioHttpClientInstrumentor().uninstrument()


@pytest.fixture
def httpx_spans(capture: Capture, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let httpx's clients make spans, and LiteLLM use httpx for asynchronous calls as for others."""
    # LiteLLM makes this client, its own for streams, when it is first looked at: here, to be put back.
    assert isinstance(litellm.module_level_aclient, AsyncHTTPHandler)
    monkeypatch.setattr(litellm, "disable_aiohttp_transport", True)
    monkeypatch.setattr(litellm, "module_level_aclient", AsyncHTTPHandler())
    HTTPXClientInstrumentor().instrument(tracer_provider=capture.tracer_provider)
    yield
    HTTPXClientInstrumentor().uninstrument()


async def call(**arguments: Any) -> None:
    """Make an asynchronous call of LiteLLM and read it to its end."""
    response = await litellm.acompletion(**arguments)
    if arguments["stream"]:
        assert [chunk async for chunk in response]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("wire", WIRES)
async def test_aiohttp_span_is_a_child(
    wire: str, provider: Provider, capture: Capture, aiohttp_spans: None, *, stream: bool
) -> None:
    """The request is a child of its call, also where LiteLLM sends it at the first read of a stream."""
    await call(**chat(provider, wire, stream=stream))

    assert f"chat {model_on(wire)}\n  POST" == capture.tree()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("wire", WIRES)
async def test_httpx_span_is_a_child(
    wire: str, provider: Provider, capture: Capture, httpx_spans: None, *, stream: bool
) -> None:
    """The same holds for asynchronous calls over httpx."""
    await call(**chat(provider, wire, stream=stream))

    assert f"chat {model_on(wire)}\n  POST" == capture.tree()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("wire", WIRES)
def test_span_of_a_synchronous_call_is_a_child(
    wire: str, provider: Provider, capture: Capture, httpx_spans: None, *, stream: bool
) -> None:
    """The same holds for synchronous calls."""
    response = litellm.completion(**chat(provider, wire, stream=stream))
    if stream:
        assert list(response)

    assert f"chat {model_on(wire)}\n  POST" == capture.tree()


async def test_each_attempt_is_a_child(provider: Provider, capture: Capture, aiohttp_spans: None) -> None:
    """The attempts of a retried call stand under one chat span, which says how many there were."""
    provider.script("gpt-4o-mini", *[Reply.fails(429, retry_after=0.001)] * 2, Reply.says("ok"))

    await call(**chat(provider, stream=False))

    assert "chat gpt-4o-mini litespan.attempts=3\n  POST\n  POST\n  POST" == capture.tree("litespan.attempts")


async def test_current_span_is_the_programs_between_chunks(provider: Provider, capture: Capture) -> None:
    """The chat span is never current while the program handles a chunk, so its spans are not put under it."""
    tracer = capture.tracer_provider.get_tracer("app")
    with tracer.start_as_current_span("handler"):
        async for _ in await litellm.acompletion(**chat(provider, stream=True)):
            tracer.start_span("work").end()

    lines = capture.tree().splitlines()
    assert ["handler", f"  chat {model_on('openai')}"] == lines[:2]
    assert {"  work"} == set(lines[2:])
