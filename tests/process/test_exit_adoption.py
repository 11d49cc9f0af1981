"""Global providers: adopted if the application has them, else built and set. Each case needs a process."""

from __future__ import annotations

import re
from pathlib import Path

from tests.process.shell import python

APPLICATION_HAS_TRACES = """
import logging, threading
from opentelemetry import metrics, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from litespan.export.pipeline import build
from litespan.settings import load_settings

logging.basicConfig(format="%(levelname)s %(message)s")
memory = InMemorySpanExporter()
mine = TracerProvider()
mine.add_span_processor(BatchSpanProcessor(memory))
trace.set_tracer_provider(mine)

pipeline = build(load_settings(traces_exporter="console"))
assert pipeline.tracer_provider is mine
assert pipeline.meter_provider is metrics.get_meter_provider()
print(pipeline.describe()[0])
pipeline.tracer_provider.get_tracer("t").start_span("one").end()
assert pipeline.flush(5)
assert [s.name for s in memory.get_finished_spans()] == ["one"]
assert pipeline.shutdown(5)
pipeline.tracer_provider.get_tracer("t").start_span("two").end()
mine.force_flush()
assert [s.name for s in memory.get_finished_spans()] == ["one", "two"]
"""

NOTHING_SET = """
from opentelemetry import metrics, trace
from litespan.export.pipeline import adopt, build
from litespan.settings import load_settings

early = trace.get_tracer("the program itself")
watcher = adopt()
assert watcher.flush(1)
pipeline = build(load_settings())
assert trace.get_tracer_provider() is pipeline.tracer_provider
assert metrics.get_meter_provider() is pipeline.meter_provider
early.start_span("joined").end()
assert watcher.flush(5), "the provider that was set later is flushed"
assert "joined" in open("litespan-traces.jsonl").read()
assert pipeline.shutdown(5)

again = build(load_settings())
assert again.tracer_provider is not pipeline.tracer_provider
again.tracer_provider.get_tracer("t").start_span("second life").end()
assert again.flush(5)
assert "second life" in open("litespan-traces.jsonl").read()
assert again.shutdown(5)
"""


def test_the_applications_provider_is_used_and_never_ended(tmp_path: Path) -> None:
    """A provider of the application is flushed and lives on; an exporter asked for in vain is one warning."""
    done = python("-c", APPLICATION_HAS_TRACES, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "traces: the application's own OpenTelemetry provider\n"
    (warning,) = done.stderr.splitlines()
    assert warning.startswith("WARNING litespan ignores traces_exporter")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["litespan-metrics.jsonl"]


def test_what_is_missing_is_built_and_made_global(tmp_path: Path) -> None:
    """Spans of the program's own tracers join; after a shutdown a new pipeline works, and says what lacks."""
    done = python("-c", NOTHING_SET, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("OpenTelemetry keeps the first global provider") == 2
    assert re.findall(r"litespan's own (\w+)", done.stderr) == ["spans", "metrics"]
