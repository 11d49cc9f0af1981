"""Messages, answers and tools in the JSON shapes of the conventions for generative AI.

The input is what LiteLLM and the Agents SDK pass around: dicts or objects in the form of OpenAI's chat
messages, OpenAI's response items, or Anthropic's content blocks. Nothing of it is changed. A part of a kind
that is not known keeps its type and its text and nothing else. Pass the result to :func:`encode`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from litespan.content_encoding import encode
from litespan.content_parts import (
    arguments,
    content_parts,
    field,
    items,
    media,
    safe_url,
    thought,
    tool_call,
    tool_response,
)
from litespan.content_tree import RedactionError, Shape

__all__ = [
    "RedactionError",
    "Shapes",
    "arguments",
    "encode",
    "input_messages",
    "output_messages",
    "safe_url",
    "tool_definitions",
]

_INSTRUCTORS: Final = ("system", "developer")
_TOOL_ROLES: Final = ("tool", "function")


def input_messages(messages: object) -> tuple[list[Shape], list[Shape]]:
    """Return the system instructions as parts, and the other messages in the order in which they were sent.

    System messages at the beginning are the instructions, which the Agents SDK gives apart from the history
    and LiteLLM's format puts before it. Later ones stay where they are. A text is a user's message.
    """
    system: list[Shape] = []
    history: list[Shape] = []
    for message in items(messages):
        role = field(message, "role")
        if role in _INSTRUCTORS and not history:
            system.extend(content_parts(field(message, "content")))
        else:
            history.append(_message(message, default_role="user"))
    return system, history


def output_messages(choices: object) -> list[Shape]:
    """Return one message for each choice of an answer (a chat choice, a text completion, or a message)."""
    answers = []
    for choice in items(choices):
        message = field(choice, "message") or field(choice, "delta") or choice
        answer = _message(message, default_role="assistant")
        if finish_reason := field(choice, "finish_reason"):
            answer["finish_reason"] = finish_reason
        answers.append(answer)
    return answers


class Shapes(NamedTuple):
    """The shapes of one generation of the conventions, where generations differ.

    ``text_instructions``: system instructions have text parts only. ``finish_reasons``: each message of an
    answer repeats its finish reason.
    """

    text_instructions: bool = False
    finish_reasons: bool = True

    def input_messages(self, messages: object) -> tuple[list[Shape], list[Shape]]:
        """Do as :func:`input_messages` does."""
        system, history = input_messages(messages)
        return [part for part in system if part["type"] == "text" or not self.text_instructions], history

    def output_messages(self, choices: object) -> list[Shape]:
        """Do as :func:`output_messages` does."""
        answers = output_messages(choices)
        for answer in () if self.finish_reasons else answers:
            answer.pop("finish_reason", None)
        return answers


def tool_definitions(tools: object) -> list[Shape]:
    """Return type and name of each tool; descriptions and parameters are left out, as they are large."""
    definitions = []
    for tool in items(tools):
        function = field(tool, "function") or tool
        kind = field(tool, "type") or "function"
        definitions.append(Shape(type=kind, name=field(function, "name") or kind))
    return definitions


# Items of OpenAI's Responses API that are messages of their own -> their role and parts.
_ITEMS: Final[Mapping[str, tuple[str, Callable[[object], list[Shape]]]]] = MappingProxyType(
    {
        "function_call": ("assistant", lambda item: [tool_call(item)]),
        "function_call_output": (
            "tool",
            lambda item: [tool_response(field(item, "call_id"), field(item, "output"))],
        ),
        "reasoning": ("assistant", lambda item: [thought(part) for part in items(field(item, "summary"))]),
    }
)


# -- messages ----------------------------------------------------------------------------------------------
def _message(message: object, default_role: str) -> Shape:
    kind = field(message, "type")
    if isinstance(kind, str) and kind in _ITEMS:
        role, parts_of = _ITEMS[kind]
        return Shape(role=role, parts=parts_of(message))
    if isinstance(message, str):
        return Shape(role=default_role, parts=content_parts(message))
    shape = Shape(role=field(message, "role") or default_role, parts=_message_parts(message))
    if name := field(message, "name"):
        shape["name"] = name
    return shape


def _message_parts(message: object) -> list[Shape]:
    content = field(message, "content")
    if field(message, "role") in _TOOL_ROLES:
        return [tool_response(field(message, "tool_call_id"), content)]
    return [
        *_reasoning(message),
        *content_parts(field(message, "text") if content is None else content),
        *_refusal(message),
        *_audio(field(message, "audio")),
        *content_parts(field(message, "images")),
        *(tool_call(call) for call in items(field(message, "tool_calls"))),
        *(tool_call(call) for call in items(field(message, "function_call"))),
    ]


def _reasoning(message: object) -> list[Shape]:
    if text := field(message, "reasoning_content"):
        return [Shape(type="reasoning", content=text)]
    return content_parts(field(message, "thinking_blocks"))


def _refusal(message: object) -> list[Shape]:
    text = field(message, "refusal")
    return [Shape(type="refusal", content=text)] if text else []


def _audio(audio: object) -> list[Shape]:
    if audio is None:
        return []
    part = media(field(audio, "data"), "audio") or Shape(type="blob", modality="audio")
    if transcript := field(audio, "transcript"):
        part["transcript"] = transcript
    return [part]
