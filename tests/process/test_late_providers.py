"""Global providers that the program sets after it instrumented. They can be set once a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.process.shell import python

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

MODEL_FIRST = """
import asyncio, sys, litespan
from agents import Agent, Runner
from opentelemetry import metrics, trace
from litespan.testing import Capture, Provider

mine = Capture()

def make_global():
    trace.set_tracer_provider(mine.tracer_provider)
    metrics.set_meter_provider(mine.meter_provider)

def run():
    asyncio.run(Runner.run(agent, "Hi"))
    return [mine.total("litespan.calls"), mine.count("gen_ai.client.operation.duration")]

def waits():
    from litespan import _api
    return not _api._instruments.of(metrics.get_meter_provider(), None).measurements.at_once

with Provider() as provider:
    model = litespan.LitellmModel("openai/gpt-4o-mini", base_url=provider.base_url, api_key="k")
    agent = Agent(name="Helper", model=model)
{body}
"""

ORDERS = {
    # What is measured for a provider of the SDK waits until it is asked, also where litespan came first.
    "instrument": (
        "make_global(); litespan.instrument(); print(run(), waits())",
        "[1.0, 1] True",
    ),
    "configure": ("make_global(); litespan.configure(); print(run())", "[1.0, 1]"),
    "out and in": (
        "make_global(); run(); litespan.uninstrument(); litespan.instrument(); run(); print(run())",
        "[3.0, 3]",
    ),
}


@pytest.mark.timeout(90)
@pytest.mark.parametrize(("body", "found"), ORDERS.values(), ids=ORDERS)
def test_a_model_that_was_made_before_the_providers(body: str, found: str, tmp_path: Path) -> None:
    """It has instrumented by itself, with no provider yet; whichever comes then has every metric."""
    done = python("-c", MODEL_FIRST.format(body=f"    {body}"), folder=tmp_path)

    assert (found, 0) == (done.stdout.strip(), done.returncode), done.stderr


BUILT = """
import asyncio, json, litespan
from agents import Agent, Runner
from litespan.testing import Provider

with Provider() as provider:
    model = litespan.LitellmModel("openai/gpt-4o-mini", base_url=provider.base_url, api_key="k")
    litespan.configure()
    asyncio.run(Runner.run(Agent(name="Helper", model=model), "Hi"))
    assert litespan.shutdown()
names = [
    metric["name"]
    for line in open("litespan-metrics.jsonl")
    for resource in json.loads(line)["resourceMetrics"]
    for scope in resource["scopeMetrics"]
    for metric in scope["metrics"]
]
print("litespan.calls" in names, "litespan.cost" in names, "gen_ai.client.operation.duration" in names)
"""


@pytest.mark.timeout(90)
def test_a_model_that_was_made_before_configure(tmp_path: Path) -> None:
    """What `configure()` builds has every metric, too."""
    done = python("-c", BUILT, folder=tmp_path)

    assert ("True True True", 0) == (done.stdout.strip(), done.returncode), done.stderr


@pytest.mark.timeout(90)
def test_global_providers_that_come_late_are_used(tmp_path: Path) -> None:
    """Spans and times go to the late providers from then on; counters hold what was before, too."""
    done = python("-c", LATE, folder=tmp_path)

    assert 0 == done.returncode, done.stderr
    tree, figures = done.stdout.rsplit("\n", 2)[:2]
    assert ["invoke_workflow", "  invoke_agent Helper", "    chat gpt-4o-mini"] == [
        line.removesuffix(" Helper") if line.startswith("invoke_workflow") else line
        for line in tree.splitlines()
    ]
    assert "2.0 1" == figures
    assert "" == done.stderr


OPEN_AT_EXIT = """
import litellm, litespan
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from litespan.testing import Provider

litespan.instrument()
mine = TracerProvider()
mine.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter(formatter=lambda span: span.name)))
trace.set_tracer_provider(mine)
provider = Provider().__enter__()
kept = litellm.completion(
    "openai/gpt-4o-mini", [{"role": "user", "content": "Hi"}],
    base_url=provider.base_url, api_key="k", stream=True,
)
next(kept)
"""


@pytest.mark.timeout(90)
def test_what_is_open_at_exit_ends_before_late_providers(tmp_path: Path) -> None:
    """A provider that was made after litespan ends itself first, but for what litespan does about it."""
    done = python("-c", OPEN_AT_EXIT, folder=tmp_path)

    assert (0, "chat gpt-4o-mini", "") == (done.returncode, done.stdout, done.stderr)
