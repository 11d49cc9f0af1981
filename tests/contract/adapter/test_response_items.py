"""The model's answer becomes output items, whole and streamed alike."""

from __future__ import annotations

from typing import Any

import pytest
from agents import ModelSettings

from litespan.testing import Reply, ToolCall
from tests.contract.adapter.harness import INCLUDING_USAGE, Adapter, Caller, dumped
from tests.fakes.anthropic_blocks import SIGNATURE
from tests.versions import installed

WITHHELD = "Response withheld by the provider's content filter."


def contents(answer: Any) -> list[Any]:
    """Return the content parts of the answer's messages."""
    return [part for item in answer.output if item.type == "message" for part in item.content]


async def test_text(caller: Caller) -> None:
    """A text is one completed message that names the model and the provider's response id."""
    answer = await caller.answer(Reply.says("Hello."))
    text = {"type": "output_text", "text": "Hello.", "annotations": [], "logprobs": []}
    assert [
        {
            "type": "message",
            "id": "__fake_id__",
            "role": "assistant",
            "status": "completed",
            "content": [text],
            "provider_data": {"model": "openai/gpt-4o-mini", "response_id": "chatcmpl-000001"},
        }
    ] == dumped(answer.output)


async def test_tool_call(caller: Caller) -> None:
    """A tool call is one item with the arguments as JSON text."""
    answer = await caller.answer(Reply.calls(ToolCall("look_up", {"city": "Oslo"}, id="c1")))
    assert [
        {
            "type": "function_call",
            "id": "__fake_id__",
            "call_id": "c1",
            "name": "look_up",
            "arguments": '{"city": "Oslo"}',
            "provider_data": {"model": "openai/gpt-4o-mini", "response_id": "chatcmpl-000001"},
        }
    ] == dumped(answer.output)


async def test_text_and_parallel_tool_calls(caller: Caller) -> None:
    """Text and several tool calls keep their order."""
    calls = (ToolCall("look_up", {"city": "Oslo"}, id="c1"), ToolCall("count", id="c2"))
    answer = await caller.answer(Reply.calls(*calls, text="One moment."))
    assert ["message", "function_call", "function_call"] == [item.type for item in answer.output]
    assert [("look_up", "c1"), ("count", "c2")] == [(i.name, i.call_id) for i in answer.output[1:]]
    assert ["One moment."] == [part.text for part in contents(answer)]


async def test_reasoning(caller: Caller) -> None:
    """Reasoning content is an item with a summary, before the message."""
    answer = await caller.answer(Reply.says("Yes.", reasoning="I ponder."))
    assert ["reasoning", "message"] == [item.type for item in answer.output]
    assert [{"type": "summary_text", "text": "I ponder."}] == dumped(answer.output[0].summary)


async def test_thinking_blocks(caller: Caller) -> None:
    """Anthropic's thinking keeps its text and its signature, and the block as it came."""
    answer = await caller.answer(
        Reply.says("Yes.", reasoning="I ponder."), model=caller.adapter.model("anthropic")
    )
    thought = answer.output[0]
    assert ["I ponder."] == [part.text for part in thought.content]
    assert SIGNATURE == thought.encrypted_content
    # Of a stream, LiteLLM adds the place from 1.110 on.
    place = {"index": 0} if caller.streamed and installed("litellm") >= (1, 110) else {}
    block = {"type": "thinking", "thinking": "I ponder.", "signature": SIGNATURE, **place}
    assert [block] == thought.provider_data["thinking_blocks"]


@pytest.mark.parametrize("wire", ["anthropic", "gemini"])
async def test_other_wires(caller: Caller, wire: str) -> None:
    """Text and a tool call come back from other providers as well."""
    reply = Reply.calls(ToolCall("look_up", {"city": "Oslo"}), text="One moment.")
    answer = await caller.answer(reply, model=caller.adapter.model(wire))
    assert ["message", "function_call"] == [item.type for item in answer.output]
    assert ("look_up", '{"city": "Oslo"}') == (answer.output[1].name, answer.output[1].arguments)


async def test_refusal(adapter: Adapter) -> None:
    """A refusal of a whole answer is a part of the message."""
    # LiteLLM 1.83 drops the refusal deltas of streams before any adapter sees them, and 1.110 has put that of
    # a whole answer where the SDK's adapter (0.24) does not look.
    adapter.provider.script("*", Reply.refuses("No."))
    answer = await adapter.respond()
    found = [{"type": "refusal", "refusal": "No."}] if installed("litellm") < (1, 110) else []
    assert found == dumped(contents(answer))


async def test_content_filter_is_a_refusal(caller: Caller) -> None:
    """An empty answer that a content filter withheld is a refusal, never an empty turn."""
    answer = await caller.answer(Reply(finish_reason="content_filter"))
    assert [{"type": "refusal", "refusal": WITHHELD}] == dumped(contents(answer))


async def test_content_filter_keeps_text(caller: Caller) -> None:
    """Text that came before a content filter struck stays what it is."""
    answer = await caller.answer(Reply.says("Well,", finish_reason="content_filter"))
    assert ["Well,"] == [part.text for part in contents(answer)]


async def test_logprobs(caller: Caller) -> None:
    """Log probabilities are on the text, token by token."""
    settings = ModelSettings(top_logprobs=1, include_usage=INCLUDING_USAGE.include_usage)
    answer = await caller.answer(Reply.says("Hey", logprobs=True), settings=settings)
    (text,) = contents(answer)
    assert "Hey" == "".join(entry.token for entry in text.logprobs)
    assert {-0.125} == {entry.logprob for entry in text.logprobs}


async def test_no_logprobs_unless_reported(caller: Caller) -> None:
    """Without log probabilities the list is empty."""
    (text,) = contents(await caller.answer(Reply.says("Hey")))
    assert [] == text.logprobs


async def test_no_response_id(adapter: Adapter) -> None:
    """A chat answer has no response id that a later call could refer to."""
    assert (await adapter.respond()).response_id is None
