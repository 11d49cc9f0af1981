"""A provider whose chat streams have more than the usual between the content and the usage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from litespan.testing.openai_chat import ChatCompletions
from litespan.testing.reply import Reply
from litespan.testing.wire import FINISH, Endpoint, Part, Request, server_sent

Change = Callable[[list[Part]], list[Part]]


def of_another_choice(parts: list[Part]) -> list[Part]:
    """Let a second choice go on when the first has ended, as with `n=2`."""
    end = _finish(parts) + 1
    return [*parts[:end], _chunk(1, {"content": "Hi"}), _chunk(1, {}, finish="stop"), *parts[end:]]


def after_the_finish(parts: list[Part]) -> list[Part]:
    """Say something more after the finish reason."""
    end = _finish(parts) + 1
    return [*parts[:end], _chunk(0, {"content": "!"}), *parts[end:]]


def without_a_choice(parts: list[Part]) -> list[Part]:
    """Send chunks that have no choice: before the last text, and after the finish reason."""
    end = _finish(parts) + 1
    nothing = Part(server_sent(_envelope([])))
    return [*parts[: end - 2], nothing, *parts[end - 2 : end], nothing, *parts[end:]]


class OddWire:
    """Chat completions with changed streams."""

    name = "odd"
    base_path = "/odd"

    def __init__(self, change: Change) -> None:
        self.endpoints: Sequence[Endpoint] = (_Changed(change, f"{self.base_path}/chat/completions"),)


class _Changed(ChatCompletions):
    def __init__(self, change: Change, path: str) -> None:
        self.path = path
        self._change = change

    def events(self, request: Request, reply: Reply) -> list[Part]:
        """Write the answer as the events of a stream."""
        return self._change(super().events(request, reply))


def _finish(parts: list[Part]) -> int:
    return next(number for number, part in enumerate(parts) if part.marks == FINISH)


def _chunk(index: int, delta: dict[str, Any], finish: str | None = None) -> Part:
    return Part(server_sent(_envelope([{"index": index, "delta": delta, "finish_reason": finish}])))


def _envelope(choices: list[Any]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": choices,
    }
