"""Generated: every function of litespan that a program runs through raises in turn, and nobody notices."""

from __future__ import annotations

import gc
from types import CodeType
from typing import Any

import pytest

import litespan
from litespan import guard
from litespan.testing import Capture, Provider
from tests.safety.faults import FaultError, called, fault_in, forget_results, name_of
from tests.safety.faulty_program import run

pytestmark = [pytest.mark.internal_errors_expected, pytest.mark.timeout(400)]

SHARDS = 8
# A fault of these at their very beginning reaches the program: they stand in place of the host's own
# functions, and hold the host's call between calls that are guarded.
IN_PLACE_OF_THE_HOSTS = {
    "sources.agents_install.AgentsSource._made_tool_context",
    "sources.litellm_call.OpenCall.__enter__",
    "sources.litellm_call.OpenCall.__exit__",
    "sources.litellm_calls.CallSource._acall",
    "sources.litellm_calls.CallSource._ainside",
    "sources.litellm_calls.CallSource._async_hook.<locals>.hook",
    "sources.litellm_calls.CallSource._call",
    "sources.litellm_calls.CallSource._hand_over",
    "sources.litellm_calls.CallSource._sync_hook.<locals>.hook",
    "sources.litellm_model.LitellmModel.__init__",
    "sources.litellm_model.LitellmModel.get_response",
    "sources.litellm_model.LitellmModel.stream_response",
    "sources.litellm_proxies.AsyncStream.__aiter__",
    "sources.litellm_proxies.AsyncStream.__anext__",
    "sources.litellm_proxies.BlockingStream.__iter__",
    "sources.litellm_proxies.BlockingStream.__next__",
    "sources.litellm_proxies.BlockingStream._read",
    "sources.litellm_proxies.ClosableStream.aclose",
    "sources.litellm_proxies._Stream.__class__",
    "sources.litellm_proxies._keep",
    "sources.litellm_stream._ReadToItsEnd.__aiter__",
    "sources.litellm_stream._ReadToItsEnd.__anext__",
    "sources.litellm_stream._ReadToItsEnd.__getattr__",
    "sources.litellm_stream._ReadToItsEnd.__next__",
    "sources.litellm_stream_usage._stream_options",
    "sources.litellm_transport._handle_request",
    "sources.litellm_transport._iterate",
    "sources.litellm_transport._observe",
}
# What the program calls itself, and what checks its arguments: errors there are for the program to see.
CALLED_BY_THE_PROGRAM = {
    "_api.instrument_implicitly",
    "context._checked_attributes",
    "context._checked_propagate",
    "context._checked_tags",
    "context._checked_tags.<locals>.<genexpr>",
    "context._id",
    "context.using.__enter__",
    "context.using.__exit__",
    "context.using.__init__",
    "labels.as_id",
    "labels.as_text",
}
EXEMPT = IN_PLACE_OF_THE_HOSTS | CALLED_BY_THE_PROGRAM


@pytest.fixture
async def bare(provider: Provider) -> list[Any]:
    """Return what the program sees without litespan."""
    return await run(provider)


async def reached(provider: Provider) -> list[CodeType]:
    """Return the functions that the program runs through, in a stable order."""
    forget_results()
    gc.collect()  # what other tests have left ends here, and not in the program
    with Capture(), called() as found:
        await run(provider)
    # Comprehensions are functions of their own in older Pythons; they raise where their function would.
    return sorted((c for c in found if not c.co_name.startswith("<")), key=name_of)


async def trial(provider: Provider, code: CodeType) -> tuple[Any, int, int]:
    """Run the program with one function failing once: what it saw, faults counted, what stayed open."""
    guard.reset()
    forget_results()
    with Capture():
        try:
            with fault_in(code) as raised:
                seen: Any = await run(provider)
        except FaultError:
            seen = "the fault"
        stats = litespan.stats()
    assert raised, f"{name_of(code)} was not called again"
    return seen, sum(stats["internal_errors"].values()), stats["records_open"]


async def test_the_generator_finds_them(provider: Provider) -> None:
    """Hundreds of functions are found, in every layer, and each exempt one exists and runs."""
    names = {name_of(code) for code in await reached(provider)}

    assert 200 <= len(names)
    assert names >= {
        "sources.agents_processor.AgentsProcessor.on_span_end",
        "sources.litellm_transport._note_attempt",
        "sources.litellm_stream.StreamState.look_ahead_after",
        "sources.litellm_call.OpenCall.end_later",
        "recorder.Recorder.begin",
        "emit.spans.SpanEmitter.ended",
        "emit.call_measurements.CallMeasurements.ended",
        "pricing.PriceBook.cost",
    }
    assert set() == {name for name in EXEMPT if "<genexpr>" not in name} - names


@pytest.mark.parametrize("shard", range(SHARDS))
async def test_a_fault_is_counted_once_and_not_noticed(
    provider: Provider, bare: list[Any], shard: int
) -> None:
    """The program sees no difference, one fault is counted; open stay its record and the root that waits."""
    problems: dict[str, Any] = {}
    for code in (await reached(provider))[shard::SHARDS]:
        if name_of(code) in EXEMPT:
            continue
        seen, counted, still_open = await trial(provider, code)
        if (seen, counted) != (bare, 1) or still_open > 2:
            problems[name_of(code)] = (seen == bare, counted, still_open)

    assert {} == problems
