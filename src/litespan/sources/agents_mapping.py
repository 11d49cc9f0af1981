"""The Agents SDK's span data -> records: one table, from span type to function. Pure.

A span type that is not in the table becomes a plain step, so that its children keep their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from litespan.records import AgentRun, Guardrail, Handoff, Record, Run, Step, ToolCall, Turn


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


def _step(data: Any) -> Record:
    name = getattr(data, "name", None)
    return Step(kind=str(data.type), name=name if isinstance(name, str) else "")


BEGIN: Final[Mapping[str, Callable[[Any], Record]]] = {
    "agent": _agent,
    "task": _task,
    "turn": _turn,
    "function": _function,
    "handoff": _handoff,
    "guardrail": _guardrail,
}


def begin(data: Any) -> Record:
    """Return the record of a span that begins."""
    return BEGIN.get(data.type, _step)(data)


def complete(record: Record, data: Any, *, captures_content: bool) -> None:
    """Write down what the SDK knows only at the span's end."""
    if isinstance(record, Handoff):
        record.target = data.to_agent
    elif isinstance(record, Guardrail):
        record.triggered = bool(data.triggered)
    elif isinstance(record, ToolCall):
        server = (data.mcp_data or {}).get("server")
        record.mcp_server = server if isinstance(server, str) else None
        if captures_content:
            record.arguments, record.result = data.input, data.output
