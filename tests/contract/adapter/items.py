"""Input items as the Agents SDK keeps them between turns."""

from __future__ import annotations

from typing import Any


def call(
    call_id: str, name: str = "look_up", arguments: str = '{"city": "Oslo"}', **more: Any
) -> dict[str, Any]:
    """Return a tool call that the model made in an earlier turn."""
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments, **more}


def output(call_id: str, value: Any = "sunny") -> dict[str, Any]:
    """Return the output of an earlier tool call."""
    return {"type": "function_call_output", "call_id": call_id, "output": value}


def said(text: str) -> dict[str, Any]:
    """Return an earlier answer of the model."""
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [part]}


def reasoning(text: str, **more: Any) -> dict[str, Any]:
    """Return earlier reasoning of the model."""
    return {
        "type": "reasoning",
        "id": "r",
        "summary": [{"type": "summary_text", "text": text}],
        **more,
    }


def user(*content: Any) -> dict[str, Any]:
    """Return a user message of these parts."""
    return {"role": "user", "content": list(content)}
