"""What a failed call raises, and what the adapter advises to a runner that may retry."""

from __future__ import annotations

import litellm
import pytest
from agents import ModelSettings
from agents.retry import ModelRetryAdviceRequest

from litespan.testing import Reply
from tests.contract.adapter.harness import Caller

NO_RETRIES = ModelSettings(extra_args={"max_retries": 0})

FAILURES = {
    401: litellm.AuthenticationError,
    429: litellm.RateLimitError,
    500: litellm.InternalServerError,
}


async def fail(caller: Caller, status: int, retry_after: float | None = None) -> Exception:
    """Make a call fail; return its exception."""
    caller.adapter.provider.script("*", Reply.fails(status, retry_after=retry_after))
    with pytest.raises(FAILURES[status]) as caught:
        await caller.ask(settings=NO_RETRIES)
    return caught.value


@pytest.mark.parametrize("status", FAILURES)
async def test_exceptions_are_litellms(caller: Caller, status: int) -> None:
    """A failure is LiteLLM's own exception, of its exact class, with the status."""
    error = await fail(caller, status)
    assert (FAILURES[status], status) == (type(error), getattr(error, "status_code", None))


@pytest.mark.parametrize(("status", "suggested"), [(429, True), (500, True), (401, None)])
async def test_retry_advice(caller: Caller, status: int, suggested: bool | None) -> None:
    """A retry is suggested for what may pass, with the provider's delay in seconds."""
    error = await fail(caller, status, retry_after=1.5 if suggested else None)
    request = ModelRetryAdviceRequest(error=error, attempt=1, stream=caller.streamed)
    advice = caller.adapter.model().get_retry_advice(request)
    if suggested is None:
        assert advice is None
    else:
        assert (True, 1.5, None) == (advice.suggested, advice.retry_after, advice.replay_safety)
        assert status == advice.normalized.status_code


async def test_retry_advice_for_stateful_requests(caller: Caller) -> None:
    """A request that continues a conversation is said to be safe to send again."""
    request = ModelRetryAdviceRequest(
        error=await fail(caller, 429), attempt=1, stream=caller.streamed, conversation_id="conv_1"
    )
    assert "safe" == caller.adapter.model().get_retry_advice(request).replay_safety
