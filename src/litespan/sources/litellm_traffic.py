"""How Google served a stream: prepaid, with priority or as usual. It decides what the tokens cost.

LiteLLM notes it on the chunks that it reads, and drops it from those that it hands on. What is hooked is
private (tried with litellm 1.83.0); where it looks different, a stream has the price of usual calls.
It can go when LiteLLM keeps the note.
"""

from __future__ import annotations

from typing import Any, Final

from litespan.guard import guarded
from litespan.sources import litellm_transport
from litespan.sources.litellm_usage import hidden_of, read
from litespan.sources.patching import Patches

_MODULE: Final = "litellm.llms.vertex_ai.gemini.vertex_and_google_ai_studio_gemini"
_METHOD: Final = "ModelResponseIterator.chunk_parser"


def install(patches: Patches) -> None:
    """Hook LiteLLM's reader of Google's streams, where it is the one that this was made for."""
    patches.wrap_private(_MODULE, _METHOD, _read_chunk)


def _read_chunk(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
    chunk = wrapped(*args, **kwargs)
    _note_traffic(chunk)
    return chunk


@guarded("Google's streams")
def _note_traffic(chunk: Any) -> None:
    call = litellm_transport.current.get()
    traffic = of(hidden_of(chunk))
    if call is not None and traffic is not None:
        call.record.traffic = traffic


def of(hidden: Any) -> str | None:
    """Return Google's name of how a call was served, from what LiteLLM keeps beside an answer."""
    traffic = read(read(hidden, "provider_specific_fields"), "traffic_type")
    return traffic if isinstance(traffic, str) else None
