"""One of everything that litespan's metrics tell of: the scenes that the panels and rules are tried on."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import Any, Final

import litellm
from agents import Agent, Runner

from litespan.testing import Provider, Reply, Request, ServedUsage
from tests.flow.models import litespan_model
from tests.flow.team import EXPERT, TRIAGE, WRITER, build_team, play, run_team
from tests.flow.troubles import TROUBLES, until_all_ended, until_called
from tests.ledger import rates

TIMED: Final = "gpt-4.1-mini"
"""The model whose answers take as long as `LATENCIES` say, and nothing else happens to it."""

LATENCIES: Final = (*(0.45,) * 14, *(0.9,) * 5, 1.8)
"""Seconds, in the middle of histogram buckets: p50, p95 and p99 are the three different ones."""

UNPRICED: Final = "made-up-model"
CLAUDE: Final = "claude-haiku-4-5"
EMBEDDING: Final = "text-embedding-3-small"
PRICED: Final = (
    *(f"openai/{name}" for name in (TRIAGE, EXPERT, WRITER, TIMED, EMBEDDING)),
    f"anthropic/{CLAUDE}",
)

USAGE: Final = ServedUsage(
    input_tokens=400_000,
    output_tokens=90_000,
    cache_read_tokens=100_000,
    cache_write_tokens=50_000,
    reasoning_tokens=30_000,
)
"""Large enough that every call costs some cents, and one read twice is seen."""

_CLAUDES_USAGE: Final = ServedUsage(400_000, 90_000, 100_000, 50_000, 20_000)
_GATEWAYS_PRICE: Final = 0.75
_TEAM_RUNS: Final = (1, 2, 5)
"""One whole, one streamed, one whose first request is refused."""

Scene = Callable[[Provider], Awaitable[None]]


def prepare(provider: Provider) -> None:
    """Have the provider answer the team; everybody else gets a greeting."""
    provider.default = Reply.says("Hello.", usage=USAGE)
    provider.respond = _of_the_team


def _of_the_team(request: Request) -> Reply | None:
    if re.search(r"run \d", str(request.messages)):
        return play(request).but(usage=USAGE)
    return None


async def _asks(provider: Provider, name: str, wire: str = "openai", **options: Any) -> Any:
    target = {"model": f"{wire}/{name}", "api_base": provider.url(wire), "api_key": "k"}
    return await litellm.acompletion(messages=[{"role": "user", "content": "Hi"}], **target, **options)


async def _read(stream: AsyncIterator[Any]) -> None:
    async for _ in stream:
        pass


async def team(provider: Provider) -> None:
    """Tools, agents as tools, handoffs, guardrails that let pass, a request that is tried again."""
    first = build_team(lambda name: litespan_model(provider, name))
    for number in _TEAM_RUNS:
        await run_team(first, number)


async def troubles(provider: Provider) -> None:
    """Calls, tools, guardrails and runs that fail, each in the ways that there are."""
    for number, trouble in enumerate(TROUBLES.values()):
        await trouble.happen(provider, litespan_model(provider), stream=bool(number % 2))


async def cancelled_run(provider: Provider) -> None:
    """A run that the program gives up while it waits for a model."""
    served = provider.calls_served()
    provider.script(TRIAGE, Reply.hangs())
    agent = Agent[None](name="Slowpoke", model=litespan_model(provider))
    run = asyncio.create_task(Runner.run(agent, "hi"))
    await until_called(provider, served + 1)
    run.cancel()
    await asyncio.wait([run])


async def abandoned_stream(provider: Provider) -> None:
    """A stream that is left after its first chunk."""
    provider.script(TRIAGE, Reply.says("a b c d", pieces=4, stall_after=3))
    stream = await _asks(provider, TRIAGE, stream=True)
    await anext(stream)
    await stream.aclose()


async def cut_stream(provider: Provider) -> None:
    """A stream whose connection breaks."""
    provider.script(TRIAGE, Reply.says("a b c d", pieces=4, cut_after=3))
    stream = await _asks(provider, TRIAGE, stream=True)
    await asyncio.gather(_read(stream), return_exceptions=True)


async def without_usage(provider: Provider) -> None:
    """An answer that does not say what it used."""
    provider.script(WRITER, Reply.says("free?", usage=None))
    await _asks(provider, WRITER)


async def without_price(provider: Provider) -> None:
    """A model that nobody has a price for."""
    await _asks(provider, UNPRICED)


async def priced_by_the_gateway(provider: Provider) -> None:
    """An answer that says what it cost."""
    provider.script(EXPERT, Reply.says("dear", usage=ServedUsage(1000, 100), cost=_GATEWAYS_PRICE))
    await _asks(provider, EXPERT)


async def another_provider(provider: Provider) -> None:
    """Calls of a second provider, whole and streamed."""
    provider.script(CLAUDE, *[Reply.says("Bonjour.", usage=_CLAUDES_USAGE)] * 2)
    await _asks(provider, CLAUDE, "anthropic")
    await _read(await _asks(provider, CLAUDE, "anthropic", stream=True))


async def embedding(provider: Provider) -> None:
    """Vectors, which have input tokens only."""
    target = {"api_base": provider.base_url, "api_key": "k"}
    await litellm.aembedding(model=f"openai/{EMBEDDING}", input=["one", "two"], **target)


async def timed(provider: Provider) -> None:
    """Calls of known latencies, whole and streamed; a stream waits with its first byte and then is quick."""
    provider.script(TIMED, *[Reply.says("tick", usage=USAGE, delay=delay) for delay in LATENCIES])
    await asyncio.gather(*(_asks(provider, TIMED) for _ in LATENCIES))
    provider.script(TIMED, *[Reply.says("tick", usage=USAGE, delay=delay) for delay in LATENCIES])

    async def streamed() -> None:
        await _read(await _asks(provider, TIMED, stream=True))

    await asyncio.gather(*(streamed() for _ in LATENCIES))


SCENES: Final[tuple[Scene, ...]] = (
    team,
    troubles,
    cancelled_run,
    abandoned_stream,
    cut_stream,
    without_usage,
    without_price,
    priced_by_the_gateway,
    another_provider,
    embedding,
    timed,
)


async def play_all(provider: Provider) -> asyncio.Task[Any]:
    """Play every scene, then leave one call under way, which is returned."""
    for scene in SCENES:
        await scene(provider)
        await until_all_ended()
    served = provider.calls_served()
    provider.script(TRIAGE, Reply.hangs())
    under_way = asyncio.ensure_future(_asks(provider, TRIAGE))
    await until_called(provider, served + 1)
    return under_way


def usd_by_model(provider: Provider) -> dict[str, Decimal]:
    """Return the provider's bill for what it delivered: its own price, or tokens times rates; USD."""
    bill: dict[str, Decimal] = {}
    for served in provider.served:
        if served.model != UNPRICED and served.usage_delivered is not None:
            own = served.reply.cost
            cost = rates.cost(served.model, served.usage_delivered) if own is None else Decimal(own)
            bill[served.model] = bill.get(served.model, Decimal(0)) + cost
    return bill


def saved_usd(provider: Provider) -> Decimal:
    """Return the full input price of what went through the prompt caches, minus what was paid for it."""
    saved = Decimal(0)
    for served in provider.served:
        usage = served.usage_delivered
        if usage is not None and served.model != UNPRICED:
            rate = rates.of(served.model)
            saved += (rate.input - rate.cache_read) * usage.cache_read_tokens
            saved += (rate.input - rate.cache_write) * usage.cache_write_tokens
            saved += (rate.input - rate.cache_write_1h) * usage.cache_write_1h_tokens
    return saved
