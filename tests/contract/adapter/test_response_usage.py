"""The tokens of an answer, whole and streamed alike."""

from __future__ import annotations

from typing import Any

import pytest

from litespan.testing import Reply, ServedUsage
from tests.contract.adapter.harness import Adapter, Caller
from tests.versions import installed

USAGE = ServedUsage(
    input_tokens=1000, output_tokens=200, cache_read_tokens=400, cache_write_tokens=100, reasoning_tokens=50
)


def figures(usage: Any) -> dict[str, int]:
    """Return the figures of a usage by name."""
    return {
        "input": usage.input_tokens,
        "output": usage.output_tokens,
        "total": usage.total_tokens,
        "cached": usage.input_tokens_details.cached_tokens,
        "written": usage.input_tokens_details.cache_write_tokens,
        "reasoning": usage.output_tokens_details.reasoning_tokens,
    }


async def test_all_figures(caller: Caller) -> None:
    """Tokens, cache reads, cache writes and reasoning tokens are the provider's."""
    answer = await caller.answer(Reply.says("Yes.", usage=USAGE))
    assert {
        "input": 1000, "output": 200, "total": 1200, "cached": 400, "written": 100, "reasoning": 50,
    } == figures(answer.usage)  # fmt: skip


@pytest.mark.parametrize("wire", ["anthropic", "gemini"])
async def test_other_wires(caller: Caller, wire: str) -> None:
    """Other providers' totals and cache reads arrive as well."""
    answer = await caller.answer(Reply.says("Yes.", usage=USAGE), model=caller.adapter.model(wire))
    got = figures(answer.usage)
    assert (1000, 200, 1200, 400) == (got["input"], got["output"], got["total"], got["cached"])


async def test_anthropic_cache_writes_are_the_difference(caller: Caller) -> None:
    """LiteLLM 1.83 puts Anthropic's cache writes where the SDK does not look; litespan counts them."""
    answer = await caller.answer(Reply.says("Yes.", usage=USAGE), model=caller.adapter.model("anthropic"))
    counted = caller.adapter.name == "litespan" or installed("litellm") >= (1, 110)
    assert (100 if counted else 0) == figures(answer.usage)["written"]


async def test_one_request(adapter: Adapter) -> None:
    """An answer counts as one request."""
    assert 1 == (await adapter.respond()).usage.requests


async def test_no_usage(adapter: Adapter) -> None:
    """Where the provider reports no usage the request counts, with no tokens."""
    adapter.provider.script("*", Reply.says("Yes.", usage=None))
    usage = (await adapter.respond()).usage
    assert (1, 0, 0) == (usage.requests, usage.input_tokens, usage.output_tokens)
