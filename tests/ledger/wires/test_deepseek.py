"""DeepSeek's chat completions.

Followed are the pages "Create Chat Completion" and "Context Caching": `prompt_tokens` is the sum of
`prompt_cache_hit_tokens` and `prompt_cache_miss_tokens`; `completion_tokens` include
`completion_tokens_details.reasoning_tokens`; what was thought is in `reasoning_content`. A stream tells its
usage with the finish reason, and in a chunk of its own for who asks.
"""

from __future__ import annotations

from dataclasses import replace

from tests.fakes.deepseek_wire import DEEPSEEK, DeepSeekWire
from tests.fakes.dialects import counts
from tests.fakes.openai_like import OpenAILikeWire
from tests.ledger.wires.agreement import MODES
from tests.ledger.wires.cases import Case, Scenario, agrees, every_scenario

CASE = Case(DeepSeekWire, "deepseek/deepseek-reasoner", "deepseek")


@every_scenario()
async def test_figures_are_the_providers(happens: Scenario) -> None:
    """Whatever happens to a call, its tokens and its cost are what the provider served."""
    await happens(CASE)


async def test_cache_hits_alone_are_enough() -> None:
    """An answer with `prompt_cache_hit_tokens` and no details is understood just so, streamed or not."""
    dialect = replace(
        DEEPSEEK,
        usage=lambda usage: {
            **counts(usage),
            "prompt_cache_hit_tokens": usage.cache_read_tokens,
            "prompt_cache_miss_tokens": usage.input_tokens - usage.cache_read_tokens,
        },
        tells=frozenset({"cache_read_tokens"}),
    )
    case = replace(CASE, wire=lambda: OpenAILikeWire(dialect))
    for mode in MODES.values():
        await agrees(case, **mode)
