"""The Agents SDK's span data -> records: one table, from span type to function. Pure.

A span type that is not in the table becomes a plain step, so that its children keep their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Sized
from datetime import datetime
from typing import Any, Final

from litespan.labels import as_attribute, as_name, as_text
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
from litespan.sources.model_names import model_name


def _agent(data: Any) -> Record:
    return AgentRun(name=_name(data.name))


def _task(data: Any) -> Record:
    return Run(name=_name(data.name))


def _turn(data: Any) -> Record:
    return Turn(turn=data.turn if isinstance(data.turn, int) else None)


def _function(data: Any) -> Record:
    return ToolCall(name=_name(data.name))


def _handoff(data: Any) -> Record:
    return Handoff(source=as_name(data.from_agent))


def _guardrail(data: Any) -> Record:
    return Guardrail(name=_name(data.name))


def _mcp_tools(data: Any) -> Record:
    return McpTools(server=server_name(data.server))


def _speech(data: Any) -> Record:
    config = _mapping(data.model_config)
    return Speech(
        model=model_name(data.model), voice=as_name(config.get("voice")), speed=_number(config.get("speed"))
    )


def _transcription(data: Any) -> Record:
    config = _mapping(data.model_config)
    languages = config.get("languages") or config.get("language")
    return Transcription(
        model=model_name(data.model),
        languages=_texts([languages] if isinstance(languages, str) else languages),
        temperature=_number(config.get("temperature")),
    )


def _step(data: Any) -> Record:
    return Step(kind=_name(data.type), name=as_name(getattr(data, "name", None)) or "")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _name(value: Any) -> str:
    """Return a name; of what is no text, its class: foreign objects are not asked to print themselves."""
    return as_text(value) if isinstance(value, str) else f"<{type(value).__name__}>"


def _texts(value: Any) -> Sequence[str] | None:
    return (
        [as_text(text) for text in value if isinstance(text, str)]
        if isinstance(value, (list, tuple))
        else None
    )


def _number(value: Any) -> float | None:
    number = as_attribute(value) if isinstance(value, (int, float)) else None
    return float(number) if isinstance(number, (int, float)) else None


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


def begin(kind: str, data: Any) -> Record:
    """Return the record of a span that begins; ``kind`` is the span's type."""
    return BEGIN.get(kind, _step)(data)


# Record types whose content the SDK shows, if it may be kept.
HAVE_CONTENT: Final = frozenset({ToolCall, Speech, Transcription, Step})


def allows_content(record: Record, data: Any) -> bool:
    """Say whether the host allows the content of a span that ends to be kept, as far as the SDK tells."""
    if isinstance(record, ToolCall):
        return data.input is not None
    if isinstance(record, Speech):
        return bool(data.input)
    if isinstance(record, Transcription):
        return bool(data.output)
    return isinstance(record, Step) and record.allows_content


def _end_handoff(handoff: Handoff, span: Any) -> None:
    handoff.target = as_name(span.span_data.to_agent)


def _end_guardrail(guardrail: Guardrail, span: Any) -> None:
    guardrail.triggered = bool(span.span_data.triggered)


def _end_function(tool: ToolCall, span: Any) -> None:
    tool.mcp_server = server_name(_mapping(span.span_data.mcp_data).get("server"))


def _end_mcp_tools(tools: McpTools, span: Any) -> None:
    result = span.span_data.result
    tools.count = len(result) if isinstance(result, Sized) else None


def _end_speech(speech: Speech, span: Any) -> None:
    speech.time_to_first_chunk = _seconds_between(span.started_at, span.span_data.first_content_at)


# What the SDK knows only at a span's end, and how it is written down; of other types that is nothing.
COMPLETE: Final[Mapping[type[Record], Callable[[Any, Any], None]]] = {
    Handoff: _end_handoff,
    Guardrail: _end_guardrail,
    ToolCall: _end_function,
    McpTools: _end_mcp_tools,
    Speech: _end_speech,
}


def take_content(record: Record, data: Any) -> None:
    """Write down what was said; only where it may be captured."""
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
