"""What switches the whole or a part off, and what is kept of traces."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import sampling as sdk

from litespan.cli.checks.finding import Finding, Status
from litespan.cli.checks.sampling import KNOWN, check_sampling
from litespan.cli.checks.tracing import check_switches
from litespan.settings import load_settings


def switches(**environ: str) -> Finding:
    """Check the switches of this environment."""
    return check_switches(load_settings(environ), environ)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_SDK_DISABLED", "True"),
        ("OPENAI_AGENTS_DISABLE_TRACING", "1"),
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "httpx, litespan"),
    ],
)
def test_a_switch_that_is_off(name: str, value: str) -> None:
    """A variable that switches litespan or a host's tracing off is a problem; it is named in the mend."""
    finding = switches(**{name: value})

    assert Status.PROBLEM is finding.status
    assert finding.mends[0].startswith(f"unset {name}")


def test_no_exporters() -> None:
    """Without any exporter nothing leaves, which may be wanted; without one of them that is said."""
    none = switches(OTEL_TRACES_EXPORTER="none", OTEL_METRICS_EXPORTER="none")
    half = switches(OTEL_METRICS_EXPORTER="none")

    assert (Status.WARNING, ()) == (none.status, none.mends)
    assert (Status.OK, "on, but metrics are not exported") == (half.status, half.says)
    assert Status.OK is switches().status


@pytest.mark.parametrize(
    ("name", "argument", "status", "words"),
    [
        ("", "", Status.OK, "every trace is kept"),
        ("always_on", "", Status.OK, "every trace is kept"),
        ("traceidratio", "", Status.OK, "every trace is kept"),
        ("parentbased_traceidratio", "0.25", Status.WARNING, "25.00% of the traces are kept"),
        ("always_off", "", Status.PROBLEM, "no span is kept"),
        ("parentbased_always_off", "", Status.PROBLEM, "no span is kept"),
        ("allways_on", "", Status.PROBLEM, "is no sampler"),
        ("traceidratio", "10%", Status.PROBLEM, "is no number from 0 to 1"),
        ("traceidratio", "10", Status.PROBLEM, "is no number from 0 to 1"),
        ("theirs", "", Status.WARNING, "of another package"),
    ],
)
def test_sampling(name: str, argument: str, status: Status, words: str) -> None:
    """The sampler is told with what it means; only what is not wanted for sure has a mend."""
    environ = {"OTEL_TRACES_SAMPLER": name, "OTEL_TRACES_SAMPLER_ARG": argument}
    finding = check_sampling(environ, others=("theirs", "always_on"))

    assert status is finding.status
    assert words in finding.says
    assert (status is Status.PROBLEM) == bool(finding.mends)


def test_known_samplers_are_those_of_the_sdk() -> None:
    """The names are all that OpenTelemetry's SDK knows by itself."""
    assert set(KNOWN) == set(sdk._KNOWN_SAMPLERS)
