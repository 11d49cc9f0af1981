"""`configure()`, `uninstrument()`, `flush()` and `shutdown()` in any order: nothing waits unseen."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.otlp_server import collector
from tests.fakes.ports import free_port
from tests.process.shell import python
from tests.waiting import KEPT

pytestmark = pytest.mark.timeout(120)

PROGRAM = """
import json, sys, threading, time
import litellm, litespan
from litespan import ConfigurationError
from litespan.testing import Provider, Reply

KEPT = {kept}
found = {{}}

def call():
    with Provider() as provider:
        provider.script("gpt-4.1-mini", Reply.says("Four."))
        litellm.completion(
            "openai/gpt-4.1-mini", [{{"role": "user", "content": "2 + 2?"}}],
            api_base=provider.base_url, api_key="none",
        )

{body}
print(json.dumps(found))
"""


def play(body: str, folder: Path, **environ: str) -> dict[str, Any]:
    """Run a program in a folder; return what it found."""
    variables = {"OTEL_BSP_SCHEDULE_DELAY": "3600000", **environ}
    done = python("-c", PROGRAM.format(body=body, kept=KEPT), folder=folder, **variables)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def spans_in(folder: Path) -> int:
    """Return the number of model calls' spans in the default file."""
    return (folder / "litespan-traces.jsonl").read_text().count('"name":"chat')


def test_what_waits_is_sent_at_exit(tmp_path: Path) -> None:
    """Taking litespan out of the hosts loses nothing that had ended before."""
    play("litespan.configure(); call(); litespan.uninstrument(); call()", tmp_path)

    assert spans_in(tmp_path) == 1


def test_flush_and_shutdown_go_on(tmp_path: Path) -> None:
    """After `uninstrument()` both still send and say the truth, and `stats()` counts."""
    body = """
litespan.configure(); call(); litespan.uninstrument()
found["waiting"] = litespan.stats()["export"]["traces"]["queued"]
found["flush"] = litespan.flush(5)
found["exported"] = litespan.stats()["export"]["traces"]["exported"]
found["shutdown"] = [litespan.shutdown(5), litespan.shutdown(5)]
"""
    expected = {"waiting": 1, "flush": True, "exported": 1, "shutdown": [True, True]}

    assert expected == play(body, tmp_path)


def test_set_up_anew(tmp_path: Path) -> None:
    """`configure()` after `uninstrument()` sends first what waits, and frees the port of the scrapes."""
    body = """
options = {"metrics_exporter": "prometheus", "prometheus_port": PORT}
litespan.configure(**options); call(); litespan.uninstrument()
litespan.configure(**options, service_name="b"); call()
found["flush"] = litespan.flush(5)
""".replace("PORT", str(free_port()))

    assert {"flush": True} == play(body, tmp_path)
    assert spans_in(tmp_path) == 2


def test_a_set_up_that_fails_ends_nothing(tmp_path: Path) -> None:
    """What was built before exports on if `configure()` after `uninstrument()` finds what cannot work."""
    body = """
from opentelemetry import trace
litespan.configure(); litespan.uninstrument()
try:
    litespan.configure(traces_file="no/such/folder/t.jsonl")
except ConfigurationError as error:
    found["error"] = str(error)
trace.get_tracer("the program").start_span("chat of the program").end()
found["flush"] = litespan.flush(5)
"""
    found = play(body, tmp_path)

    assert (True, 1) == (found["flush"], spans_in(tmp_path))
    assert "no/such/folder" in found["error"]


def test_a_flush_beside_a_shutdown_tells_the_truth(tmp_path: Path) -> None:
    """While nothing goes out, every answer is no, also those after the end."""
    body = """
litespan.configure(metrics_exporter="none"); call()
ending = threading.Thread(target=lambda: found.update(first=litespan.shutdown(6)))
ending.start()
while litespan.stats()["instrumented"]:
    time.sleep(0.01)
began = time.monotonic()
found["flush"] = litespan.flush(1)
found["in_time"] = time.monotonic() - began < 1 + KEPT
ending.join()
found["after"] = [litespan.shutdown(0.1), litespan.flush(0.1)]
"""
    with collector("http/protobuf", "black_hole") as received:
        found = play(body, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=received.endpoint)

    assert {"first": False, "flush": False, "in_time": True, "after": [False, False]} == found


@pytest.mark.parametrize("second", ["litespan.configure()", "litespan.configure(turn_spans=True)"])
def test_configure_after_instrument_is_refused(tmp_path: Path, second: str) -> None:
    """It would build exporters that nobody asked for before, or none: silence would look like success."""
    body = f"""
litespan.instrument()
try:
    {second}
except ConfigurationError as error:
    found["error"] = str(error)
litespan.uninstrument()
{second}; call()
found["flush"] = litespan.flush(5)
"""
    found = play(body, tmp_path)

    assert "litespan.uninstrument() first" in found["error"]
    assert found["flush"]
    assert spans_in(tmp_path) == 1


def test_a_processor_that_blocks(tmp_path: Path) -> None:
    """`flush` and `shutdown` return in time where a processor of the program exports in the ending thread."""
    body = """
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

provider = TracerProvider(shutdown_on_exit=False)
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(timeout=20)))
litespan.instrument(tracer_provider=provider)
answering = threading.Event()
with Provider() as fake:
    fake.script("gpt-4.1-mini", Reply.says("Four.", delay=60))
    threading.Thread(target=litellm.completion, daemon=True, kwargs={
        "model": "openai/gpt-4.1-mini", "messages": [{"role": "user", "content": "2 + 2?"}],
        "api_base": fake.base_url, "api_key": "none",
    }).start()
    while not litespan.stats()["records_open"]:
        time.sleep(0.01)
    began = time.monotonic()
    found["shutdown"] = litespan.shutdown(1)
    found["in_time"] = time.monotonic() - began < 1 + KEPT
    print(json.dumps(found), flush=True)
    import os
    os._exit(0)
"""
    with collector("http/protobuf", "black_hole") as received:
        found = play(body, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=received.endpoint)

    assert {"shutdown": False, "in_time": True} == found


OWN_PROVIDER = """
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

class Doing(SpanProcessor):
    def on_end(self, span):
        do()

provider = TracerProvider(shutdown_on_exit=False)
provider.add_span_processor(Doing())
litespan.instrument(tracer_provider=provider)
from agents.tracing import trace

def leave_open():
    unfinished = trace("Unfinished")
    unfinished.start()
    return unfinished
"""


@pytest.mark.parametrize(
    ("do", "end"),
    [
        # shutdown() keeps its time, but waits for a lock that its own caller holds.
        ("lock.acquire(); lock.release()", "uninstrument()"),
        *itertools.product(
            ["litespan.shutdown(5)", "litespan.flush(5)", "litespan.LitellmModel('openai/gpt-4o')"],
            ["uninstrument()", "shutdown(5)"],
        ),
    ],
)
def test_a_processor_that_comes_back(tmp_path: Path, do: str, end: str) -> None:
    """What a processor of the program does when a span ends, with locks and with litespan, hangs nothing."""
    body = f"""
lock = threading.RLock()
def do():
    {do}
{OWN_PROVIDER}
kept = leave_open()
began = time.monotonic()
with lock:
    found["answer"] = litespan.{end}
found["seconds"] = time.monotonic() - began
"""
    found = play(body, tmp_path)

    assert found["answer"] in {None, True}
    assert found["seconds"] < 3


def test_a_flush_inside_a_flush(tmp_path: Path) -> None:
    """A processor that flushes at each end waits for nobody, and hears the truth."""
    body = f"""
answers = []
def do():
    answers.append(litespan.flush(5))
{OWN_PROVIDER}
from agents.tracing import agent_span
for _ in range(3):
    ended = leave_open()
    agent_span("never ends", parent=ended).start()
    ended.finish()
began = time.monotonic()
found["outer"], found["inner"] = litespan.flush(5), answers
found["seconds"] = time.monotonic() - began
"""
    found = play(body, tmp_path)

    assert (True, [True] * 6) == (found["outer"], found["inner"])
    assert found["seconds"] < 3


def test_every_shutdown_tells_the_same(tmp_path: Path) -> None:
    """A second call, at the same time or later, takes its own time and says what the first one said."""
    body = f"""
exporting = threading.Event()
def do():
    exporting.set(); time.sleep(60)
{OWN_PROVIDER}
kept = leave_open()
first = threading.Thread(target=lambda: found.update(first=litespan.shutdown(6)))
first.start(); exporting.wait()
began = time.monotonic()
found["second"], found["flush"] = litespan.shutdown(0.5), litespan.flush(0.5)
found["seconds"] = time.monotonic() - began
first.join()
found["later"] = litespan.shutdown(0.5)
print(json.dumps(found), flush=True)
import os
os._exit(0)
"""
    found = play(body, tmp_path)

    assert [False] * 4 == [found[name] for name in ("first", "second", "flush", "later")]
    assert found["seconds"] < 0.5 + 0.5 + KEPT


def test_shutdown_waits_for_no_set_up(tmp_path: Path) -> None:
    """While another thread sets litespan up, and a processor of the program holds it up, the time is kept."""
    body = """
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

class Hanging(SpanProcessor):
    def on_end(self, span):
        hangs.set()
        time.sleep(60)

hangs = threading.Event()
provider = TracerProvider(shutdown_on_exit=False)
provider.add_span_processor(Hanging())
trace.set_tracer_provider(provider)
litespan.LitellmModel("openai/gpt-4.1-mini")
import agents
unfinished = agents.trace("Unfinished")
unfinished.start()
threading.Thread(target=litespan.instrument, daemon=True).start()
hangs.wait(30)
began = time.monotonic()
found["shutdown"] = litespan.shutdown(1)
found["in_time"] = time.monotonic() - began < 1 + KEPT
print(json.dumps(found), flush=True)
import os
os._exit(0)
"""
    assert {"shutdown": False, "in_time": True} == play(body, tmp_path)
