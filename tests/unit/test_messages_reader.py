"""Streams in Anthropic's format, as bytes that may come in any pieces."""

from __future__ import annotations

from typing import Any

import pytest

from litespan.records import ModelCall, Usage
from litespan.sources.litellm_messages import MessagesReader
from litespan.testing import Reply, ServedUsage, ToolCall
from litespan.testing.wire import Arrival
from tests.fakes.anthropic_wire import Messages

USAGE = ServedUsage(1719, 30, cache_read_tokens=400, cache_write_tokens=311, cache_write_1h_tokens=294)
REPLY = Reply.says(
    "It is sunny.",
    reasoning="Look outside.",
    tool_calls=(ToolCall("get_weather", {"city": "Bern"}),),
    usage=USAGE,
)


def stream(reply: Reply = REPLY) -> bytes:
    """Return what Anthropic sends."""
    endpoint = Messages()
    body = {"model": "claude-sonnet-4-5", "stream": True}
    request = endpoint.read(Arrival(1, endpoint.path, {}, {}, {}, body))
    return b"".join(part.data for part in endpoint.events(request, reply))


def filled(chunks: list[Any]) -> tuple[ModelCall, list[bool]]:
    """Read chunks and return the record that was filled from them, and what was said of each chunk."""
    reader = MessagesReader()
    ended = [reader.is_last(chunk) for chunk in chunks]
    record = ModelCall(litellm_provider="anthropic", captures_content=True)
    reader.fill(record, None)
    return record, ended


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_pieces_of_any_size(size: int) -> None:
    """The counts, the reason and the content do not depend on how the bytes were cut."""
    data = stream()
    record, ended = filled([data[start : start + size] for start in range(0, len(data), size)])

    assert (1, True) == (sum(ended), any(ended[-2:]))
    assert record.usage == Usage(
        1719, 30, cache_read_tokens=400, cache_write_tokens=605, cache_write_1h_tokens=294
    )
    assert ("msg_000001", "claude-sonnet-4-5", ("tool_use",)) == (
        record.response_id,
        record.response_model,
        record.finish_reasons,
    )
    blocks = record.output[0]["message"]["content"]
    assert [("thinking", "Look outside."), ("text", "It is sunny.")] == [
        (block["type"], block[block["type"]]) for block in blocks[:2]
    ]
    assert ("get_weather", '{"city":"Bern"}') == (blocks[2]["name"], blocks[2]["input"].replace(" ", ""))


def test_a_stream_that_was_cut_has_not_ended() -> None:
    """Without its last event a message has not arrived whole, and what it had counted is kept."""
    record, ended = filled([stream().partition(b"event: message_delta")[0]])

    assert [False] == ended
    assert record.usage is not None
    assert (1719, 1) == (record.usage.input_tokens, record.usage.output_tokens)


def test_what_is_no_event_says_nothing() -> None:
    """Comments, broken JSON and events of no known type are passed over; events may come as objects."""
    chunks = [b": ping\n\n", b"data: {broken\n", b"data: [1]\n", {"type": "message_stop"}, None]
    record, ended = filled(chunks)

    assert [False, False, False, True, False] == ended
    assert record.usage is None
