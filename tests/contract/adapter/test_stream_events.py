"""The events of a stream: their types, their order, their deltas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from agents import ModelSettings

from litespan.testing import Reply, ToolCall
from tests.contract.adapter.harness import Adapter

TEXT = [
    "created",
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.delta",
    "content_part.done",
    "output_item.done",
    "completed",
]
REASONING = [
    "created",
    "output_item.added",
    "reasoning_summary_part.added",
    "reasoning_summary_text.delta",
    "reasoning_summary_text.delta",
    "reasoning_summary_part.done",
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.delta",
    "output_item.done",
    "content_part.done",
    "output_item.done",
    "completed",
]
PARALLEL_CALLS = [
    "created",
    "output_item.added",
    "function_call_arguments.delta",
    "function_call_arguments.delta",
    "output_item.added",
    "function_call_arguments.delta",
    "function_call_arguments.delta",
    "output_item.done",
    "output_item.done",
    "completed",
]
REFUSAL = [
    "created",
    "output_item.added",
    "content_part.added",
    "refusal.delta",
    "content_part.done",
    "output_item.done",
    "completed",
]
CALLS = (ToolCall("look_up", {"city": "Oslo"}, id="c1"), ToolCall("look_up", {"city": "Bergen"}, id="c2"))

STREAMS = {
    "text": (Reply.says("Hello.", pieces=2), TEXT),
    "reasoning": (Reply.says("Yes.", reasoning="I ponder.", pieces=2), REASONING),
    "parallel calls": (Reply.calls(*CALLS, pieces=2), PARALLEL_CALLS),
    "content filter": (Reply(finish_reason="content_filter"), REFUSAL),
}


def kinds(events: Sequence[Any]) -> list[str]:
    """Return the types of the events without their common prefix."""
    return [event.type.removeprefix("response.") for event in events]


def deltas(events: Sequence[Any], kind: str, output_index: int) -> str:
    """Return the joined deltas of one kind for one output item."""
    mine = [event for event in events if event.type == f"response.{kind}.delta"]
    return "".join(event.delta for event in mine if event.output_index == output_index)


@pytest.mark.parametrize("include_usage", [None, True, False])
@pytest.mark.parametrize("stream", STREAMS)
async def test_types_and_order(adapter: Adapter, stream: str, include_usage: bool | None) -> None:
    """The types and their order are the same whoever asks for the usage, or nobody."""
    reply, expected = STREAMS[stream]
    adapter.provider.script("*", reply)
    events = await adapter.stream(settings=ModelSettings(include_usage=include_usage))
    assert expected == kinds(events)
    assert list(range(len(events))) == [event.sequence_number for event in events]


async def test_text_deltas(adapter: Adapter) -> None:
    """The deltas of a text are the text, and each piece of the provider is one delta."""
    adapter.provider.script("*", Reply.says("Hello there.", pieces=4))
    events = await adapter.stream()
    assert "Hello there." == deltas(events, "output_text", 0)
    assert 4 == kinds(events).count("output_text.delta")


async def test_reasoning_deltas(adapter: Adapter) -> None:
    """Reasoning is the first output item, the text the second."""
    adapter.provider.script("*", Reply.says("Yes.", reasoning="I ponder."))
    events = await adapter.stream()
    assert "I ponder." == deltas(events, "reasoning_summary_text", 0)
    assert "Yes." == deltas(events, "output_text", 1)


async def test_argument_deltas(adapter: Adapter) -> None:
    """The arguments of parallel calls are streamed apart, each under its own output index."""
    adapter.provider.script("*", Reply.calls(*CALLS))
    events = await adapter.stream()
    arguments = [deltas(events, "function_call_arguments", index) for index in (0, 1)]
    assert ['{"city": "Oslo"}', '{"city": "Bergen"}'] == arguments


async def test_logprob_deltas(adapter: Adapter) -> None:
    """Each text delta carries the log probabilities of its tokens."""
    adapter.provider.script("*", Reply.says("Hey", logprobs=True))
    events: list[Any] = list(await adapter.stream(settings=ModelSettings(top_logprobs=1)))
    texts = [event for event in events if event.type == "response.output_text.delta"]
    assert texts
    assert all([event.delta] == [entry.token for entry in event.logprobs] for event in texts)


async def test_items_that_are_done(adapter: Adapter) -> None:
    """Every item that is done is in the final response, in order."""
    adapter.provider.script("*", Reply.calls(*CALLS, text="One moment.", reasoning="I ponder."))
    events: list[Any] = list(await adapter.stream())
    done = [event for event in events if event.type == "response.output_item.done"]
    in_order = [event.item.type for event in sorted(done, key=lambda event: event.output_index)]
    assert in_order == [item.type for item in events[-1].response.output]
    assert ["reasoning", "message", "function_call", "function_call"] == in_order
