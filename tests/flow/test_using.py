"""`litespan.using`: user, session, tags and attributes are on every span that begins inside, on no metric."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import Any
from uuid import UUID

import litellm
import pytest
from agents import Agent, RunConfig, Runner, custom_span, trace

import litespan
from litespan import context
from litespan.testing import Capture, Provider
from tests.flow.everything import emitted
from tests.flow.models import litespan_model
from tests.flow.team import build_team, play, run_team
from tests.safety.odd_values import Hostile, HostileError, HostileText

USER, SESSION, TAGS, TALK = "user.id", "session.id", "litespan.tags", "gen_ai.conversation.id"


def attributes(capture: Capture) -> list[Mapping[str, Any]]:
    """Return the attributes of all spans."""
    return [span.attributes or {} for span in capture.spans]


def only(capture: Capture) -> Mapping[str, Any]:
    """Return the attributes of the one span."""
    [found] = attributes(capture)
    return found


async def ask(provider: Provider, **arguments: Any) -> None:
    """Make a plain call of LiteLLM, without agents."""
    await litellm.acompletion(
        "openai/gpt-4o-mini",
        [{"role": "user", "content": "hi"}],
        base_url=provider.base_url,
        api_key="k",
        **arguments,
    )


@pytest.mark.parametrize("number", [1, 2], ids=["whole", "streamed"])
@pytest.mark.parametrize("turn_spans", [False, True])
async def test_every_span_of_a_run_carries_it(provider: Provider, number: int, *, turn_spans: bool) -> None:
    """Workflow, agents, calls, tools in threads, handoff and guardrail carry all of it; no metric does."""
    provider.respond = play
    team = build_team(lambda name: litespan_model(provider, name))
    with Capture(turn_spans=turn_spans) as capture:
        with litespan.using(user="u-17", session="s-4", tags=["beta", "eu"], desk="north"):
            await run_team(team, number)

        assert len(capture.spans) >= 13
        expected = {USER: "u-17", SESSION: "s-4", TAGS: ("beta", "eu"), "desk": "north"}
        for found in attributes(capture):
            assert expected.items() <= found.items()
        metrics = emitted(capture).split('[["gen_ai.', 1)[-1]
        assert not [value for value in ("u-17", "s-4", "beta", "north") if f'"{value}"' in metrics]


async def test_stream_keeps_it_when_it_is_read_outside(provider: Provider) -> None:
    """A streamed run that began inside the block keeps it, though its events are read after the block."""
    with Capture() as capture:
        with litespan.using(user="u-17"):
            agent = Agent[None](name="A", model=litespan_model(provider))
            streamed = Runner.run_streamed(agent, "hi")
        async for _ in streamed.stream_events():
            pass

        assert ["u-17"] * 3 == [found.get(USER) for found in attributes(capture)]


async def test_plain_calls_carry_it(provider: Provider) -> None:
    """A call of LiteLLM without agents carries it, and its session is the conversation."""
    with Capture() as capture:
        async with litespan.using(user="u-17", session="s-4"):
            await ask(provider)

        assert {USER: "u-17", SESSION: "s-4", TALK: "s-4"}.items() <= only(capture).items()


async def test_nothing_is_left_behind(provider: Provider) -> None:
    """After the block, also one that an exception ended, spans carry nothing of it."""
    with Capture() as capture:
        with pytest.raises(RuntimeError), litespan.using(user="u-17", tags=["beta"]):
            raise RuntimeError
        await ask(provider)

        assert not {USER, SESSION, TAGS, TALK} & set(only(capture))


async def test_inner_values_win_and_tags_add_up(provider: Provider) -> None:
    """In a nested block inner values win, the rest and the tags stay, and the outer ones come back."""
    with Capture() as capture:
        with litespan.using(user="outer", tags=["a", "b"], desk="north", floor=1):
            with litespan.using(session="s", tags=["b", "c"], desk="south"):
                await ask(provider)
            await ask(provider)

        inner, outer = attributes(capture)
        assert {USER: "outer", SESSION: "s", TAGS: ("a", "b", "c"), "desk": "south", "floor": 1}.items() <= (
            inner.items()
        )
        assert {USER: "outer", TAGS: ("a", "b"), "desk": "north"}.items() <= outer.items()
        assert SESSION not in outer


async def test_tasks_do_not_mix(provider: Provider) -> None:
    """Concurrent tasks each carry their own user, also where they share one block object."""
    shared = litespan.using(tags=["shared"])

    async def serve(user: str) -> None:
        with shared, litespan.using(user=user):
            await asyncio.sleep(0)
            await ask(provider, n=1, user=user)
        assert context.current() is None

    with Capture() as capture:
        await asyncio.gather(*(serve(f"u-{number}") for number in range(20)))

        assert {f"u-{number}" for number in range(20)} == {found[USER] for found in attributes(capture)}
        assert {("shared",)} == {found[TAGS] for found in attributes(capture)}


async def test_child_in_another_context_inherits_it(provider: Provider) -> None:
    """A span of a trace that began inside has it from its parent where it starts in a context without it."""
    with Capture() as capture:
        with litespan.using(user="u-17", session="s-4", tags=["beta"]), trace("outside") as opened:
            await asyncio.get_running_loop().run_in_executor(
                None, contextvars.Context().run, _step_in_other_context, opened
            )

        step, root = attributes(capture)
        inherited = {USER: "u-17", SESSION: "s-4", TALK: "s-4"}
        assert {**inherited, TAGS: ("beta",)}.items() <= root.items()
        assert {**inherited, TAGS: ("beta", "worker")}.items() <= step.items()


def _step_in_other_context(opened: Any) -> None:
    with litespan.using(tags=["worker"]), custom_span("step", parent=opened):
        pass


def test_threads_start_with_it_only_if_they_get_the_context(provider: Provider) -> None:
    """A bare thread knows nothing of the block; one that runs in a copy of the context does."""
    with ThreadPoolExecutor(1) as pool, litespan.using(user="u-17"):
        copied = contextvars.copy_context()

        assert pool.submit(context.current).result() is None
        assert "u-17" == pool.submit(copied.run, context.current).result().user  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("config", "talk"),
    [
        (RunConfig(group_id="group", trace_metadata={"session_id": "meta"}), "group"),
        (RunConfig(trace_metadata={"session_id": "meta"}), "meta"),
        (RunConfig(), "s-4"),
    ],
    ids=["group id", "metadata", "session"],
)
async def test_session_is_the_last_source_of_the_conversation(
    provider: Provider, config: RunConfig, talk: str
) -> None:
    """The conversation is the trace's group, else what its metadata says, else the session."""
    with Capture() as capture:
        with litespan.using(session="s-4"):
            await Runner.run(Agent[None](name="A", model=litespan_model(provider)), "hi", run_config=config)

        assert [(talk, "s-4")] * 3 == [(found[TALK], found[SESSION]) for found in attributes(capture)]


async def test_functions_can_be_decorated(provider: Provider) -> None:
    """A decorated function or coroutine function runs each of its calls in the block."""

    @litespan.using(user="u-17")
    async def serve() -> str | None:
        await ask(provider)
        return _user()

    @litespan.using(user="u-18")
    def count(depth: int) -> list[str | None]:
        return [_user(), *(count(depth - 1) if depth else [])]

    with Capture() as capture:
        assert "u-17" == await serve() == only(capture)[USER]
    assert ["u-18"] * 3 == count(2)
    assert _user() is None


def _user() -> str | None:
    labels = context.current()
    return labels.user if labels is not None else None


def test_generators_are_refused() -> None:
    """A generator cannot be decorated: the block would hold for its reader."""

    async def chunks() -> AsyncIterator[int]:
        yield 1

    with pytest.raises(TypeError, match="cannot decorate a generator"):
        litespan.using(user="u")(chunks)


async def test_generator_may_be_closed_elsewhere() -> None:
    """A block in a generator that another task closes raises nothing, and takes nothing away there."""

    async def chunks() -> AsyncIterator[int]:
        with litespan.using(user="generator"):
            yield 1

    async def begin(stream: AsyncIterator[int]) -> None:
        await stream.__anext__()

    stream = chunks()
    await asyncio.create_task(begin(stream))
    with litespan.using(user="reader"):
        await stream.aclose()  # type: ignore[attr-defined]

        assert "reader" == _user()


class Plan(str, Enum):
    """A plan, as programs write such things."""

    FREE = "free"


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({"user": 17}, {USER: "17"}),
        ({"user": UUID(int=17)}, {USER: str(UUID(int=17))}),
        ({"user": "u" * 5000}, {USER: "u" * 1024}),
        ({"user": "\ud800x"}, {USER: "?x"}),
        ({"user": None, "session": " "}, {}),
        ({"tags": [1, "", None, "b"]}, {TAGS: ("1", "b")}),
        ({"tags": (str(n) for n in range(100))}, {TAGS: tuple(str(n) for n in range(64))}),
        ({"plan": Plan.FREE, "seats": 3, "paid": False, "ratio": 0.5}, {
            "plan": "free", "seats": 3, "paid": False, "ratio": 0.5,
        }),
        ({"floors": [1, 2], "wide": "w" * 5000, "gone": None}, {"floors": (1, 2), "wide": "w" * 1024}),
    ],
)  # fmt: skip
async def test_values_are_made_to_fit(
    provider: Provider, given: dict[str, Any], seen: dict[str, Any]
) -> None:
    """Whole numbers and UUIDs are ids, long texts are cut, `None` and blanks are left out, without a word."""
    with Capture() as capture:
        with litespan.using(**given):
            await ask(provider)

        found = only(capture)
        names = {USER, SESSION, TAGS, *given} - {"user", "session", "tags"}
        assert seen == {name: found[name] for name in names if name in found}


@pytest.mark.parametrize(
    "given",
    [{"user": 1.5}, {"session": b"s"}, {"tags": [{}]}, {"desk": {}}, {"desk": [1, "a"]}, {"desk": 2**63}],
    ids=str,
)
def test_odd_values_never_stop_the_program(
    given: dict[str, Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value that no span can carry is left out, and told of once by its type, not by what it is."""
    monkeypatch.setattr(context, "_told", set())
    with caplog.at_level(logging.WARNING, "litespan"), litespan.using(**given), litespan.using(**given):
        labels = context.current()

    assert (None, None, (), {}) == (labels.user, labels.session, labels.tags, dict(labels.attributes))  # type: ignore[union-attr]
    [message] = caplog.messages
    assert "it is left out" in message
    assert "{" not in message


class Unreadable(int):
    """A number that fails whoever reads it."""

    def __abs__(self) -> int:
        raise HostileError

    bit_length = __int__ = __abs__


@pytest.mark.internal_errors_expected
@pytest.mark.parametrize(
    "odd", [HostileText("x"), Unreadable(3), Hostile()], ids=lambda odd: type(odd).__name__
)
def test_values_that_fail_never_stop_the_program(odd: Any) -> None:
    """A value of the program's own class that raises when it is read is left out; others are kept."""
    with litespan.using(user=odd, session=odd, tags=[odd, "beta"], desk="north", number=odd):
        labels = context.current()

    assert (None, None, ("beta",)) == (labels.user, labels.session, labels.tags)  # type: ignore[union-attr]
    assert "north" == labels.attributes["desk"]  # type: ignore[union-attr]


@pytest.mark.parametrize("word", ["false", "no", 0])
def test_a_word_on_propagation_that_is_no_boolean_is_an_error(word: Any) -> None:
    """A text that means no never sends users on to others."""
    with pytest.raises(
        TypeError, match=f"got a value of type {type(word).__name__}: it is True, False or None"
    ):
        litespan.using(user="u-17", propagate=word)


@pytest.mark.parametrize("tags", ["beta", b"beta", 3])
def test_tags_that_are_no_list_are_an_error(tags: Any) -> None:
    """A single text for tags would be a list of letters: a mistake of the code, raised at the call."""
    with pytest.raises(TypeError, match="tags is a list of texts"):
        litespan.using(tags=tags)


@pytest.mark.parametrize("name", ["", " ", "gen_ai.agent.name", "litespan.cost", "user.id", "x" * 257])
def test_names_that_are_not_the_programs_are_errors(name: str) -> None:
    """A name that belongs to the conventions or to litespan is a mistake of the code, raised at the call."""
    with pytest.raises(litespan.ConfigurationError, match="cannot set the attribute"):
        litespan.using(**{name: "x"})  # type: ignore[arg-type]


async def test_it_never_hides_what_litespan_knows(provider: Provider) -> None:
    """Where a name is litespan's as well, its own value is written."""
    with Capture() as capture:
        with litespan.using(**{"server.address": "mine", "error.type": "mine"}):  # type: ignore[arg-type]
            await ask(provider)

        assert "127.0.0.1" == only(capture)["server.address"]


def test_it_does_nothing_where_litespan_is_off() -> None:
    """Without instrumentation a block is allowed, and sends nothing on."""
    with litespan.using(user="u-17", propagate=True) as block:
        assert "u-17" == _user()
        assert isinstance(block, litespan.using)
    assert _user() is None
