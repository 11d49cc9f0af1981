"""A wire for providers whose chat completions are OpenAI's with an accent: one dialect each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from litespan.testing.openai_chat import ChatCompletions
from litespan.testing.openai_common import OpenAIErrors
from litespan.testing.reply import Reply, ServedUsage
from litespan.testing.wire import USAGE, Arrival, Endpoint, Part, Request, encode, server_sent

Place = Literal["asked", "always", "finish", "every", "choice", "x_groq"]
"""Where a stream tells its usage: in a chunk of its own if that was asked for, or always; with the finish
reason; so far, with every chunk; inside the choice that finishes; in Groq's own field beside it."""

Fields = dict[str, Any]


def no_cost(cost: float) -> Fields:
    """Write no cost: most providers tell none."""
    return {}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a provider does otherwise than OpenAI.

    `tells` are the parts of a usage that it counts apart, `usage` writes them, `cost` adds what a call cost
    in USD. `reasoning` is the field that holds what the model thought.
    """

    name: str
    usage: Callable[[ServedUsage], Fields]
    tells: frozenset[str] = frozenset()
    places: frozenset[Place] = frozenset({"asked"})
    cost: Callable[[float], Fields] = no_cost
    reasoning: str = "reasoning_content"
    path: str = "/v1"
    own_choices: Sequence[Fields] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def told(self, usage: ServedUsage | None) -> ServedUsage | None:
        """Reduce a usage to what the provider tells; what it does not tell stays in the whole."""
        if usage is None:
            return None
        parts = ("cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens")
        return replace(usage, **{part: 0 for part in parts if part not in self.tells})

    def body(self, reply: Reply) -> Fields | None:
        """Write the `usage` object of an answer."""
        usage = self.told(reply.usage)
        if usage is None:
            return None
        return {**self.usage(usage), **({} if reply.cost is None else self.cost(reply.cost))}


class OpenAILikeWire:
    """The chat completions of one such provider."""

    def __init__(self, dialect: Dialect) -> None:
        self.name = dialect.name
        self.base_path = f"/{dialect.name}{dialect.path}"
        self.endpoints: Sequence[Endpoint] = (OpenAILikeChat(dialect, f"{self.base_path}/chat/completions"),)


class OpenAILikeChat(OpenAIErrors):
    """OpenAI's chat endpoint, spoken in a dialect."""

    operation = "chat"

    def __init__(self, dialect: Dialect, path: str) -> None:
        self.path = path
        self._dialect = dialect
        self._openai = ChatCompletions()

    def read(self, arrival: Arrival) -> Request:
        """Understand a request."""
        return replace(self._openai.read(arrival), wire=self._dialect.name)

    def whole(self, request: Request, reply: Reply) -> Part:
        """Write the answer as one body."""
        document = json.loads(self._openai.whole(request, reply.but(usage=None)).data)
        for choice in document["choices"]:
            self._rename(choice["message"])
        body = self._dialect.body(reply)
        usage = {} if body is None else {"usage": body}
        return Part(encode({**document, **self._dialect.extra, **usage}), self._dialect.told(reply.usage))

    def events(self, request: Request, reply: Reply) -> list[Part]:
        """Write the answer as the events of a stream, with the usage where this provider tells it."""
        *chunks, end = self._openai.events(replace(request, wants_usage=False), reply)
        parts = [self._chunk(part, index, len(chunks), reply) for index, part in enumerate(chunks)]
        body = self._dialect.body(reply)
        if body is not None and self._has_own_chunk(request):
            head = {key: value for key, value in _document(chunks[-1]).items() if key != "choices"}
            document = {**head, "choices": list(self._dialect.own_choices), "usage": body}
            parts.append(Part(server_sent(document), self._dialect.told(reply.usage), USAGE))
        return [*parts, end]

    def _has_own_chunk(self, request: Request) -> bool:
        places = self._dialect.places
        return "always" in places or ("asked" in places and request.wants_usage)

    def _chunk(self, part: Part, index: int, count: int, reply: Reply) -> Part:
        document = {**_document(part), **self._dialect.extra}
        for choice in document["choices"]:
            self._rename(choice["delta"])
        told, places = self._dialect.told(reply.usage), self._dialect.places
        finishes = "finish" in part.marks
        if told is None or not (finishes or "every" in places):
            return Part(server_sent(document), marks=part.marks)
        usage = told if finishes else _share(told, index, count)
        if not self._tell(document, self._dialect.body(reply.but(usage=usage)), finishes=finishes):
            return Part(server_sent(document), marks=part.marks)
        return Part(server_sent(document), usage, part.marks | USAGE if finishes else part.marks)

    def _tell(self, document: Fields, body: Fields | None, *, finishes: bool) -> bool:
        """Put the usage where this provider has it in a chunk with choices; false if it has none there."""
        places = self._dialect.places
        if "every" in places or (finishes and "finish" in places):
            document["usage"] = body
        elif "choice" in places:
            document["choices"][0]["usage"] = body
        elif "x_groq" in places:
            document["x_groq"] = {"id": "req_1", "usage": body}
        else:
            return False
        return True

    def _rename(self, message: Fields) -> None:
        if "reasoning_content" in message:
            message[self._dialect.reasoning] = message.pop("reasoning_content")


def _document(part: Part) -> Fields:
    document: Fields = json.loads(part.data.removeprefix(b"data: "))
    return document


def _share(usage: ServedUsage, index: int, count: int) -> ServedUsage:
    """Return what the chunk at `index` of `count` reports: the whole input, the output so far."""
    output, reasoning = usage.output_tokens * index // count, usage.reasoning_tokens * index // count
    return replace(usage, output_tokens=output, reasoning_tokens=reasoning)
