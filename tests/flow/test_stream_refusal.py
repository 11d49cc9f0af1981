"""Servers that refuse the usage option of streams: litespan's asking costs the program nothing."""

from __future__ import annotations

import gc
from typing import Any, Literal

import litellm
import pytest

from litespan.sources.litellm_call import OpenCall
from litespan.testing import Capture, Provider, Reply
from tests.fakes.litellm_calls import chat
from tests.flow import figures


async def read_async(arguments: dict[str, Any]) -> int:
    """Read a stream that is awaited; return the number of its chunks."""
    return len([chunk async for chunk in await litellm.acompletion(**arguments)])


async def read_sync(arguments: dict[str, Any]) -> int:
    """Read a stream that is not awaited; return the number of its chunks."""
    return len(list(litellm.completion(**arguments)))


def asking_now() -> list[OpenCall]:
    """Return the open calls that ask for their usage."""
    return [one for one in gc.get_objects() if type(one) is OpenCall and one.asking is not None]


@pytest.mark.parametrize("read", [read_async, read_sync])
@pytest.mark.parametrize("status", [400, 422])
async def test_a_server_that_refuses_still_answers_and_is_asked_once(
    provider: Provider, status: Literal[400, 422], read: Any
) -> None:
    """The stream comes whole, each call is one span, and the second stream does not ask again."""
    arguments = chat(provider, stream=True)
    bare = await read(arguments)
    provider.refuse_stream_options = status
    with Capture() as capture:
        lengths = [await read(arguments), await read(arguments)]

    assert [bare, bare] == lengths
    assert [200, status, 200, 200] == [served.status for served in provider.served]
    assert 2 == figures.calls(capture, litespan__outcome="ok")
    assert 2 == capture.total("litespan.calls.usage_missing", reason="not_reported")


async def test_what_asks_goes_when_the_stream_ends(provider: Provider) -> None:
    """The arguments that ask for the usage hold the prompt, so a call does not keep them for its stream."""
    earlier = asking_now()  # streams that other tests have left
    with Capture():
        stream = await litellm.acompletion(**chat(provider, stream=True))
        [call] = [one for one in asking_now() if one not in earlier]
        async for _ in stream:
            pass

    assert call.closed
    assert call.asking is None


async def test_the_refused_request_is_an_attempt(provider: Provider) -> None:
    """The number of attempts counts the refused request, which the provider saw."""
    provider.refuse_stream_options = True
    with Capture() as capture:
        await read_async(chat(provider, stream=True))

    assert 2 == (capture.spans[0].attributes or {})["litespan.attempts"] == len(provider.served)


async def test_another_server_is_still_asked(provider: Provider) -> None:
    """What one server refused is not held against others."""
    with Capture() as capture:
        provider.refuse_stream_options = True
        await read_async(chat(provider, stream=True))
        provider.refuse_stream_options = False
        await read_async({**chat(provider, stream=True), "api_base": provider.url("openai") + "/"})

    sources = [(span.attributes or {})["litespan.usage.source"] for span in capture.named("chat")]
    assert ["missing", "reported"] == sources


async def test_another_model_of_the_same_server_is_still_asked(provider: Provider) -> None:
    """The same of models, also where they are named by position."""
    arguments = chat(provider, stream=True)
    model, messages = arguments.pop("model"), arguments.pop("messages")
    with Capture() as capture:
        for name, provider.refuse_stream_options in ((model, True), ("openai/gpt-4o", False), (model, False)):
            async for _ in await litellm.acompletion(name, messages, **arguments):
                pass

    sources = [(span.attributes or {})["litespan.usage.source"] for span in capture.named("chat")]
    assert ["missing", "reported", "missing"] == sources


@pytest.mark.parametrize("read", [read_async, read_sync])
async def test_the_second_requests_exception_is_the_programs(provider: Provider, read: Any) -> None:
    """If the call fails without the option too, its exception is the only one that the program sees."""
    provider.refuse_stream_options = True
    provider.default = Reply.fails(401, code="invalid_api_key", message="who are you")
    with Capture() as capture, pytest.raises(litellm.AuthenticationError, match="who are you") as caught:
        await read(chat(provider, stream=True))

    errors: list[BaseException | None] = [caught.value]
    while errors[-1] is not None:
        errors.append(errors[-1].__cause__ or errors[-1].__context__)
    assert not [error for error in errors if "stream_options" in str(error)]
    assert "invalid_api_key" == (capture.spans[0].attributes or {})["error.type"]


async def test_a_refusal_of_something_else_is_the_programs(provider: Provider) -> None:
    """A 400 that does not name the option is not answered by a second request."""
    provider.default = Reply.fails(400, message="the context is too long")
    with Capture() as capture, pytest.raises(litellm.BadRequestError, match="too long"):
        await read_async(chat(provider, stream=True))

    assert 1 == len(provider.served)
    assert 1 == figures.calls(capture, litespan__outcome="error")


async def test_a_refusal_of_the_programs_own_option_is_the_programs(provider: Provider) -> None:
    """When the program itself set the option, its refusal reaches the program."""
    provider.refuse_stream_options = True
    with Capture(), pytest.raises(litellm.BadRequestError, match="stream_options"):
        await read_async(chat(provider, stream=True, stream_options={"include_usage": True}))

    assert 1 == len(provider.served)
