"""Programs that know nothing of litespan, started by the real ``opentelemetry-instrument``."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from litespan.testing import Provider
from tests.fakes.otlp_server import Received, collector
from tests.process.zero_code.commands import INSTRUMENT, PROGRAMS, environment, finish, start

pytestmark = pytest.mark.timeout(240)

LOOK = "import litespan; print(litespan.stats()['instrumented'])"
NOWHERE = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}
PROGRAM = [sys.executable, str(PROGRAMS / "program.py")]
FILES = {"OTEL_TRACES_EXPORTER": "litespan_file", "OTEL_METRICS_EXPORTER": "litespan_file"}
# What litespan measures of itself is only there while it runs.
OF_ITSELF = ("litespan.records.open", "litespan.export.queue.size")

# Commands and variables; they run side by side, because their imports take seconds.
CASES: dict[str, tuple[list[str], dict[str, str]]] = {
    "zero code": ([INSTRUMENT, *PROGRAM], {"OTEL_TRACES_EXPORTER": "otlp,console"}),
    "in code": ([sys.executable, str(PROGRAMS / "instrumented.py")], {}),
    "configured": ([INSTRUMENT, sys.executable, str(PROGRAMS / "configured.py")], FILES),
}


class Runs:
    """The ended commands: what they printed, sent and wrote."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        provider = stack.enter_context(Provider())
        self.received: dict[str, Received] = {}
        self.folders: dict[str, Path] = {}
        running: dict[str, subprocess.Popen[str]] = {}
        for name, (command, variables) in CASES.items():
            self.folders[name] = folder / name
            self.folders[name].mkdir()
            self.received[name] = stack.enter_context(collector())
            env = environment(provider.base_url, self.received[name].endpoint)
            running[name] = start(command, self.folders[name], env | variables)
        self.ended = {name: finish(process) for name, process in running.items()}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Run all commands."""
    with ExitStack() as stack:
        yield Runs(tmp_path_factory.mktemp("zero"), stack)


@pytest.mark.parametrize("name", CASES)
def test_program_runs_as_ever(runs: Runs, name: str) -> None:
    """The program prints its answer and ends well, and nothing is complained of."""
    code, output, errors = runs.ended[name]

    assert (0, "") == (code, errors)
    assert "Hello from the fake provider." in output


def tree(received: Received) -> Counter[tuple[str, str, tuple[str, ...]]]:
    """Return each span's name, its parent's name and the names of its attributes."""
    names = {span.span_id: span.name for span in received.spans()}
    return Counter(
        (span.name, names.get(span.parent_span_id, ""), tuple(sorted(item.key for item in span.attributes)))
        for span in received.spans()
    )


def totals(received: Received) -> dict[tuple[str, str], float]:
    """Return the total of each metric; of histograms, whose sums may be times, the number of measurements."""
    return {
        (metric.name, metric.unit): sum(point.count for point in metric.histogram.data_points)
        or sum(point.as_int or point.as_double for point in metric.sum.data_points)
        for metric in received.metrics()
        if metric.name not in OF_ITSELF
    }


def test_same_as_in_code(runs: Runs) -> None:
    """Spans and metrics are those that `instrument()` in the program's code gives, the last ones included."""
    ours, theirs = runs.received["zero code"], runs.received["in code"]

    assert ["chat gpt-4.1-mini", "invoke_agent Helper", "invoke_workflow Helper"] == sorted(
        span.name for span in ours.spans()
    )
    assert tree(theirs) == tree(ours)
    assert totals(theirs) == totals(ours)
    assert 1 == ours.sum_of("litespan.calls")


def test_service_name_is_the_standard_one(runs: Runs) -> None:
    """`OTEL_SERVICE_NAME` names the service."""
    (resource,) = [item.resource for item in runs.received["zero code"].trace_requests[0].resource_spans]

    assert "helper" == next(a.value.string_value for a in resource.attributes if a.key == "service.name")


def test_console_by_name(runs: Runs) -> None:
    """OpenTelemetry's console exporter prints the spans, if it is asked for."""
    assert '"name": "chat gpt-4.1-mini"' in runs.ended["zero code"][1]


def spans_in(file: Path) -> list[str]:
    """Return the names of the spans in a file of OTLP JSON lines."""
    return [
        span["name"]
        for line in file.read_text(encoding="utf-8").splitlines()
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def test_files_by_name(runs: Runs) -> None:
    """`litespan_file` works as an exporter of OpenTelemetry's own set-up; nothing is sent then."""
    folder = runs.folders["configured"]

    assert "invoke_workflow Helper" in spans_in(folder / "litespan-traces.jsonl")
    assert '"litespan.calls"' in (folder / "litespan-metrics.jsonl").read_text(encoding="utf-8")
    assert [] == runs.received["configured"].headers


def test_program_may_configure_too(runs: Runs) -> None:
    """A set-up in the code replaces the one from outside: its settings hold, and no span is doubled."""
    names = spans_in(runs.folders["configured"] / "litespan-traces.jsonl")

    assert {"chat gpt-4.1-mini": 1, "invoke_agent Helper": 1, "turn 1": 1}.items() <= Counter(names).items()


@pytest.mark.parametrize(
    "variable", ["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=httpx, litespan", "OTEL_SDK_DISABLED=true"]
)
def test_switched_off(tmp_path: Path, variable: str) -> None:
    """OpenTelemetry's switches for one instrumentation and for all of it leave litespan out."""
    name, value = variable.split("=")
    env = environment("", "http://127.0.0.1:9") | NOWHERE | {name: value}
    code, output, errors = finish(start([INSTRUMENT, sys.executable, "-c", LOOK], tmp_path, env))

    assert (0, "False\n", "") == (code, output, errors)


def test_wrong_variable_stops_nothing(tmp_path: Path) -> None:
    """A wrong variable of litespan's is one clear line; the program runs, other instrumentations too."""
    env = environment("", "http://127.0.0.1:9") | NOWHERE | {"LITESPAN_TURN_SPANS": "maybe"}
    code, output, errors = finish(start([INSTRUMENT, sys.executable, "-c", "print('ran')"], tmp_path, env))

    assert (0, "ran\n") == (code, output)
    assert "litespan is off: LITESPAN_TURN_SPANS='maybe' is no boolean: use true or false.\n" == errors


def test_unknown_exporter_is_not_ours_to_judge(tmp_path: Path) -> None:
    """Exporters that litespan does not know are fine where OpenTelemetry makes them.

    Also if the program sets litespan up itself.
    """
    env = environment("", "http://127.0.0.1:9") | NOWHERE | {"OTEL_TRACES_EXPORTER": "otlp_proto_http"}
    started = [
        start([INSTRUMENT, sys.executable, "-c", program], tmp_path, env)
        for program in (LOOK, f"import litespan; litespan.configure(); {LOOK}")
    ]

    assert [(0, "True\n", "")] * 2 == [finish(process) for process in started]
