"""What importing litespan does (nothing), and how it finds hosts that are imported later."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.process.shell import python

IMPORTED = """
import json, sys, threading
import opentelemetry.trace, opentelemetry.metrics
before = threading.enumerate()
import litespan
{body}
print(json.dumps({{
    "modules": sorted(name for name in sys.modules),
    "threads": len(threading.enumerate()) - len(before),
    "providers": [opentelemetry.trace._TRACER_PROVIDER, opentelemetry.metrics._internal._METER_PROVIDER],
    **globals().get("found", {{}}),
}}, default=lambda value: type(value).__name__))
"""


def run(body: str = "") -> dict[str, Any]:
    """Import litespan in a fresh process, run a body, and return what the process looks like then."""
    done = python("-c", IMPORTED.format(body=body))
    assert 0 == done.returncode, done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "body",
    ["", "litespan.ConfigurationError; litespan.stats; litespan.instrument; dir(litespan)"],
    ids=["import only", "names used"],
)
def test_import_starts_nothing(body: str) -> None:
    """`import litespan`, and using its names, imports no host, starts no thread and sets no provider."""
    state = run(body)

    assert not {"litellm", "agents"} & set(state["modules"])
    assert 0 == state["threads"]
    assert [None, None] == state["providers"]


def test_import_does_not_load_the_sdk() -> None:
    """`import litespan` loads nothing of OpenTelemetry's SDK."""
    assert [] == [name for name in run()["modules"] if name.startswith("opentelemetry.sdk")]


def test_instrument_without_hosts_imports_none() -> None:
    """`instrument()` in a program that uses neither host imports neither."""
    state = run("litespan.instrument()\nfound = {'on': litespan.stats()['instrumented']}")

    assert state["on"]
    assert not {"litellm", "agents"} & set(state["modules"])
    assert [None, None] == state["providers"]


def test_instrument_imports_nothing_that_exports() -> None:
    """`instrument()` leaves exports to the program's providers: no exporter and no log record is imported."""
    modules = set(run("litespan.instrument()")["modules"])

    assert "litespan.export.pipeline" in modules
    assert not {"litespan.export.exporters", "litespan.export.paths", "opentelemetry.sdk._logs"} & modules


LATER = """
litespan.instrument()
import litellm, wrapt
names = ("acompletion", "aresponses")
found = {"wrapped": [isinstance(getattr(litellm, name), wrapt.FunctionWrapper) for name in names]}
wrapped = litellm.acompletion
import agents
from agents.tracing import get_trace_provider
found["processors"] = [type(p).__module__ for p in get_trace_provider()._multi_processor._processors]
litespan.uninstrument()
found["undone"] = litellm.acompletion is not wrapped
found["left"] = [type(p).__module__ for p in get_trace_provider()._multi_processor._processors]
"""


def test_hosts_imported_later_are_instrumented() -> None:
    """After `instrument()` hosts are instrumented as they are imported; `uninstrument()` undoes it."""
    state = run(LATER)

    assert [True] * 2 == state["wrapped"]
    assert ["litespan.sources.agents_processor"] == state["processors"]
    assert state["undone"]
    assert ["agents.tracing.processors"] == state["left"]


NEVER = """
litespan.instrument()
litespan.uninstrument()
import litellm, agents
from agents.tracing import get_trace_provider
found = {
    "acompletion": type(litellm.acompletion).__name__,
    "left": [type(p).__module__ for p in get_trace_provider()._multi_processor._processors],
}
"""


def test_uninstrument_before_the_hosts_come() -> None:
    """Hosts that are imported after `uninstrument()` are left alone."""
    state = run(NEVER)

    assert "function" == state["acompletion"]
    assert ["agents.tracing.processors"] == state["left"]


def test_model_instruments_by_being_made() -> None:
    """Constructing a `litespan.LitellmModel` is enough, and leaves the program's processors alone."""
    state = run(
        "litespan.LitellmModel('openai/gpt-4o')\nimport litellm, wrapt\n"
        "from agents.tracing import get_trace_provider\n"
        "found = {'wrapped': isinstance(litellm.acompletion, wrapt.FunctionWrapper),"
        "'all': [type(p).__module__ for p in get_trace_provider()._multi_processor._processors]}"
    )

    assert state["wrapped"]
    assert ["litespan.sources.agents_processor", "agents.tracing.processors"] == state["all"]
    assert [None, None] == state["providers"]


PRICED = """
import asyncio, sys
from agents import Agent, OpenAIResponsesModel, Runner
from openai import AsyncOpenAI
from litespan.testing import Capture, Provider, Reply

async def main():
    with Provider() as provider, Capture() as capture:
        model = OpenAIResponsesModel("gpt-4o-mini", AsyncOpenAI(base_url=provider.base_url, api_key="k"))
        provider.script("gpt-4o-mini", Reply.says("hi", model="gpt-4o"))  # whose price was it?
        await Runner.run(Agent(name="A", model=model), "hi")
        await Runner.run(Agent(name="A", model=model), "hi")
        before = capture.total("litespan.cost")
        assert "litellm" not in sys.modules
        import litellm
        await Runner.run(Agent(name="A", model=model), "hi")
        return {"before": before, "both": capture.total("litespan.cost")}

found = asyncio.run(main())
"""


def test_prices_need_no_import_of_litellm() -> None:
    """A program without LiteLLM's models pays what the table in LiteLLM's package says."""
    state = run(PRICED)

    assert state["before"] > 0
    assert state["both"] == pytest.approx(2 * state["before"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("litespan.configure(service='x')", "Unknown setting 'service'. Did you mean 'service_name'?"),
        ("litespan.configure(traces_exporter='jaeger')", "Valid values: otlp, console, litespan_file, none"),
        ("litespan.instrument(prices={'m': {'input': -1, 'output': 1}})", "0 or more"),
        ("litespan.configure(metric_interval=0)", "greater than 0"),
        ("litespan.instrument(meter_provider=3)", "meter_provider must be an OpenTelemetry provider"),
        (
            "os.environ['OTEL_METRICS_EXPORTER'] = 'statsd'; litespan.configure()",
            "OTEL_METRICS_EXPORTER='statsd'",
        ),
    ],
)
def test_wrong_settings_are_clear_errors(call: str, message: str) -> None:
    """A wrong setting raises where it is configured, says what is valid, and leaves nothing installed."""
    state = run(
        f"import os\ntry:\n    {call}\nexcept litespan.ConfigurationError as error:\n"
        "    found = {'error': str(error), 'on': litespan.stats()['instrumented']}"
    )

    assert message in state["error"]
    assert not state["on"]
    assert 0 == state["threads"]


def test_blocks_need_no_opentelemetry() -> None:
    """`litespan.using` works without litespan being set up, and loads neither a host nor OpenTelemetry."""
    state = run(
        "with litespan.using(user='u', propagate=True):\n    pass\n"
        "found = {'api': 'litespan._api' in sys.modules, 'on': litespan.using.__module__}"
    )

    assert not state["api"]
    assert "litespan.context" == state["on"]
    assert not {"litellm", "agents", "opentelemetry.baggage"} & set(state["modules"])


def test_public_names() -> None:
    """These names, and no others, are what litespan offers."""
    assert [
        "ConfigurationError", "LitellmModel", "LitellmProvider", "configure", "flush", "instrument",
        "shutdown", "stats", "testing", "uninstrument", "using",
    ] == run("found = {'names': dir(litespan)}")["names"]  # fmt: skip
