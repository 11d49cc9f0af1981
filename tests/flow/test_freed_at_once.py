"""What litespan keeps of a run is freed when nobody needs it, without waiting for the garbage collector."""

from __future__ import annotations

import contextvars
import gc
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import litellm
import pytest
from agents import agent_span, function_span, trace
from agents.tracing import task_span, turn_span
from litellm.integrations.custom_logger import CustomLogger
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import Span

from litespan import table
from litespan.records import Record
from litespan.sources import litellm_call
from litespan.testing import Capture, Provider, Reply
from tests.fakes.litellm_callbacks import call_back
from tests.fakes.litellm_calls import chat
from tests.flow.troubles import comes_true, until
from tests.versions import cut_stream


@contextmanager
def collected() -> Iterator[Counter[str]]:
    """Count the records, by type, that only the garbage collector ends."""
    found: Counter[str] = Counter()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        # Other tests may leave other things, which end when their threads do.
        found.update(type(one).__qualname__ for one in gc.garbage if isinstance(one, Record))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def test_ended_runs_are_freed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No record of a run that has ended is in a cycle of references."""
    monkeypatch.setattr(table, "MAX_CLOSED", 1)
    with Capture(), collected() as found:
        for _ in range(3):
            with trace("Mine"), task_span("Mine"), agent_span("A"), turn_span(1, "A"), function_span("f"):
                pass

    assert {} == found


class Watching(SpanProcessor):
    """Knows which spans exist."""

    def __init__(self) -> None:
        self.spans: dict[str, weakref.ref[Span]] = {}

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note a span."""
        assert isinstance(span, ReadableSpan)
        self.spans[span.name] = weakref.ref(span)


def test_an_ended_root_keeps_its_place_and_not_its_span() -> None:
    """A root stays for late children, without the attributes of its span."""
    watching = Watching()
    with Capture() as capture:
        capture.tracer_provider.add_span_processor(watching)
        with trace("Mine") as mine, agent_span("A"):
            pass
        assert {"invoke_workflow Mine": None, "invoke_agent A": None} == {
            name: span() for name, span in watching.spans.items()
        }

        with agent_span("late", parent=mine):
            pass
        [root], [late] = capture.named("invoke_workflow Mine"), capture.named("invoke_agent late")

    assert late.parent is not None
    assert root.context is not None
    assert late.context is not None
    assert root.context.span_id == late.parent.span_id
    assert root.context.trace_id == late.context.trace_id


class Keeping(CustomLogger):
    """Keeps the context of each call, as the timers of its connections do."""

    def __init__(self) -> None:
        super().__init__()
        self.contexts: list[contextvars.Context] = []

    def log_pre_api_call(self, model: Any, messages: Any, kwargs: Any) -> None:
        """Keep the context."""
        self.contexts.append(contextvars.copy_context())


def keeps_no_answer(provider: Provider) -> bool:
    """Say whether no answer of a provider is in memory."""
    gc.collect()
    answers = [one for one in gc.get_objects() if isinstance(one, httpx.Response)]
    return not any(provider.base_url in repr(getattr(answer, "_request", None)) for answer in answers)


@pytest.mark.parametrize("stream", [False, True])
async def test_an_ended_call_keeps_neither_answer_nor_keys(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, *, stream: bool
) -> None:
    """Whoever keeps the context of a call does not keep the body of its answer and the key of its request."""
    keeping = Keeping()
    call_back(monkeypatch, keeping)
    with Capture(capture_content="SPAN_ONLY"):
        response = await litellm.acompletion(**chat(provider, stream=stream))
        if stream:
            assert [chunk async for chunk in response]
        del response
        await until(lambda: keeps_no_answer(provider), seconds=30.0)

    calls = [context[litellm_call.current] for context in keeping.contexts]
    assert calls
    assert {None} == {kept for call in calls if call is not None for kept in (call.secrets, call.probe)}


async def test_an_exception_that_was_read_ahead_does_not_keep_the_stream(provider: Provider) -> None:
    """A stream that breaks before its usage, of which some versions of LiteLLM tell, is freed when left.

    Not from Python 3.12 on with LiteLLM 1.110, and neither without litespan.
    """
    provider.default = Reply.says("Hello", cut_before="usage")

    async def read() -> weakref.ref[Any]:
        stream: Any = await litellm.acompletion(**chat(provider, stream=True))
        with cut_stream():
            async for _ in stream:
                pass
        return weakref.ref(stream)

    with collected():
        bare = await read()
        is_freed = await comes_true(lambda: bare() is None, 1.0)
    with Capture(), collected():
        left = await read()
        if is_freed:
            await until(lambda: left() is None)
