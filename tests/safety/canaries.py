"""Secrets, one for each place where a program can have one; what litespan emits is searched for them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from litespan import semconv
from litespan.testing import Capture

# What authenticates, steers or identifies: it is in nothing that litespan emits, whatever is switched on.
CREDENTIALS = (
    "model_key", "call_key", "environment_key", "module_key", "client_key", "client_header", "client_query",
    "header", "extra_header", "extra_body", "extra_query", "url_user", "url_password", "url_query",
    "call_metadata", "settings_metadata", "trace_metadata", "end_user", "organization",
    "router_key", "router_header", "router_url_password", "gateway_key", "egress_proxy_password",
    "azure_token", "aws_secret", "aws_session_token", "vertex_private_key", "image_url_query",
    "mcp_url_user", "mcp_url_password", "mcp_url_token", "mcp_header", "own_client_key", "own_client_header",
    "module_header", "stored_key", "safety_identifier", "model_url_user", "model_url_password",
    "model_url_query",
)  # fmt: skip
# What is said: it is where content is asked for, and nowhere else.
CONTENT = (
    "system_prompt", "user_prompt", "answer", "reasoning", "tool_arguments", "tool_result", "tool_error",
    "tool_cause", "tool_description", "handoff_input", "guardrail_info", "guardrail_error", "provider_error",
    "run_context", "hook_error", "session_item", "custom_span", "spoken", "heard", "instructions",
    "response_input", "completion_prompt", "embedding_input", "mcp_arguments",
)  # fmt: skip
PLACES = (*CREDENTIALS, *CONTENT)
CANARIES = {place: f"canary-{number:02d}-{place.replace('_', '-')}" for number, place in enumerate(PLACES)}

CONTENT_ATTRIBUTES = (
    semconv.SYSTEM_INSTRUCTIONS,
    semconv.INPUT_MESSAGES,
    semconv.OUTPUT_MESSAGES,
    semconv.TOOL_DEFINITIONS,
    semconv.TOOL_CALL_ARGUMENTS,
    semconv.TOOL_CALL_RESULT,
    semconv.STEP_DATA,
)


def found_in(text: str, places: tuple[str, ...] = PLACES) -> list[str]:
    """Return the places whose canary is in a text."""
    return [place for place in places if CANARIES[place] in text]


def beside_content(capture: Capture) -> str:
    """Return all that spans and events have but their content: the attributes for it, and failures' texts."""
    told: list[Any] = []
    for span in capture.spans:
        told += [
            span.name,
            _others(span.attributes),
            [(e.name, dict(e.attributes or {})) for e in span.events],
        ]
        if not span.name.startswith(semconv.CHAT):
            told.append(span.status.description)
    told += [[event.event_name, event.body, _others(event.attributes)] for event in capture.events]
    return json.dumps(told, default=str)


def in_events(capture: Capture) -> str:
    """Return all that events have."""
    return json.dumps([[event.body, dict(event.attributes or {})] for event in capture.events], default=str)


def _others(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (attributes or {}).items() if key not in CONTENT_ATTRIBUTES}


def texts_of(error: BaseException) -> Iterator[str]:
    """Yield what an exception and its causes say to the program."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        seen.append(cause)
        yield f"{type(cause).__name__}: {cause}"
        cause = cause.__cause__ or cause.__context__
