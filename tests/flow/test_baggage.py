"""Baggage: what requests bring is on the spans; what the program says goes out only if it asks for that."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator
from typing import Any

import litellm
import pytest
from agents import Agent, Runner, agent_span, custom_span, function_tool, trace
from litellm.caching.llm_caching_handler import LLMClientCache
from opentelemetry import baggage
from opentelemetry import context as otel_context
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.trace import get_current_span

import litespan
from litespan.testing import Capture, Provider, Reply, ToolCall
from tests.fakes.litellm_calls import chat
from tests.flow.everything import emitted
from tests.flow.models import litespan_model

USER, SESSION = "user.id", "session.id"


@pytest.fixture
def incoming() -> Iterator[None]:
    """Handle a request that brought baggage, as instrumented web frameworks do."""
    header = {"baggage": "user.id=u%2017,session.id=s-4,tenant=acme,secret=x"}
    token = otel_context.attach(W3CBaggagePropagator().extract(header))
    yield
    otel_context.detach(token)


def shown(capture: Capture, *names: str) -> set[tuple[Any, ...]]:
    """Return the values of these attributes on all spans."""
    return {tuple((span.attributes or {}).get(name) for name in names) for span in capture.spans}


async def run(provider: Provider) -> None:
    """Run one agent."""
    await Runner.run(Agent[None](name="A", model=litespan_model(provider)), "hi")


async def test_user_and_session_of_a_request_are_on_all_spans(provider: Provider, incoming: None) -> None:
    """The two keys are read without asking; nothing else of the baggage is, and none is on metrics."""
    with Capture() as capture:
        await run(provider)

        assert {("u 17", "s-4", None, None)} == shown(capture, USER, SESSION, "tenant", "secret")
        assert 3 == len(capture.spans)
        assert "u 17" not in emitted(capture).split('[["gen_ai.', 1)[-1]


async def test_other_keys_are_on_the_spans_if_they_are_allowed(provider: Provider, incoming: None) -> None:
    """The setting names the keys; those that it does not name are left out."""
    with Capture(baggage_keys=["tenant", "absent"]) as capture:
        await run(provider)

        assert {(None, None, "acme", None)} == shown(capture, USER, SESSION, "tenant", "absent")


async def test_keys_of_requests_are_never_on_metrics(provider: Provider, incoming: None) -> None:
    """A key that is allowed on metrics takes no value from baggage: whoever sends requests could fill it."""
    with Capture(baggage_keys=["tenant"], metric_keys=["tenant"]) as capture:
        await run(provider)

        assert 1 == capture.total("litespan.calls")
        assert [] == capture.points("litespan.calls", tenant="acme")


class Tenants(SpanProcessor):
    """Puts an entry of the baggage on spans as they start, as OpenTelemetry's own processor for it does."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Put it there."""
        span.set_attribute("tenant", str(baggage.get_baggage("tenant", parent_context)))


async def test_processors_see_what_a_tool_has_set(provider: Provider) -> None:
    """Baggage that a tool sets is in the context in which the spans of its calls start, and of no others."""

    @function_tool
    async def look() -> str:
        token = otel_context.attach(baggage.set_baggage("tenant", "acme"))
        try:
            await litellm.acompletion(**{**chat(provider), "model": "openai/inner"})
        finally:
            otel_context.detach(token)
        return "seen"

    with Capture() as capture:
        capture.tracer_provider.add_span_processor(Tenants())
        provider.script("gpt-4o-mini", Reply.calls(ToolCall("look")), Reply.says("done"))
        await Runner.run(Agent[None](name="A", model=litespan_model(provider), tools=[look]), "hi")

        tenants = {span.name: (span.attributes or {})["tenant"] for span in capture.spans}
        assert {"chat inner"} == {name for name, tenant in tenants.items() if tenant == "acme"}
        assert {"chat gpt-4o-mini", "execute_tool look"} < set(tenants)


def test_a_thread_without_a_context_has_that_of_the_parent(incoming: None) -> None:
    """What begins in a thread that was told of no context starts in that of what it belongs to."""

    def step() -> None:
        with custom_span("step", parent=opened):
            pass

    with Capture() as capture:
        capture.tracer_provider.add_span_processor(Tenants())
        with trace("outside"), agent_span("A") as opened:
            thread = threading.Thread(target=step)
            thread.start()
            thread.join()

        assert {("acme",)} == shown(capture, "tenant")
        assert 3 == len(capture.spans)


async def test_program_goes_before_the_request(provider: Provider, incoming: None) -> None:
    """What the program says in its code goes before what the request says."""
    with Capture() as capture:
        with litespan.using(user="mine"):
            await run(provider)

        assert {("mine", "s-4")} == shown(capture, USER, SESSION)


async def test_child_in_another_context_inherits_it(incoming: None) -> None:
    """A span that starts in a context without the baggage has it from its parent."""

    def step(opened: Any) -> None:
        with custom_span("step", parent=opened):
            pass

    with Capture() as capture:
        with trace("outside") as opened:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, contextvars.Context().run, step, opened)

        assert 2 == len(capture.spans)
        assert {("u 17", "s-4")} == shown(capture, USER, SESSION)


@pytest.fixture
def instrumented_client(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let LiteLLM's HTTP client send the context on, as programs that trace their requests have it."""
    monkeypatch.setattr(litellm, "in_memory_llm_clients_cache", LLMClientCache())
    AioHttpClientInstrumentor().instrument()
    yield
    AioHttpClientInstrumentor().uninstrument()


@pytest.mark.parametrize(
    ("setting", "argument", "sent"),
    [
        (False, None, None),
        (False, True, "user.id=u-17,session.id=s-4"),
        (True, None, "user.id=u-17,session.id=s-4"),
        (True, False, None),
    ],
    ids=["default", "asked for here", "asked for in general", "not here"],
)
async def test_user_is_sent_on_only_if_asked_for(
    provider: Provider, instrumented_client: None, *, setting: bool, argument: bool | None, sent: str | None
) -> None:
    """The provider gets the header only where the argument or the setting asks for it, inside the block."""
    with Capture(propagate_baggage=setting):
        with litespan.using(user="u-17", session="s-4", propagate=argument, desk="north"):
            await run(provider)
        await run(provider)

    assert [sent, None] == [served.request.headers.get("baggage") for served in provider.served]


async def test_baggage_of_the_program_is_kept(provider: Provider) -> None:
    """Sending on adds to the baggage that is there, and takes away only that."""
    token = otel_context.attach(baggage.set_baggage("tenant", "acme"))
    try:
        with Capture():
            with litespan.using(user="u-17", propagate=True), litespan.using(session="s-4", propagate=True):
                inside = dict(baggage.get_all())
            after = dict(baggage.get_all())
    finally:
        otel_context.detach(token)

    assert {"tenant": "acme", USER: "u-17", SESSION: "s-4"} == inside
    assert {"tenant": "acme"} == after


def test_what_a_program_forgets_to_undo_sends_nobody_on() -> None:
    """A context that the program attached inside a block, and left so, does not keep the block's user."""
    with Capture():
        with litespan.using(user="u-17", propagate=True):
            otel_context.attach(otel_context.set_value("k", "v"))
        with litespan.using(user="u-18", session="s-4", propagate=True):
            otel_context.attach(baggage.set_baggage("tenant", "acme"))

        assert {} == dict(baggage.get_all())


def test_block_outlives_the_instrumentation() -> None:
    """A block that is left after litespan was taken out takes its baggage away all the same."""
    with Capture():
        block = litespan.using(user="u-17", propagate=True)
        block.__enter__()
    block.__exit__()

    assert {} == dict(baggage.get_all())


def test_a_span_that_began_in_a_block_outlives_it(capture: Capture) -> None:
    """A block that ends inside a span of the program, as one of a generator may, leaves that span current."""

    def generated() -> Iterator[int]:
        with litespan.using(session="s-4", propagate=True):
            yield 1

    def inside() -> None:
        numbers = generated()
        next(numbers)
        with capture.tracer_provider.get_tracer("app").start_as_current_span("request") as request:
            assert [] == list(numbers)
            assert request is get_current_span()

    # Its user stays there, as a block can only be undone where it is the last one.
    contextvars.copy_context().run(inside)
