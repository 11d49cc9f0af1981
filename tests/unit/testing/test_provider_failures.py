"""What goes wrong on purpose instead of an answer: errors, retries, refusals, garbage, silence."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import litellm
import openai
import pytest
from litellm import exceptions

from litespan.testing import Provider, Reply
from tests.fakes.litellm_calls import WIRES, chat, model_on

ONE_ATTEMPT: dict[str, Any] = {"max_retries": 0}
ASK_FOR_USAGE: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}


async def test_a_rate_limited_call_is_retried(provider: Provider) -> None:
    """The client obeys retry-after and comes back; the memory shows both requests and their attempts."""
    provider.script(
        "gpt-4o-mini", Reply.fails(429, code="rate_limit_exceeded", retry_after=0.01), Reply.says("ok")
    )

    response = await litellm.acompletion(**chat(provider))

    assert "ok" == response.choices[0].message.content
    assert [429, 200] == [served.status for served in provider.served]
    assert [1, 2] == [served.request.attempt for served in provider.served]
    assert 2 == provider.calls_served("gpt-4o-mini")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, exceptions.BadRequestError),
        (401, exceptions.AuthenticationError),
        (404, exceptions.NotFoundError),
        (429, exceptions.RateLimitError),
        (500, exceptions.InternalServerError),
        (503, exceptions.ServiceUnavailableError),
    ],
)
async def test_a_status_becomes_its_exception(
    provider: Provider, status: int, error: type[Exception]
) -> None:
    """LiteLLM maps each status to the exception that real providers cause."""
    provider.script("gpt-4o-mini", Reply.fails(status, code="some_code", message="No luck."))

    with pytest.raises(error, match=r"No luck\."):
        await litellm.acompletion(**chat(provider, **ONE_ATTEMPT))

    assert [(status, None, None)] == [
        (served.status, served.usage_delivered, served.billed) for served in provider.served
    ]


@pytest.mark.parametrize(
    ("form", "where"), [(True, "message"), (400, "message"), (422, "body")], ids=["default", "400", "422"]
)
async def test_a_strict_server_refuses_stream_options(
    provider: Provider, form: Literal[400, 422, True], where: str
) -> None:
    """A request with stream_options is refused by name and uses up nothing of the script."""
    provider.refuse_stream_options = form
    provider.script("gpt-4o-mini", Reply.says("scripted"))

    with pytest.raises(exceptions.BadRequestError) as refused:
        await litellm.acompletion(**chat(provider, **ASK_FOR_USAGE))
    accepted = await litellm.acompletion(**chat(provider, stream=True))

    assert "stream_options" in str(getattr(refused.value, where))
    assert ["scripted"] == ["".join([chunk.choices[0].delta.content or "" async for chunk in accepted])]
    assert [422 if form == 422 else 400, 200] == [served.status for served in provider.served]


@pytest.mark.parametrize("wire", WIRES)
async def test_garbage_is_no_answer(provider: Provider, wire: str) -> None:
    """A body that is no JSON raises in the client, and no usage was delivered."""
    provider.default = Reply.garbage()

    with pytest.raises(openai.APIError):
        await litellm.acompletion(**chat(provider, wire, **ONE_ATTEMPT))

    assert {("finished", None)} == {(served.outcome, served.usage_delivered) for served in provider.served}


@pytest.mark.parametrize("wire", WIRES)
async def test_a_hanging_call_ends_with_the_clients_patience(provider: Provider, wire: str) -> None:
    """A reply that hangs sends no byte; the client times out and leaves."""
    provider.script(model_on(wire), Reply.hangs())

    with pytest.raises(exceptions.Timeout):
        await litellm.acompletion(**chat(provider, wire, timeout=0.2, **ONE_ATTEMPT))

    assert await asyncio.to_thread(provider.wait_until_idle)
    assert [(None, "client_left")] == [(served.status, served.outcome) for served in provider.served]


async def test_a_cancelled_call_leaves(provider: Provider) -> None:
    """Cancelling the client's task closes the connection, and the memory says so."""
    provider.script("gpt-4o-mini", Reply.hangs())
    call: asyncio.Task[Any] = asyncio.ensure_future(litellm.acompletion(**chat(provider)))

    assert await asyncio.to_thread(provider.wait_for_calls, 1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert await asyncio.to_thread(provider.wait_until_idle)
    assert ["client_left"] == [served.outcome for served in provider.served]


async def test_an_error_in_the_responder_is_a_server_error(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """A responder that raises gives HTTP 500 and a logged traceback, not a silent hang."""

    def fail(request: object) -> Reply:
        """Raise, as a test's own mistake would."""
        raise LookupError("nothing fits")

    provider.respond = fail

    with pytest.raises(exceptions.InternalServerError):
        await litellm.acompletion(**chat(provider, **ONE_ATTEMPT))

    assert "nothing fits" in caplog.text
