"""What LiteLLM calls inside one of its own calls, as far as it says better what happened.

It translates between APIs by a call of the other one, and loses parts of the usage on the way back (litellm
1.83.0). And it asks another model where the first one failed, as `fallbacks` tell it. Both stay one call.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from litespan.records import ModelCall
from litespan.sources import litellm_mapping as mapping
from litespan.sources.litellm_readers import StreamReader
from litespan.sources.litellm_usage import read

FALLBACKS: Final = "litellm.litellm_core_utils.fallback_utils"
"""LiteLLM's module that asks one model after the other."""

_ASKED: Final = (
    *("provider", "litellm_provider", "model", "parameters"),
    *("server_address", "server_port", "mocked", "long_cache_writes", "table_entry"),
)


class Inner(NamedTuple):
    """The answer of a call inside another one, and what reads it."""

    reader: StreamReader
    answer: Any


def take_usage(call: ModelCall, inner: Inner) -> None:
    """Write down the usage as it was before LiteLLM translated it, and what goes with it."""
    found = ModelCall(
        operation=call.operation,
        litellm_provider=call.litellm_provider,
        model=call.model,
        long_cache_writes=call.long_cache_writes,
        traffic=call.traffic,
    )
    if is_stream(inner.answer):
        inner.reader.fill(found, inner.reader.source(inner.answer))
    else:
        mapping.fill_from_response(found, inner.reader.whole(inner.answer))
    call.cache_hit = call.cache_hit or found.cache_hit
    call.service_tier = call.service_tier or found.service_tier
    call.provider_cost = call.provider_cost or found.provider_cost
    # Of a stream that keeps its chunks, what they do not tell is LiteLLM's estimate.
    if found.usage is not None or read(inner.answer, "chunks") is not None:
        call.usage = found.usage


def is_stream(answer: Any) -> bool:
    """Say whether an answer comes in chunks."""
    return hasattr(answer, "__anext__") or hasattr(answer, "__next__")


def ask_another(call: ModelCall, asked: ModelCall) -> None:
    """Let a call be one to the model that LiteLLM asks now; a price given for the first is not its price."""
    if (asked.litellm_provider, asked.model) != (call.litellm_provider, call.model):
        call.price = None
    for name in _ASKED:
        setattr(call, name, getattr(asked, name))
    call.asked_another = True
