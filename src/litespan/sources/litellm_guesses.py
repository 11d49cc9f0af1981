"""Token counts that LiteLLM makes up where a provider sent none; the body of the answer tells which.

Pure functions, tried with litellm 1.83.0. They can go when LiteLLM says which of its counts are its own.
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any, Final

from litespan.records import ModelCall
from litespan.sources.litellm_usage import read

_OLLAMA: Final = (("input_tokens", ("prompt_eval_count",)), ("output_tokens", ("eval_count",)))
_COHERE: Final = (("input_tokens", ("meta", "billed_units", "input_tokens")),)

# Provider and operation -> counts, and where in the provider's answer they stand.
_PLACES: Final = MappingProxyType(
    {
        ("ollama", "chat"): _OLLAMA,
        ("ollama", "text_completion"): _OLLAMA,
        ("ollama_chat", "chat"): _OLLAMA,
        ("cohere", "embeddings"): _COHERE,
    }
)


def take_out_guesses(call: ModelCall, answer: Any) -> None:
    """Take counts out of a call's usage that its provider's answer, an ``httpx.Response``, does not hold.

    Where the answer is not known, as without the transport probe, nothing can be told.
    """
    places = _PLACES.get((call.litellm_provider or "", call.operation))
    usage = call.usage
    body = body_of(answer) if places and usage is not None else None
    if places is None or usage is None or body is None:
        return
    for name, path in places:
        if _at(body, path) is None:
            setattr(usage, name, None)
            usage.unrated = True
    if not (usage.input_tokens or usage.output_tokens):
        call.usage = None


def body_of(answer: Any) -> Any:
    """Return the JSON of an answer that was read; httpx raises for others, and has no public way to ask."""
    content = read(answer, "_content")
    if not isinstance(content, bytes):
        return None
    try:
        return json.loads(content)
    except ValueError:
        return None


def _at(body: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        body = read(body, name)
    return body
