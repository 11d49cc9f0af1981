"""Captured content: what records hold of it becomes JSON text, bounded and redacted, when they end.

What cannot be redacted or encoded is dropped, and reported by the guard.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from litespan import content
from litespan.guard import guarded
from litespan.records import ModelCall, Record, Speech, Step, ToolCall, Transcription
from litespan.settings import Settings

_CONTENT_OF: Final[Mapping[type[Record], tuple[str, ...]]] = {
    ModelCall: ("system_instructions", "input", "output", "tools"),
    ToolCall: ("arguments", "result"),
    Speech: ("text",),
    Transcription: ("text",),
    Step: ("data",),
}


class Captured:
    """Writes the content of records as JSON text, in the shapes of the conventions."""

    def __init__(self, settings: Settings, shapes: content.Shapes) -> None:
        self._max_bytes, self._redact = settings.content_max_bytes, settings.redact
        self._split = guarded("content")(shapes.input_messages)
        self._output_messages = shapes.output_messages
        self._json = guarded("content")(self._encoded)

    def of_call(self, call: ModelCall) -> None:
        """Write prompts, answers and tools of a call, and the text of its failure."""
        system, messages = self._split(call.input) or (None, None)
        call.system_instructions, call.input = system or None, messages or None
        self._write(call, system_instructions=None, input=None, output=self._output_messages)
        self._write(call, tools=content.tool_definitions)
        if call.failure is not None and call.failure.message is not None:
            text = self._json(call.failure.message)
            call.failure.message = json.loads(text) if text is not None else None

    def of_tool(self, tool: ToolCall) -> None:
        """Write arguments and result."""
        if tool.arguments is not None or tool.result is not None:
            self._write(tool, arguments=content.arguments, result=content.arguments)

    def of_speech(self, speech: Speech) -> None:
        """Write the text that was spoken."""
        self._write(speech, text=lambda text: content.input_messages(text)[1])

    def of_transcription(self, transcription: Transcription) -> None:
        """Write the text that was heard."""
        self._write(transcription, text=content.output_messages)

    def of_step(self, step: Step) -> None:
        """Write the program's own data."""
        self._write(step, data=None)

    def forget(self, record: Record) -> None:
        """Let go of the content of a record that was told: others may hold the record for longer."""
        for name in _CONTENT_OF.get(type(record), ()):
            setattr(record, name, None)
        if isinstance(record, ModelCall) and record.part is not None:
            self.forget(record.part)

    def _write(self, record: Record, **converters: Callable[[Any], Any] | None) -> None:
        for name, convert in converters.items():
            value = getattr(record, name)
            setattr(record, name, None if value is None else self._json(value, convert))

    def _encoded(self, value: Any, convert: Callable[[Any], Any] | None = None) -> str | None:
        shape = value if convert is None else convert(value)
        return content.encode(shape, self._max_bytes, self._redact)
