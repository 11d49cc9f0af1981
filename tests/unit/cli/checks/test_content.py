"""What is captured, where that comes from, and what contradicts it."""

from __future__ import annotations

from litespan.cli.checks.content import VARIABLE, check_content
from litespan.cli.checks.finding import Finding, Status
from litespan.settings import load_settings


def check(**environ: str) -> Finding:
    """Check the content of this environment."""
    return check_content(load_settings(environ), environ)


def test_source() -> None:
    """The mode is told with its source."""
    assert check().says.startswith("NO_CONTENT, the default")
    assert check(**{VARIABLE: "span_only"}).says.startswith(f"SPAN_ONLY, from {VARIABLE}")


def test_switch_of_the_sdk() -> None:
    """Where the Agents SDK's own switch is off, it wins inside runs; it matters only where content is on."""
    off = {"OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA": "no"}
    finding = check(**off, **{VARIABLE: "SPAN_ONLY"})

    assert (Status.WARNING, Status.OK) == (finding.status, check(**off).status)
    assert finding.mends[0].startswith("export OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA=true")


def test_captured_and_not_sent() -> None:
    """Content that goes nowhere is a problem: on events without logs, on spans without traces."""
    events = check(**{VARIABLE: "EVENT_ONLY"}, OTEL_LOGS_EXPORTER="none")
    spans = check(**{VARIABLE: "SPAN_AND_EVENT"}, OTEL_TRACES_EXPORTER="none")

    assert ("unset OTEL_LOGS_EXPORTER",) == events.mends
    assert ("unset OTEL_TRACES_EXPORTER",) == spans.mends
    assert Status.OK is check(**{VARIABLE: "SPAN_ONLY"}, OTEL_LOGS_EXPORTER="none").status


def test_exporter_to_openai() -> None:
    """The SDK's exporter, which sends prompts to OpenAI, is told where it is kept."""
    assert "prompts to OpenAI" in check(LITESPAN_OPENAI_TRACES="1").says
