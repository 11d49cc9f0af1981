"""Task and turn spans: folded away unless they are asked for, and free to be missing."""

from __future__ import annotations

import pytest
from agents import Agent, RunConfig

from litespan.testing import Capture, Provider, Reply, ToolCall
from tests.flow.models import litespan_model
from tests.flow.running import run_to_end
from tests.flow.troubles import echo

FOLDED = """\
invoke_workflow A
  invoke_agent A
    chat gpt-4o-mini litespan.turn=1
    execute_tool echo litespan.turn=1
    chat gpt-4o-mini litespan.turn=2"""

SHOWN = """\
invoke_workflow A
  task Agent workflow
    invoke_agent A
      turn 1 litespan.turn=1
        chat gpt-4o-mini litespan.turn=1
        execute_tool echo litespan.turn=1
      turn 2 litespan.turn=2
        chat gpt-4o-mini litespan.turn=2"""


async def run(provider: Provider, config: RunConfig | None = None, *, stream: bool = False) -> None:
    """Run an agent for two turns."""
    provider.script("gpt-4o-mini", Reply.calls(ToolCall("echo")), Reply.says("done"))
    agent = Agent[None](name="A", model=litespan_model(provider), tools=[echo])
    await run_to_end(agent, stream=stream, run_config=config)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("turn_spans", "expected"), [(False, FOLDED), (True, SHOWN)])
async def test_turn_spans(provider: Provider, expected: str, *, turn_spans: bool, stream: bool) -> None:
    """The setting turn_spans shows the SDK's tasks and turns; without it their children say the turn."""
    with Capture(deterministic=True, turn_spans=turn_spans) as capture:
        await run(provider, stream=stream)

        assert expected == capture.tree("litespan.turn")


@pytest.mark.parametrize("turn_spans", [False, True])
async def test_sdk_may_leave_them_out(provider: Provider, *, turn_spans: bool) -> None:
    """A run whose tracing leaves tasks and turns out has the same tree, without turns, and is counted."""
    config = RunConfig(tracing={"include_task_and_turn_spans": False})
    with Capture(deterministic=True, turn_spans=turn_spans) as capture:
        await run(provider, config)

        assert "\n".join(line.split(" litespan")[0] for line in FOLDED.splitlines()) == capture.tree()
        assert 1 == capture.total("litespan.runs") == capture.total("litespan.runs", litespan__outcome="ok")
        assert 2 == capture.total("gen_ai.invoke_agent.inference_calls")
