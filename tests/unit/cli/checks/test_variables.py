"""Variables that nobody reads, and headers that are left out."""

from __future__ import annotations

import logging

import pytest

from litespan.cli.checks import facts
from litespan.cli.checks.finding import Status
from litespan.cli.checks.variables import READ_BY_SETTINGS, check_headers, check_variables

KNOWN = facts.known_variables()


def test_typing_errors() -> None:
    """A name that is nearly right is told with the right one; its value is not shown."""
    finding = check_variables({"OTEL_EXPORTER_OTLP_TRACE_ENDPOINT": "s3cret"}, KNOWN)

    assert Status.WARNING is finding.status
    assert finding.mends[0].startswith(
        'export OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="$OTEL_EXPORTER_OTLP_TRACE_ENDPOINT"; unset '
    )
    assert "s3cret" not in str(finding)


def test_unknown_names() -> None:
    """A name of litespan's that nobody reads is always told; one of OpenTelemetry's may be another tool's."""
    environ = {"LITESPAN_CAPTURE": "1", "OTEL_OF_SOME_OTHER_TOOL": "1"}
    finding = check_variables(environ, KNOWN)

    assert "nobody reads LITESPAN_CAPTURE" == finding.says
    assert ("unset LITESPAN_CAPTURE",) == finding.mends


@pytest.mark.parametrize("name", [*READ_BY_SETTINGS, "OTEL_BSP_SCHEDULE_DELAY", "OTEL_PROPAGATORS"])
def test_right_names(name: str) -> None:
    """Every variable of the settings, and OpenTelemetry's own, are known."""
    assert Status.OK is check_variables({name: "1"}, KNOWN).status


def test_headers(caplog: pytest.LogCaptureFixture) -> None:
    """Entries that OpenTelemetry leaves out are counted; neither the finding nor a log has them."""
    environ = {"OTEL_EXPORTER_OTLP_HEADERS": "authorization: Bearer s3cret,team=a"}
    with caplog.at_level(logging.DEBUG):
        finding = check_headers(environ)

    assert "OTEL_EXPORTER_OTLP_HEADERS (1 of its entries)" in finding.says
    assert finding.mends[0].startswith("export OTEL_EXPORTER_OTLP_HEADERS='name=value")
    assert "s3cret" not in str(finding) + caplog.text
    assert Status.OK is check_headers({"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer s3cret"}).status
