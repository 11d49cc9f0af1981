"""Retries: those below a call are its attempts, those of the Agents SDK are calls of their own."""

from __future__ import annotations

import pytest
from agents import Agent, ModelRetrySettings, ModelSettings, Runner

from litespan.testing import Capture, Provider, Reply
from tests.flow.models import litespan_model
from tests.flow.running import run_to_end

MODEL = "gpt-4o-mini"


@pytest.mark.parametrize("stream", [False, True])
async def test_attempts_of_the_client_are_one_call(provider: Provider, *, stream: bool) -> None:
    """HTTP retries inside the openai client make one chat span, which says how many attempts it took."""
    provider.script(MODEL, Reply.fails(429, retry_after=0.001), Reply.fails(500, retry_after=0.001))
    with Capture() as capture:
        agent = Agent[None](name="A", model=litespan_model(provider))
        await run_to_end(agent, stream=stream)

        tree = capture.tree("litespan.outcome", "litespan.attempts").splitlines()
        assert "    chat gpt-4o-mini litespan.outcome=ok litespan.attempts=3" == tree[-1]
        assert 3 == len(tree)
        assert 3 == provider.calls_served() == capture.total("litespan.call.attempts")
        assert 1 == capture.total("litespan.calls") == capture.total("litespan.calls", litespan__outcome="ok")


async def test_attempts_of_the_agents_sdk_are_calls(provider: Provider) -> None:
    """A retry by `ModelRetrySettings` is a chat span of its own; the run that got through is no failure."""
    provider.script(MODEL, *[Reply.fails(400)] * 2, Reply.says("ok"))
    retry = ModelRetrySettings(
        max_retries=2, policy=lambda _: True, backoff={"initial_delay": 0.001, "jitter": False}
    )
    with Capture(deterministic=True) as capture:
        model = litespan_model(provider)
        agent = Agent[None](name="A", model=model, model_settings=ModelSettings(retry=retry))
        assert "ok" == (await Runner.run(agent, "hi")).final_output

        assert [
            "invoke_workflow A litespan.outcome=ok",
            "  invoke_agent A litespan.outcome=ok",
            "    chat gpt-4o-mini litespan.outcome=error litespan.attempts=1",
            "    chat gpt-4o-mini litespan.outcome=error litespan.attempts=1",
            "    chat gpt-4o-mini litespan.outcome=ok litespan.attempts=1",
        ] == capture.tree("litespan.outcome", "litespan.attempts").splitlines()
        assert 2 == capture.total("litespan.calls", litespan__outcome="error")
        assert 1 == capture.total("litespan.runs") == capture.total("litespan.runs", litespan__outcome="ok")
