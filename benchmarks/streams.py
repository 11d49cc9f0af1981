"""One long stream without HTTP: what litespan adds to each chunk on its way to the program."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import litellm
from litellm.types.utils import Delta, ModelResponseStream, StreamingChoices

import litespan
from benchmarks.budgets import CHUNKS
from benchmarks.telemetry import MODEL, providers


class _Source:
    """As much of LiteLLM's stream as is read of it; it delivers the same chunk again and again."""

    custom_llm_provider = "openai"
    received_finish_reason = "stop"
    response_id = "chatcmpl-000001"

    def __init__(self, *, with_usage: bool) -> None:
        usage = _chunk(content=None)
        counts = litellm.Usage(prompt_tokens=120, completion_tokens=CHUNKS, total_tokens=120 + CHUNKS)
        usage.usage = counts  # type: ignore[attr-defined]  # LiteLLM sets it in the same way
        self.chunks = [usage]
        self._hidden_params: dict[str, Any] = {}
        self._left = iter([*[_CHUNK] * CHUNKS, _chunk(finish_reason="stop"), *[usage] * with_usage])

    def __aiter__(self) -> _Source:
        return self

    async def __anext__(self) -> ModelResponseStream:
        for chunk in self._left:
            return chunk
        raise StopAsyncIteration

    async def aclose(self) -> None: ...


def _chunk(content: str | None = "word ", finish_reason: str | None = None) -> ModelResponseStream:
    choice = StreamingChoices(index=0, delta=Delta(content=content), finish_reason=finish_reason)
    return ModelResponseStream(id="chatcmpl-000001", model="gpt-4o", choices=[choice])


_CHUNK: Final = _chunk()


def prepare(variant: str) -> Callable[[], Awaitable[Any]]:
    """Set a variant up and return its run: one stream, read to its end."""

    async def acompletion(**request: Any) -> _Source:
        return _Source(with_usage="include_usage" in (request.get("stream_options") or {}))

    litellm.acompletion = acompletion  # before litespan wraps it
    if variant == "litespan":
        litespan.instrument(*providers())

    async def run() -> None:
        count = 0
        async for _ in await litellm.acompletion(model=MODEL, messages=[], stream=True):
            count += 1
        if count != CHUNKS + 1:
            raise RuntimeError(f"{count} chunks arrived")

    return run
