"""The class that OpenTelemetry's tools call, called by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tomli

from tests.process.shell import python

PROGRAM = """
import json, os, signal
import litespan
from litespan.auto import LitespanInstrumentor
instrumentor = LitespanInstrumentor()
found = {{}}
on = lambda: litespan.stats()["instrumented"]
handled = lambda: signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
{body}
print(json.dumps(found))
"""


def run(body: str) -> dict[str, Any]:
    """Run a body in a fresh process; return what it found."""
    done = python("-c", PROGRAM.format(body=body))
    assert (0, "") == (done.returncode, done.stderr)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_on_and_off() -> None:
    """`instrument()` and `uninstrument()` put litespan in and take it out, its signal handler too."""
    found = run(
        "instrumentor.instrument(); found['in'] = [on(), handled()]\n"
        "instrumentor.uninstrument(); found['out'] = [on(), handled()]\n"
        "instrumentor.instrument(); found['again'] = [on(), handled()]"
    )

    assert {"in": [True, True], "out": [False, False], "again": [True, True]} == found


def test_without_the_extra() -> None:
    """Without OpenTelemetry's packages for it, the import says what to install, as the extra has it."""
    program = "import sys; sys.modules['opentelemetry.instrumentation'] = None; import litespan.auto"
    done = python("-c", program)
    project = tomli.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    (needed,) = project["project"]["optional-dependencies"]["auto"]

    assert done.stderr.endswith(f"not installed: pip install '{needed}'\n")


def test_arguments_are_those_of_instrument() -> None:
    """With arguments it is `litespan.instrument()`: they hold, and wrong ones are errors."""
    found = run(
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "instrumentor.instrument(tracer_provider=TracerProvider(), turn_spans=True)\n"
        "found['in'] = [on(), handled()]\n"
        "instrumentor.uninstrument()\n"
        "try:\n    instrumentor.instrument(turn_span=True)\n"
        "except litespan.ConfigurationError as error:\n    found['error'] = str(error)"
    )

    assert [True, False] == found["in"]
    assert "Did you mean 'turn_spans'?" in found["error"]


@pytest.mark.parametrize(
    "call", ["litespan.instrument(turn_spans=True)", "litespan.configure(turn_spans=True)"]
)
def test_set_up_in_code_goes_before(call: str) -> None:
    """A set-up in the program's code replaces the one from outside, and is not replaced by it."""
    settings = "__import__('litespan._api')._api._installed.settings.turn_spans"
    found = run(
        "os.environ['OTEL_TRACES_EXPORTER'] = os.environ['OTEL_METRICS_EXPORTER'] = 'none'\n"
        f"instrumentor.instrument(); found['first'] = {settings}\n"
        f"{call}; found['then'] = {settings}\n"
        f"LitespanInstrumentor._is_instrumented_by_opentelemetry = False\n"
        f"instrumentor._is_instrumented_by_opentelemetry = False\n"
        f"instrumentor.instrument(); found['last'] = {settings}"
    )

    assert {"first": False, "then": True, "last": True} == found


def test_instrument_after_configure_changes_nothing() -> None:
    """`instrument()` after `configure()` is no contradiction, whatever the variables say about exports."""
    found = run(
        "os.environ['OTEL_TRACES_EXPORTER'] = os.environ['OTEL_METRICS_EXPORTER'] = 'none'\n"
        "litespan.configure(service_name='helper'); litespan.instrument(); found['on'] = on()"
    )

    assert found["on"]


def test_dependencies_are_those_of_the_project() -> None:
    """The packages that are said to be instrumented are those that the project requires."""
    from litespan.auto import LitespanInstrumentor

    manifest = Path(__file__).parents[2].joinpath("pyproject.toml").read_text(encoding="utf-8")
    required = tomli.loads(manifest)["project"]["dependencies"]

    assert {name.replace(" ", "") for name in LitespanInstrumentor().instrumentation_dependencies()} <= set(
        required
    )
