"""Global providers that the program sets after it instrumented. They can be set once a process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

LATE = """
import asyncio, litellm, litespan
from agents import Agent, Runner
from opentelemetry import metrics, trace
from litespan.testing import Capture, Provider

litespan.instrument()
mine = Capture()

async def main():
    with Provider() as provider:
        model = litespan.LitellmModel("openai/gpt-4o-mini", base_url=provider.base_url, api_key="k")
        agent = Agent(name="Helper", model=model)
        await Runner.run(agent, "too early")
        trace.set_tracer_provider(mine.tracer_provider)
        metrics.set_meter_provider(mine.meter_provider)
        await Runner.run(agent, "Hi")
    assert litespan.flush()

asyncio.run(main())
print(mine.tree())
print(mine.total("litespan.calls"), mine.count("gen_ai.client.operation.duration"))
trace.get_tracer_provider().shutdown()
assert litespan.shutdown()
"""


@pytest.mark.timeout(90)
def test_global_providers_that_come_late_are_used() -> None:
    """Spans and times go to the late providers from then on; counters hold what was before, too."""
    done = subprocess.run(
        [sys.executable, "-c", LATE],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=80,
    )

    assert 0 == done.returncode, done.stderr
    tree, figures = done.stdout.rsplit("\n", 2)[:2]
    assert ["invoke_workflow", "  invoke_agent Helper", "    chat gpt-4o-mini"] == [
        line.removesuffix(" Helper") if line.startswith("invoke_workflow") else line
        for line in tree.splitlines()
    ]
    assert "2.0 1" == figures
    assert "" == done.stderr
