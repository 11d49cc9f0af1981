"""Variables that nobody reads, most of them typing errors. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Final

from litespan.cli.checks.finding import Finding, ok, warning
from litespan.export.otlp.options import unread_headers
from litespan.settings import Settings

CHECK: Final = "variables"
HEADERS: Final = "headers"
_OURS: Final = "LITESPAN_"
_THEIRS: Final = "OTEL_"
# Near enough to be a typing error; other packages have variables of their own.
_CLOSE: Final = 0.85
READ_BY_SETTINGS: Final = tuple(
    spec.metadata["env"] for spec in fields(Settings) if spec.metadata["env"] is not None
)


def check_variables(environ: Mapping[str, str], known: Collection[str]) -> Finding:
    """Name variables that look meant for litespan or OpenTelemetry and are not read by them.

    Args:
        environ: the environment variables; no value of theirs is shown.
        known: the names that OpenTelemetry's packages read.
    """
    readable = {*known, *READ_BY_SETTINGS}
    unknown = sorted(name for name in environ if name.startswith((_OURS, _THEIRS)) and name not in readable)
    meant = {name: get_close_matches(name, sorted(readable), n=1, cutoff=_CLOSE) for name in unknown}
    # Another package may well read a name of OTEL_ that is like none of ours.
    wrong = {name: close for name, close in meant.items() if close or name.startswith(_OURS)}
    if not wrong:
        count = sum(name.startswith((_OURS, _THEIRS)) for name in environ)
        return ok(CHECK, f"{count} of LITESPAN_ and OTEL_, no typing error seen")
    return warning(CHECK, f"nobody reads {', '.join(wrong)}", *_mends(wrong.items()))


def _mends(wrong: Iterable[tuple[str, list[str]]]) -> Iterable[str]:
    for name, close in wrong:
        yield f'export {close[0]}="${name}"; unset {name}' if close else f"unset {name}"


def check_headers(environ: Mapping[str, str]) -> Finding:
    """Name variables of headers of which OpenTelemetry leaves entries out; never an entry itself."""
    variables = [name for name in sorted(environ) if name.startswith(_THEIRS) and name.endswith("_HEADERS")]
    broken = {name: count for name in variables if (count := unread_headers(environ[name]))}
    if not broken:
        return ok(HEADERS, f"{', '.join(variables)} can be read" if variables else "none are set")
    told = ", ".join(f"{name} ({count} of its entries)" for name, count in broken.items())
    return warning(
        HEADERS,
        f"left out because they are not name=value: {told}",
        *(f"export {name}='name=value,other=value'  # %20 is a space, %2C a comma" for name in broken),
    )
