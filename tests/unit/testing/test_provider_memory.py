"""What the provider remembers, and how it chooses its replies."""

from __future__ import annotations

import asyncio
import time

import litellm

from litespan.testing import Provider, Reply, Request, ServedUsage
from tests.fakes import all_wires_provider
from tests.fakes.litellm_calls import API_KEY, chat


async def ask(provider: Provider, text: str = "Hi", wire: str = "openai") -> str | None:
    """Make a call and return the answer's text."""
    response = await litellm.acompletion(**chat(provider, wire, text))
    text_of_answer: str | None = response.choices[0].message.content
    return text_of_answer


async def test_replies_follow_the_script(provider: Provider) -> None:
    """Replies are taken in order: the model's own, then those for any model, the responder, the default."""
    provider.script("gpt-4o-mini", Reply.says("first"), Reply.says("second"))
    provider.script("*", Reply.says("any"))
    answers = [Reply.says("responded"), None]
    provider.respond = lambda request: answers.pop(0)
    provider.default = Reply.says("default")

    told = [await ask(provider) for _ in range(5)]

    assert ["first", "second", "any", "responded", "default"] == told


async def test_a_script_is_for_its_model_only(provider: Provider) -> None:
    """A reply for one model is not given to another, on whichever wire."""
    provider.script("claude-sonnet-4-5", Reply.says("I am Claude"))

    assert "Hello from the fake provider." == await ask(provider)
    assert "I am Claude" == await ask(provider, wire="anthropic")


async def test_a_responder_answers_concurrent_calls_by_content(provider: Provider) -> None:
    """A responder sees the request, so that concurrent calls get their own answers."""

    def echo(request: Request) -> Reply:
        """Answer with the number that was asked, after a while."""
        count = int(request.messages[-1]["content"])
        return Reply.says(f"echo {count}", usage=ServedUsage(count, 1), delay=0.01 * (count % 3))

    provider.respond = echo

    told = await asyncio.gather(*(ask(provider, str(count)) for count in range(1, 31)))

    assert [f"echo {count}" for count in range(1, 31)] == told
    assert ServedUsage(sum(range(1, 31)), 30) == provider.delivered() == provider.billed()
    assert 30 == provider.calls_served()
    assert list(range(1, 31)) == [served.request.number for served in provider.served]


async def test_totals_tell_delivered_from_billed(provider: Provider) -> None:
    """What was billed and not delivered shows as the difference of the totals."""
    provider.script("gpt-4o-mini", Reply.says("lost", usage=ServedUsage(100, 50)))

    _ = [chunk async for chunk in await litellm.acompletion(**chat(provider, stream=True))]
    await ask(provider)

    assert ServedUsage(12, 7) == provider.delivered("gpt-4o-mini")
    assert ServedUsage(112, 57) == provider.billed("gpt-4o-mini")
    assert ServedUsage() == provider.billed("other")


async def test_figures_are_there_when_the_answer_is(provider: Provider) -> None:
    """A client that has its answer finds outcome, times and usage in the memory without waiting."""
    before = time.time()
    for _ in range(20):
        await ask(provider)
        served = provider.served[-1]

        assert ("finished", 200, ServedUsage(12, 7)) == (
            served.outcome,
            served.status,
            served.usage_delivered,
        )
        assert served.ended is not None
        assert before <= served.started <= served.ended <= time.time()


async def test_delays_are_kept(provider: Provider) -> None:
    """`delay` comes before the head of the response, `chunk_delay` between the events."""
    provider.script("gpt-4o-mini", Reply.says("abc", delay=0.05, chunk_delay=0.02, pieces=3))
    begin = time.monotonic()

    stream = await litellm.acompletion(**chat(provider, stream=True))
    head = time.monotonic() - begin
    async for _ in stream:
        pass

    assert head >= 0.05
    assert time.monotonic() - begin >= 0.05 + 5 * 0.02


async def test_a_reset_forgets_everything(provider: Provider) -> None:
    """After a reset there is no script, no responder, no memory, and numbers start again."""
    provider.script("gpt-4o-mini", Reply.says("first"), Reply.says("never asked for"))
    provider.respond = lambda request: Reply.says("never asked for")
    await ask(provider)

    provider.reset()

    assert [] == provider.served
    assert "Hello from the fake provider." == await ask(provider)
    assert [1] == [served.request.number for served in provider.served]


async def test_payloads_need_not_be_remembered() -> None:
    """With remember_payloads off the figures stay, the content goes."""
    with all_wires_provider(remember_payloads=False) as provider:
        await ask(provider, "Forget me")

        (served,) = provider.served

    assert ("gpt-4o-mini", ServedUsage(12, 7)) == (served.model, served.usage_delivered)
    request = served.request
    assert ((), (), {}, {}, {}) == (
        request.messages,
        request.tools,
        request.headers,
        request.query,
        request.json,
    )


async def test_keys_and_prompts_stay_out_of_reprs(provider: Provider) -> None:
    """The record holds the headers and the body, but does not show them."""
    await ask(provider, "my secret prompt")

    (served,) = provider.served

    assert f"Bearer {API_KEY}" == served.request.headers["authorization"]
    assert API_KEY not in repr(served)
    assert "my secret prompt" not in repr(served)
