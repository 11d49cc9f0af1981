"""A generation whose adapter fails before anything is sent: a failed call in the tree, not in the metrics."""

from __future__ import annotations

import pytest
from agents import Agent, UserError, WebSearchTool
from opentelemetry.trace import StatusCode

from litespan.testing import Capture, Provider
from tests.flow.models import litespan_model
from tests.flow.running import run_to_end


@pytest.mark.parametrize("streamed", [False, True])
async def test_call_that_was_never_sent(provider: Provider, streamed: bool) -> None:
    """It is written as a failed call with the model's own name, and counted nowhere."""
    model = litespan_model(provider, "gpt-4o-mini")
    # A tool that runs at OpenAI's Responses API only; the adapter refuses it.
    agent = Agent[None](name="A", model=model, tools=[WebSearchTool()])

    with Capture() as capture, pytest.raises(UserError):
        await run_to_end(agent, stream=streamed)

    (call,) = capture.named("chat")
    assert "chat gpt-4o-mini" == call.name
    assert StatusCode.ERROR == call.status.status_code
    assert ("agents.exceptions.UserError", "error", "openai") == tuple(
        (call.attributes or {})[key] for key in ("error.type", "litespan.outcome", "gen_ai.provider.name")
    )
    assert [] == provider.served
    assert 0 == capture.total("litespan.calls")
    assert 0 == capture.count("gen_ai.client.operation.duration")
