"""Events and processes: whose logger provider is used, what a child sends, what an exit sends."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.fakes.otlp_server import collector
from tests.process.shell import python

EVENTS = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "EVENT_ONLY"}

APPLICATION_HAS_LOGS = """
import logging
from opentelemetry import _logs
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, InMemoryLogRecordExporter
from litespan.export.pipeline import build
from litespan.settings import load_settings

logging.basicConfig(format="%(levelname)s %(message)s")
memory = InMemoryLogRecordExporter()
mine = LoggerProvider()
mine.add_log_record_processor(BatchLogRecordProcessor(memory))
_logs.set_logger_provider(mine)

pipeline = build(load_settings(logs_exporter="console", traces_exporter="none", metrics_exporter="none"))
assert pipeline.logger_provider is mine
print(pipeline.describe()[-1])
pipeline.logger_provider.get_logger("t").emit(LogRecord(event_name="one"))
assert pipeline.flush(5)
assert ["one"] == [r.log_record.event_name for r in memory.get_finished_logs()]
assert pipeline.shutdown(5)
pipeline.logger_provider.get_logger("t").emit(LogRecord(event_name="two"))
mine.force_flush()
assert ["one", "two"] == [r.log_record.event_name for r in memory.get_finished_logs()]
"""

NOTHING_SET = """
from opentelemetry import _logs
from opentelemetry._logs import LogRecord
from litespan.export.pipeline import adopt, build
from litespan.settings import load_settings

early = _logs.get_logger("the program itself")
watcher = adopt(events=True)
pipeline = build(load_settings())
assert _logs.get_logger_provider() is pipeline.logger_provider
early.emit(LogRecord(event_name="joined"))
watcher.logger_provider.get_logger("litespan").emit(LogRecord(event_name="of a provider set later"))
assert watcher.flush(5), "the provider that was set later is flushed"
text = open("litespan-logs.jsonl").read()
assert "joined" in text and "of a provider set later" in text
assert pipeline.shutdown(5)
"""

FORKS = """
import json, os
from opentelemetry._logs import LogRecord
from litespan.export.pipeline import build
from litespan.settings import load_settings

pipeline = build(load_settings(traces_exporter="none", metrics_exporter="none"))
logger = pipeline.logger_provider.get_logger("test")
logger.emit(LogRecord(event_name="parent before"))
child = os.fork()
if child == 0:
    assert pipeline.flush(5)
    logger.emit(LogRecord(event_name="child"))
    flushed = pipeline.flush(5)
    print(json.dumps({"flushed": flushed, **pipeline.stats()["logs"]}), flush=True)
    assert pipeline.shutdown(5)
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0
logger.emit(LogRecord(event_name="parent after"))
assert pipeline.shutdown(5)
"""

CONFIGURED = """
import litellm
import litespan

litespan.configure(traces_exporter="none", metrics_exporter="none")
litellm.completion(
    model="openai/gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}], mock_response="Hello."
)
"""


def run(program: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    variables = {**EVENTS, **environ}
    return python("-W", "ignore::DeprecationWarning", "-c", program, folder=cwd, **variables)


def test_the_applications_provider_is_used_and_never_ended(tmp_path: Path) -> None:
    """The application's logger provider is flushed and lives on; an exporter asked in vain is one warning."""
    done = run(APPLICATION_HAS_LOGS, tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout == "logs: the application's own OpenTelemetry provider\n"
    (warning,) = done.stderr.splitlines()
    assert warning.startswith("WARNING litespan ignores logs_exporter")
    assert [] == list(tmp_path.iterdir())


def test_what_is_missing_is_built_and_made_global(tmp_path: Path) -> None:
    """Without a provider litespan's own becomes the global one; records of the program join."""
    done = run(NOTHING_SET, tmp_path)

    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_child_sends_only_its_own(tmp_path: Path) -> None:
    """Each event arrives once, and the child's counts are its own."""
    with collector() as received:
        done = run(FORKS, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=received.endpoint)

    assert (done.returncode, done.stderr) == (0, "")
    assert ["child", "parent after", "parent before"] == sorted(log.event_name for log in received.logs())
    child = json.loads(done.stdout)
    assert (True, 1, 1, 0) == (child["flushed"], child["handed_over"], child["exported"], child["queued"])


def test_the_exit_sends_what_is_waiting(tmp_path: Path) -> None:
    """A program that only configures leaves its events in the file, with the content as values."""
    done = run(CONFIGURED, tmp_path)

    assert done.returncode == 0, done.stderr
    assert ["litespan-logs.jsonl"] == [path.name for path in tmp_path.iterdir()]
    (line,) = (tmp_path / "litespan-logs.jsonl").read_text(encoding="utf-8").splitlines()
    (record,) = json.loads(line)["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    assert "gen_ai.client.inference.operation.details" == record["eventName"]
    values = {attribute["key"]: attribute["value"] for attribute in record["attributes"]}
    assert "arrayValue" in values["gen_ai.output.messages"]
