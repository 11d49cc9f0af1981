"""LiteLLM's public calls: where each is found, what it does, how its arguments and its answers are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from inspect import signature
from typing import Any, Final, NamedTuple

from litespan.sources.litellm_messages import MessagesReader
from litespan.sources.litellm_readers import ResponsesReader, StreamReader, TextReader


class Entrance(NamedTuple):
    """One public function of LiteLLM: its operation, and the first of its arguments, which go by position."""

    operation: str
    is_async: bool
    positional: tuple[str, ...]
    asks_for_usage: bool
    reader: Callable[[], StreamReader]

    def named(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the arguments of a call of this function by their names."""
        if not args:
            return kwargs
        names = self.positional if len(args) <= len(self.positional) else _parameters(function)
        return {**dict(zip(names, args, strict=False)), **kwargs}


@lru_cache
def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(signature(function).parameters)


_CHAT: Final = ("model", "messages")
_PROMPT: Final = ("prompt", "model")
_INPUT: Final = ("model", "input")
_RESPONSES: Final = ("input", "model")
_MESSAGES: Final = ("max_tokens", "messages", "model")

ENTRANCES: Final[Mapping[str, Entrance]] = {
    "acompletion": Entrance("chat", True, _CHAT, True, StreamReader),
    "completion": Entrance("chat", False, _CHAT, True, StreamReader),
    "atext_completion": Entrance("text_completion", True, _PROMPT, True, TextReader),
    "text_completion": Entrance("text_completion", False, _PROMPT, True, TextReader),
    "aembedding": Entrance("embeddings", True, _INPUT, False, StreamReader),
    "embedding": Entrance("embeddings", False, _INPUT, False, StreamReader),
    "aresponses": Entrance("chat", True, _RESPONSES, False, ResponsesReader),
    "responses": Entrance("chat", False, _RESPONSES, False, ResponsesReader),
    "anthropic_messages": Entrance("chat", True, _MESSAGES, False, MessagesReader),
    # They retry LiteLLM's own functions, not the public ones; LiteLLM calls them itself for `num_retries`.
    "acompletion_with_retries": Entrance("chat", True, _CHAT, True, StreamReader),
    "completion_with_retries": Entrance("chat", False, _CHAT, True, StreamReader),
    "aresponses_with_retries": Entrance("chat", True, _RESPONSES, False, ResponsesReader),
    "responses_with_retries": Entrance("chat", False, _RESPONSES, False, ResponsesReader),
}
"""The public functions by their name in the package ``litellm``."""

_ANTHROPIC_STYLE: Final[Mapping[str, Entrance]] = {
    "acreate": Entrance("chat", True, _MESSAGES, False, MessagesReader),
    "create": Entrance("chat", False, _MESSAGES, False, MessagesReader),
}
"""The same for ``litellm.anthropic.messages``."""


def found_in(litellm: Any) -> Iterator[tuple[Any, str, Entrance]]:
    """Yield the entrances that this LiteLLM has: the module that holds each, its name, what it is."""
    messages = getattr(getattr(litellm, "anthropic", None), "messages", None)
    for owner, entrances in ((litellm, ENTRANCES), (messages, _ANTHROPIC_STYLE)):
        yield from ((owner, name, entrance) for name, entrance in entrances.items() if hasattr(owner, name))
