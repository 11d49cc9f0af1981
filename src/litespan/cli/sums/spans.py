"""From one line of OTLP/JSON to the facts in it."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from litespan import semconv
from litespan.cli.sums.facts import Call, Root, read_span

_SPANS: Final = "resourceSpans"
_KINDS: Final = frozenset({_SPANS, "resourceMetrics", "resourceLogs"})
_STARTS: Final = tuple(f'{{"{kind}":'.encode() for kind in sorted(_KINDS))
_SPANS_START: Final = f'{{"{_SPANS}":'.encode()
# In JSON text this key stands once in each span, and never inside a string: there its quotes are escaped.
_ONE_PER_SPAN: Final = b'"startTimeUnixNano":'
_MARKS: Final = tuple(f'"{name}"'.encode() for name in (semconv.SCOPE, semconv.OUTCOME))


class BrokenLineError(ValueError):
    """A line that is no export request of OTLP/JSON. The message quotes nothing of it."""


class Found(NamedTuple):
    """What a line holds: calls and roots of runs, and how much of what.

    Attributes:
        spans, others: the number of spans of litespan, and of other tools.
        beside: the number of requests of metrics or logs, 0 or 1.
    """

    calls: list[Call]
    roots: list[Root]
    spans: int
    others: int
    beside: int


_NOTHING: Final = Found([], [], 0, 0, 0)
_BESIDE: Final = _NOTHING._replace(beside=1)


def read_line(line: bytes) -> Found:
    """Return what one line says. Metrics, logs and empty lines say nothing.

    Raises:
        BrokenLineError: if it is none of OTLP's export requests.
    """
    stripped = line.strip()
    if not stripped:
        return _NOTHING
    # Most bytes need not be understood: a whole line of something else is known by its beginning and end.
    if stripped.startswith(_STARTS) and stripped.endswith(b"}"):
        if not stripped.startswith(_SPANS_START):
            return _BESIDE
        if not any(mark in stripped for mark in _MARKS):
            return _NOTHING._replace(others=stripped.count(_ONE_PER_SPAN))
    return _read(_parse(stripped))


def _parse(line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(str(line, "utf-8"))
    except json.JSONDecodeError as error:
        raise BrokenLineError(f"not JSON ({error.msg}, at character {error.pos + 1:,})") from None
    except (ValueError, RecursionError) as error:
        raise BrokenLineError(f"not JSON that can be read ({type(error).__name__})") from None
    if not isinstance(request, dict) or not (_KINDS & request.keys() or not request):
        raise BrokenLineError("JSON, but no export request of OTLP")
    return request


def _read(request: dict[str, Any]) -> Found:
    """Read the whole line before anything of it counts, so that a broken one leaves no half of it behind."""
    calls: list[Call] = []
    roots: list[Root] = []
    spans = others = 0
    try:
        for resource in request.get(_SPANS, ()):
            for scope in resource.get("scopeSpans", ()):
                ours = scope.get("scope", {}).get("name") == semconv.SCOPE
                for span in scope.get("spans", ()):
                    found = read_span(span, ours=ours)
                    if isinstance(found, Call):
                        calls.append(found)
                    elif found is not None:
                        roots.append(found)
                    mine = ours or found is not None
                    spans += mine
                    others += not mine
    except (TypeError, AttributeError, KeyError):
        raise BrokenLineError("an export request of OTLP that is not put together as one") from None
    return Found(calls, roots, spans, others, int(bool(request) and _SPANS not in request))
