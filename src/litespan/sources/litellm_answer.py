"""What was said: the content of LiteLLM's requests and answers, as one list of messages and one of choices.

Pure functions, called only where content is captured; they change none of the host's objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from litespan.sources.litellm_usage import as_list, read


def messages(named: Mapping[str, Any]) -> list[Any] | None:
    """Return what a request says to the model, the Responses API's and Anthropic's instructions first.

    The list is a copy: the program may go on with its own while a stream runs.
    """
    given = named.get("messages") or named.get("prompt") or named.get("input")
    listed = list(given) if isinstance(given, (list, tuple)) else [given]
    instructions = named.get("instructions") or named.get("system")
    if instructions is not None:
        listed.insert(0, {"role": "system", "content": instructions})
    return listed if given or instructions else None


def choices(response: Any) -> Any:
    """Return the choices of a whole answer, or the items of a Responses API answer."""
    return read(response, "choices") or read(response, "output")


def choices_of(chunks: Iterable[Any]) -> list[dict[str, Any]]:
    """Put the choices of a stream together from its chunks."""
    found: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for choice in as_list(read(chunk, "choices")):
            answer = found.setdefault(_index(choice), {"role": "assistant", "tool_calls": {}})
            answer["finish_reason"] = read(choice, "finish_reason") or answer.get("finish_reason")
            _add(answer, read(choice, "delta"))
    return [
        {**answer, "tool_calls": list(answer["tool_calls"].values())} for _, answer in sorted(found.items())
    ]


def _add(answer: dict[str, Any], delta: Any) -> None:
    for name in ("content", "reasoning_content", "refusal"):
        text = read(delta, name)
        if isinstance(text, str) and text:
            answer[name] = answer.get(name, "") + text
    for call in as_list(read(delta, "tool_calls")):
        function = read(call, "function")
        known = answer["tool_calls"].setdefault(_index(call), {"arguments": ""})
        known["id"] = known.get("id") or read(call, "id")
        known["name"] = known.get("name") or read(function, "name")
        piece = read(function, "arguments")
        known["arguments"] += piece if isinstance(piece, str) else ""


def _index(part: Any) -> int:
    index = read(part, "index")
    return index if isinstance(index, int) else 0
