"""What pricing a call of a listed model costs: prints CPU seconds per call."""

from __future__ import annotations

import time
from typing import Final

import litellm

from litespan.pricing import PriceBook
from litespan.records import ModelCall, Usage
from litespan.settings import Settings

CALLS: Final = 20_000

if __name__ == "__main__":
    book = PriceBook(Settings(), litellm.model_cost.get, "LiteLLM's table")
    call = ModelCall(
        model="gpt-4o-mini",
        litellm_provider="openai",
        response_model="gpt-4o-mini-2024-07-18",
        usage=Usage(1000, 200, cache_read_tokens=400, reasoning_tokens=50),
    )
    book.cost(call)
    began = time.process_time()
    for _ in range(CALLS):
        book.cost(call)
    print((time.process_time() - began) / CALLS)  # noqa: T201 - the parent reads it
