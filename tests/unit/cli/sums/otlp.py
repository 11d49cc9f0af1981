"""Spans of OTLP/JSON written out by hand, as a file of litespan holds them."""

from __future__ import annotations

import json
from typing import Any

from litespan import semconv

SECOND = 10**9
NOON = 1_780_315_200 * SECOND  # 2026-06-01T12:00:00Z


def value(of: object) -> dict[str, Any]:
    """Return a value as OTLP/JSON writes it."""
    if isinstance(of, bool):
        return {"boolValue": of}
    if isinstance(of, int):
        return {"intValue": str(of)}
    return {"doubleValue": of} if isinstance(of, float) else {"stringValue": of}


def span(name: str, attributes: dict[str, Any], /, **fields: Any) -> dict[str, Any]:
    """Return a span of one second that began at noon; fields of ``None`` are left out."""
    whole: dict[str, Any] = {
        "traceId": "a" * 32,
        "spanId": "b" * 16,
        "parentSpanId": "c" * 16,
        "name": name,
        "kind": 3,
        "startTimeUnixNano": str(NOON),
        "endTimeUnixNano": str(NOON + SECOND),
        "attributes": [{"key": key, "value": value(of)} for key, of in attributes.items()],
        "status": {},
        **fields,
    }
    return {key: part for key, part in whole.items() if part is not None}


def call(
    tokens: tuple[int, int] | None = (10, 5), cost: float | None = None, /, **fields: Any
) -> dict[str, Any]:
    """Return a model call that ended well; ``attributes=`` adds to its attributes.

    Of ``None`` they take away.
    """
    attributes: dict[str, Any] = {
        semconv.OPERATION_NAME: semconv.CHAT,
        semconv.REQUEST_MODEL: "gpt-4.1",
        semconv.PROVIDER_NAME: "openai",
        semconv.OUTCOME: "ok",
        semconv.USAGE_SOURCE: "missing" if tokens is None else "reported",
    }
    if tokens is None:
        attributes[semconv.USAGE_MISSING_REASON] = "not_reported"
    else:
        attributes |= {semconv.USAGE_INPUT_TOKENS: tokens[0], semconv.USAGE_OUTPUT_TOKENS: tokens[1]}
    if cost is not None:
        attributes[semconv.USAGE_COST_AMOUNT] = cost
    attributes |= fields.pop("attributes", {})
    return span("chat gpt-4.1", {k: v for k, v in attributes.items() if v is not None}, **fields)


def workflow(name: str = "Support", cost: float = 9.0, **fields: Any) -> dict[str, Any]:
    """Return the root of a run, with totals that nobody may add."""
    attributes = {
        semconv.OPERATION_NAME: semconv.INVOKE_WORKFLOW,
        semconv.OUTCOME: "ok",
        semconv.TOTAL_COST: cost,
        semconv.TOTAL_INPUT_TOKENS: 1_000,
    }
    return span(f"invoke_workflow {name}", attributes, **{"parentSpanId": None, **fields})


def line(*spans: Any, scope: str = semconv.SCOPE) -> bytes:
    """Return one export request as a line."""
    request = {"resourceSpans": [{"scopeSpans": [{"scope": {"name": scope}, "spans": list(spans)}]}]}
    return json.dumps(request, separators=(",", ":")).encode() + b"\n"
