"""A forked child sends its own data only, and its counts are its own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.fakes.otlp_server import collector
from tests.process.shell import python

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

PROGRAM = """
import json, os, sys, time
from litespan.export.pipeline import build
from litespan.settings import load_settings

pipeline = build(load_settings())
tracer = pipeline.tracer_provider.get_tracer("test")
counter = pipeline.meter_provider.get_meter("test").create_counter("tokens")

def work(name, tokens):
    with tracer.start_as_current_span(name):
        counter.add(tokens)

work("parent before", 100)
if sys.argv[1] == "sent":
    assert pipeline.flush(5)
child = os.fork()
if child == 0:
    assert pipeline.flush(5)
    work("child", 7)
    flushed = pipeline.flush(5)
    print(json.dumps({"flushed": flushed, **pipeline.stats()["traces"]}), flush=True)
    assert pipeline.shutdown(5)
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0
work("parent after", 1000)
assert pipeline.shutdown(5)
"""


ADOPTED = """
import json, os, sys
import litellm, litespan
from opentelemetry import metrics
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, ObservableCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from litespan.testing import Provider

class Own(metrics.MeterProvider):
    def get_meter(self, *args, **kwargs):
        return sdk.get_meter(*args, **kwargs)

delta = AggregationTemporality.DELTA
since_last = InMemoryMetricReader(
    preferred_temporality={Counter: delta, ObservableCounter: delta, Histogram: delta}
)
since_start = InMemoryMetricReader()
sdk = MeterProvider([since_last, since_start], shutdown_on_exit=False)

def call():
    litellm.completion("openai/m", [], base_url=provider.base_url, api_key="k")

def told(reader):
    scopes = reader.get_metrics_data().resource_metrics[0].scope_metrics
    points = {metric.name: metric.data.data_points[0] for metric in scopes[0].metrics}
    return [points["litespan.calls"].value, points["gen_ai.client.operation.duration"].count]

with Provider() as provider:
    litespan.instrument(meter_provider=sdk if sys.argv[1] == "sdk" else Own())
    for _ in range(3):
        call()
    assert told(since_last) == told(since_start) == [3, 3]
    call()
    if os.fork() == 0:
        call()
        first = [told(since_last), told(since_start)]
        call()
        print(json.dumps([*first, told(since_last), told(since_start)]), flush=True)
        os._exit(0)
    os.wait()
    assert told(since_last) == [1, 1]
"""


@pytest.mark.parametrize(
    ("provider", "told"),
    [("sdk", [[1, 1], [1, 1], [1, 1], [2, 2]]), ("own", [[2, 2], [5, 5], [1, 1], [6, 6]])],
)
def test_child_under_a_provider_of_the_program(provider: str, told: list[list[int]]) -> None:
    """Its metrics are its own where the provider is the SDK's; elsewhere counters never go back."""
    done = python("-W", "ignore::DeprecationWarning", "-c", ADOPTED, provider)

    assert 0 == done.returncode, done.stderr
    assert told == json.loads(done.stdout.splitlines()[-1])


def token_sums(requests: list[dict[str, object]]) -> dict[str, int]:
    """Return the last value of the counter by service instance."""
    sums: dict[str, int] = {}
    for request in requests:
        for resource in request["resourceMetrics"]:  # type: ignore[attr-defined]
            attributes = {a["key"]: a["value"]["stringValue"] for a in resource["resource"]["attributes"]}
            for scope in resource["scopeMetrics"]:
                for metric in scope["metrics"]:
                    (point,) = metric["sum"]["dataPoints"]
                    sums[attributes["service.instance.id"]] = int(point["asInt"])
    return sums


@pytest.mark.parametrize("before_fork", ["sent", "waiting"])
def test_child_sends_only_its_own(tmp_path: Path, before_fork: str) -> None:
    """Each span arrives once, the counters of both processes add up, and the child counts from zero."""
    with collector() as received:
        done = python(
            *("-W", "ignore::DeprecationWarning", "-c", PROGRAM, before_fork),
            folder=tmp_path,
            OTEL_EXPORTER_OTLP_ENDPOINT=received.endpoint,
            OTEL_METRICS_EXPORTER="litespan_file",
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(span.name for span in received.spans()) == ["child", "parent after", "parent before"]
    child = json.loads(done.stdout)
    assert child["flushed"] is True
    assert (child["handed_over"], child["exported"], child["queued"]) == (1, 1, 0)
    lines = (tmp_path / "litespan-metrics.jsonl").read_text().splitlines()
    assert sorted(token_sums([json.loads(line) for line in lines]).values()) == [7, 1100]


DAEMON = """
import os
from opentelemetry import trace
import litespan

litespan.configure(metrics_exporter="none")
child = os.fork()
if child == 0:
    os.chdir("elsewhere")
    trace.get_tracer("test").start_span("child").end()
    litespan.shutdown(5)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


def test_child_in_another_folder_writes_the_same_file(tmp_path: Path) -> None:
    """A daemon, which forks and changes its folder, writes where the program said."""
    (tmp_path / "elsewhere").mkdir()
    done = python("-W", "ignore::DeprecationWarning", "-c", DAEMON, folder=tmp_path)

    assert (0, "") == (done.returncode, done.stderr)
    assert '"name":"child"' in (tmp_path / "litespan-traces.jsonl").read_text()
    assert [] == list((tmp_path / "elsewhere").iterdir())
