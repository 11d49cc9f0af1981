"""What is captured of prompts and answers, and where that comes from. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from litespan.cli.checks.finding import Finding, ok, problem, warning
from litespan.export.choice import exporter_names
from litespan.export.ledger import LOGS, TRACES
from litespan.settings import NO_CONTENT, Settings

CHECK: Final = "content"
VARIABLE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_OF_SDK: Final = "OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA"
# The Agents SDK takes everything else for no.
_YES: Final = ("1", "true", "yes", "on")


def check_content(settings: Settings, environ: Mapping[str, str]) -> Finding:
    """Say what is captured, and what contradicts it."""
    source = f"from {VARIABLE}" if environ.get(VARIABLE, "").strip() else "the default"
    says = f"{settings.capture_content}, {source}"
    if settings.openai_traces:
        return warning(
            CHECK,
            f"{says}; LITESPAN_OPENAI_TRACES keeps the SDK's exporter, which sends prompts to OpenAI",
            "unset LITESPAN_OPENAI_TRACES  # if they must not leave for OpenAI",
        )
    if settings.capture_content == NO_CONTENT:
        return ok(CHECK, f"{says}: prompts and answers are not recorded")
    if environ.get(_OF_SDK, "true").strip().lower() not in _YES:
        return warning(
            CHECK,
            f"{says}, but {_OF_SDK} is off: inside runs nothing is captured, the stricter wins",
            f"export {_OF_SDK}=true  # or {VARIABLE}=NO_CONTENT",
        )
    return _way_out(settings, environ, says)


def _way_out(settings: Settings, environ: Mapping[str, str], says: str) -> Finding:
    wanted = ((TRACES, settings.content_on_spans), (LOGS, settings.events))
    for signal in (signal for signal, on in wanted if on and not exporter_names(signal, settings, environ)):
        variable = f"OTEL_{signal.upper()}_EXPORTER"
        return problem(
            CHECK, f"{says}, but {variable}=none: it is captured and goes nowhere", f"unset {variable}"
        )
    return ok(CHECK, f"{says}: prompts and answers leave with the telemetry")
