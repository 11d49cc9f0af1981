"""Streams of the Responses API for which LiteLLM counts the tokens itself, as the provider told none.

Newer versions put their count where the provider's would be (tried with litellm 1.110.2), and nothing in the
answer tells the two apart. What is hooked is private; where it looks different, the estimate is taken for the
provider's count. It can go when LiteLLM says which of its counts are its own.
"""

from __future__ import annotations

from typing import Any, Final

from litespan.guard import guarded
from litespan.sources import litellm_transport
from litespan.sources.patching import Patches

_MODULE: Final = "litellm.responses.streaming_iterator"
_FUNCTION: Final = "_estimate_usage_safely"


def install(patches: Patches) -> None:
    """Hook LiteLLM's estimate, where there is one."""
    patches.wrap_private(_MODULE, _FUNCTION, _estimate)


def _estimate(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
    _note_estimate()
    return wrapped(*args, **kwargs)


@guarded("Responses streams")
def _note_estimate() -> None:
    call = litellm_transport.current.get()
    if call is not None:
        call.estimated = True
