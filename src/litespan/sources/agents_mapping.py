"""The Agents SDK's span data -> records: one table, from span type to function. Pure.

A span type that is not in the table becomes a plain step, so that its children keep their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from litespan.records import (
    AgentRun,
    Guardrail,
    Handoff,
    McpTools,
    Record,
    Run,
    Speech,
    Step,
    ToolCall,
    Transcription,
    Turn,
)
from litespan.sources.mcp_names import server_name


def _agent(data: Any) -> Record:
    return AgentRun(name=str(data.name))


def _task(data: Any) -> Record:
    return Run(name=str(data.name))


def _turn(data: Any) -> Record:
    return Turn(turn=data.turn)


def _function(data: Any) -> Record:
    return ToolCall(name=str(data.name))


def _handoff(data: Any) -> Record:
    return Handoff(source=data.from_agent)


def _guardrail(data: Any) -> Record:
    return Guardrail(name=str(data.name))


def _mcp_tools(data: Any) -> Record:
    return McpTools(server=server_name(data.server))


def _speech(data: Any) -> Record:
    config = data.model_config or {}
    return Speech(
        model=_text(data.model), voice=_text(config.get("voice")), speed=_number(config.get("speed"))
    )


def _transcription(data: Any) -> Record:
    config = data.model_config or {}
    languages = config.get("languages") or config.get("language")
    return Transcription(
        model=_text(data.model),
        languages=_texts([languages] if isinstance(languages, str) else languages),
        temperature=_number(config.get("temperature")),
    )


def _step(data: Any) -> Record:
    return Step(kind=str(data.type), name=_text(getattr(data, "name", None)) or "")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: Any) -> Sequence[str] | None:
    return [text for text in value if isinstance(text, str)] if isinstance(value, (list, tuple)) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


BEGIN: Final[Mapping[str, Callable[[Any], Record]]] = {
    "agent": _agent,
    "task": _task,
    "turn": _turn,
    "function": _function,
    "handoff": _handoff,
    "guardrail": _guardrail,
    "mcp_tools": _mcp_tools,
    "speech": _speech,
    "transcription": _transcription,
}


def begin(data: Any) -> Record:
    """Return the record of a span that begins."""
    return BEGIN.get(data.type, _step)(data)


def allows_content(record: Record, data: Any) -> bool:
    """Say whether the host allows the content of a span that ends to be kept, as far as the SDK tells."""
    if isinstance(record, ToolCall):
        return data.input is not None
    if isinstance(record, Speech):
        return bool(data.input)
    if isinstance(record, Transcription):
        return bool(data.output)
    return isinstance(record, Step) and record.allows_content


def complete(record: Record, span: Any, *, captures_content: bool) -> None:
    """Write down what the SDK knows only at the span's end."""
    data = span.span_data
    if isinstance(record, Handoff):
        record.target = data.to_agent
    elif isinstance(record, Guardrail):
        record.triggered = bool(data.triggered)
    elif isinstance(record, ToolCall):
        record.mcp_server = server_name((data.mcp_data or {}).get("server"))
    elif isinstance(record, McpTools):
        record.count = None if data.result is None else len(data.result)
    elif isinstance(record, Speech):
        record.time_to_first_chunk = _seconds_between(span.started_at, data.first_content_at)
    if captures_content:
        _take_content(record, data)


def _take_content(record: Record, data: Any) -> None:
    if isinstance(record, ToolCall):
        record.arguments, record.result = data.input, data.output
    elif isinstance(record, Speech):
        record.text = data.input
    elif isinstance(record, Transcription):
        record.text = data.output
    elif isinstance(record, Step) and record.kind == "custom":
        record.data = data.data or None


def _seconds_between(start: str | None, end: str | None) -> float | None:
    """Return the seconds between two of the SDK's times, which are texts in the form of ISO 8601."""
    if start is None or end is None:
        return None
    return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
