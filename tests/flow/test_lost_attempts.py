"""Attempts whose answer was lost: the provider may bill them, so the call is part of the blind spot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import litellm
import pytest

from litespan.testing import Capture, Provider, Reply
from tests.fakes.azure_wire import AzureWire
from tests.fakes.litellm_calls import chat
from tests.fakes.ports import free_port
from tests.flow import figures
from tests.flow.troubles import until_called

MISSING = "litespan.calls.usage_missing"
REASON = "litespan.usage.missing_reason"
ONCE_MORE: dict[str, Any] = {"num_retries": 1, "max_retries": 0}


async def call(**arguments: Any) -> None:
    """Make a call and read its answer to the end."""
    answer = await litellm.acompletion(**arguments)
    if arguments.get("stream"):
        async for _ in answer:
            pass


async def call_blocking(**arguments: Any) -> None:
    """Make a call without await, in a thread of its own."""
    await asyncio.to_thread(litellm.completion, **arguments)


def reasons(capture: Capture) -> tuple[object, float]:
    """Return the reason on the one span of a call, and the number of calls that miss a usage."""
    [span] = capture.named("chat")
    return (span.attributes or {}).get(REASON), capture.total(MISSING)


@pytest.mark.parametrize(
    ("lost", "options"),
    [
        (Reply.hangs(), {"max_retries": 1, "timeout": 1.0}),
        (Reply.hangs(), {**ONCE_MORE, "timeout": 1.0}),
        (Reply.hangs(), {"max_retries": 1, "timeout": 1.0, "stream": True}),
        (Reply.says("lost", cut_after=0), ONCE_MORE),
    ],
    ids=["none, by the client", "none, by LiteLLM", "none, streamed", "one that breaks off"],
)
async def test_answer_that_was_lost_and_asked_for_again(
    provider: Provider, lost: Reply, options: dict[str, Any]
) -> None:
    """The call is ok, has the tokens of the answer that came, and counts as one that may be billed twice."""
    provider.script("*", lost, Reply.says("Hello."))
    with Capture() as capture:
        await call(**chat(provider, **options))

        assert ("lost_attempt", 1) == reasons(capture)
        assert 1 == capture.total(MISSING, reason="lost_attempt")
        [span] = capture.named("chat")
        attributes = span.attributes or {}
        assert ("ok", "reported", 2) == tuple(
            attributes[f"litespan.{name}"] for name in ("outcome", "usage.source", "attempts")
        )
        assert "litespan.usage.incomplete" not in attributes
        assert figures.of_provider(provider.delivered()) == figures.of_spans([span])


async def test_refusal_after_a_lost_answer(provider: Provider) -> None:
    """A call that was refused in the end is in doubt all the same: the lost answer may be billed."""
    provider.script("*", Reply.hangs(), Reply.fails(400))
    with Capture() as capture:
        with pytest.raises(litellm.BadRequestError):
            await call(**chat(provider, max_retries=1, timeout=1.0))

        assert ("lost_attempt", 1) == reasons(capture)


async def test_call_counts_once(provider: Provider) -> None:
    """A call whose last attempt had no answer either has the reason of its own end, and counts once."""
    provider.script("*", *[Reply.hangs()] * 2)
    with Capture() as capture:
        with pytest.raises(litellm.Timeout):
            await call(**chat(provider, max_retries=1, timeout=1.0))

        assert ("timeout", 1) == reasons(capture)


@pytest.mark.parametrize("status", [429, 500])
async def test_refused_attempt_is_not_lost(provider: Provider, status: int) -> None:
    """An attempt that the provider refused is not billed, so nothing is in doubt."""
    provider.script("*", Reply.fails(status, retry_after=0.001), Reply.says("Hello."))
    with Capture() as capture:
        await call(**chat(provider, max_retries=1))

        assert (None, 0) == reasons(capture)


async def test_attempt_that_never_went_out_is_not_lost(provider: Provider) -> None:
    """Without a connection nothing was asked, so the fallback's answer is all there is to pay."""
    with Capture() as capture:
        unreachable = {**chat(provider), "api_base": f"http://127.0.0.1:{free_port()}/v1", "max_retries": 0}
        await call(**unreachable, fallbacks=[{**chat(provider), "max_retries": 0}])

        assert (None, 0) == reasons(capture)
        assert 2 == capture.total("litespan.call.attempts")


@asynccontextmanager
async def hanging_up() -> AsyncIterator[str]:
    """Serve a base URL whose server takes every request and closes the connection without a word."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


@pytest.mark.parametrize("model", ["openai/gpt-4o-mini", "groq/llama", "ollama_chat/llama3"])
async def test_request_that_was_taken_and_never_answered(model: str) -> None:
    """Whatever status LiteLLM makes up for it, the provider has the request and may bill it."""
    async with hanging_up() as url:
        with Capture() as capture:
            with pytest.raises(Exception, match="litellm"):
                await call(
                    model=model,
                    messages=[{"role": "user", "content": "Hi"}],
                    api_base=url,
                    api_key="k",
                    max_retries=0,
                )

            reason, missing = reasons(capture)
            assert (True, 1) == (reason in ("error", "connection"), missing)


@pytest.mark.parametrize("make", [call, call_blocking])
@pytest.mark.parametrize("model", ["openai/gpt-4o-mini", "groq/llama", "deepseek/deepseek-chat"])
async def test_timeout_that_looks_like_a_refusal(
    provider: Provider, model: str, make: Callable[..., Awaitable[None]]
) -> None:
    """A provider that did not answer in 0.429 seconds has not refused the call with HTTP status 429."""
    provider.script("*", Reply.hangs())
    with Capture() as capture:
        arguments = {**chat(provider, max_retries=0, timeout=0.429), "model": model}
        with pytest.raises((litellm.RateLimitError, litellm.Timeout)):
            await make(**arguments)

        assert ("timeout", 1) == reasons(capture)
        [span] = capture.named("chat")
        assert "http.response.status_code" not in (span.attributes or {})


@pytest.mark.parametrize("make", [call, call_blocking])
async def test_refusal_of_a_call_made_after_a_timeout(
    provider: Provider, make: Callable[..., Awaitable[None]]
) -> None:
    """A program that tries again where it handles the timeout is refused, and that call misses nothing."""
    provider.script("*", Reply.hangs(), Reply.fails(429))
    with Capture() as capture:
        arguments = {**chat(provider, max_retries=0), "model": "deepseek/deepseek-chat"}
        try:
            await make(**arguments, timeout=0.5)
        except litellm.Timeout:
            with pytest.raises((litellm.BadRequestError, litellm.RateLimitError)):
                await make(**arguments)

        assert ["timeout", None] == [(span.attributes or {}).get(REASON) for span in capture.named("chat")]


async def test_cancelled_call_to_azure() -> None:
    """LiteLLM makes an error of the cancellation; the call is cancelled, and its usage missing."""
    with Provider(wires=[AzureWire()]) as azure, Capture() as capture:
        azure.script("*", Reply.hangs())
        arguments = {
            "model": "azure/my-deployment",
            "api_base": azure.url("azure"),
            "api_key": "k",
            "api_version": "2024-10-21",
            "messages": [{"role": "user", "content": "Hi"}],
        }
        task = asyncio.create_task(call(**arguments))
        await until_called(azure)
        task.cancel()
        with pytest.raises((litellm.APIError, asyncio.CancelledError)):
            await task

        assert ("cancelled", 1) == reasons(capture)
        assert 1 == capture.total("litespan.calls", litespan__outcome="cancelled")
