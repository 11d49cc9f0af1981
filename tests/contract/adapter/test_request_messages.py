"""System instructions and input items become messages."""

from __future__ import annotations

from typing import Any

import pytest
from agents import function_tool

from litespan.testing import Request
from tests.contract.adapter import items
from tests.contract.adapter.harness import Caller

USER = {"role": "user", "content": "Hi"}
IMAGE = "data:image/png;base64,iVBORw0KGgo="


@function_tool
def look_up(city: str) -> str:
    """Look up the weather."""
    return f"sunny in {city}"


def messages(request: Request) -> list[Any]:
    """Return the messages of a request."""
    return list(request.json["messages"])


async def test_text_is_a_user_message(caller: Caller) -> None:
    """A plain text is one user message, and without instructions there is no system message."""
    assert [USER] == messages(await caller.ask("Hi"))


async def test_instructions_come_first(caller: Caller) -> None:
    """System instructions are the first message."""
    sent = await caller.ask([items.said("Hello."), USER], system_instructions="Be brief.")
    assert [
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": "Hello."},
        USER,
    ] == messages(sent)


@pytest.mark.parametrize(
    ("role", "sent_as"), [("system", "system"), ("developer", "system"), ("assistant", "assistant")]
)
async def test_roles(caller: Caller, role: str, sent_as: str) -> None:
    """Messages of other roles keep their role; LiteLLM words ``developer`` as ``system`` for this model."""
    sent = await caller.ask([{"role": role, "content": "So."}, USER])
    assert [{"role": sent_as, "content": "So."}, USER] == messages(sent)


async def test_images(caller: Caller) -> None:
    """Text and image parts of a user message become chat parts, with the image's detail."""
    sent = await caller.ask(
        [
            items.user(
                {"type": "input_text", "text": "What is this?"},
                {"type": "input_image", "image_url": IMAGE, "detail": "low"},
            )
        ]
    )
    assert [
        items.user(
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}},
        )
    ] == messages(sent)


async def test_files(caller: Caller) -> None:
    """A file in the input is sent with its data and its name."""
    data = "data:application/pdf;base64,JVBERi0="
    sent = await caller.ask([items.user({"type": "input_file", "file_data": data, "filename": "a.pdf"})])
    assert [items.user({"type": "file", "file": {"file_data": data, "filename": "a.pdf"}})] == messages(sent)


async def test_tool_calls_and_outputs(caller: Caller) -> None:
    """Earlier parallel tool calls are one assistant message, followed by their outputs."""
    sent = await caller.ask(
        [USER, items.call("c1"), items.call("c2"), items.output("c1"), items.output("c2")]
    )
    function = {"name": "look_up", "arguments": '{"city": "Oslo"}'}
    calls = [{"id": name, "type": "function", "function": function} for name in ("c1", "c2")]
    assistant, *outputs = messages(sent)[1:]
    assert ("assistant", calls) == (assistant["role"], assistant["tool_calls"])
    assert [
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "c2", "content": "sunny"},
    ] == outputs


async def test_tool_output_parts_are_kept(caller: Caller) -> None:
    """An output made of text and an image is sent with both."""
    parts = [{"type": "input_text", "text": "Look."}, {"type": "input_image", "image_url": IMAGE}]
    sent = await caller.ask([USER, items.call("c1"), items.output("c1", parts)])
    content = messages(sent)[-1]["content"]
    assert ["text", "image_url"] == [part["type"] for part in content]


async def test_claude_gets_each_output_right_after_its_call(caller: Caller) -> None:
    """For Anthropic models parallel calls are split, so that each output follows its call."""
    caller_input = [USER, items.call("c1"), items.call("c2"), items.output("c2"), items.output("c1")]
    model = caller.adapter.model("openai", "openai/claude-like")
    sent = messages(await caller.ask(caller_input, model=model))
    pairs = [
        [call["id"] for call in m["tool_calls"]] if "tool_calls" in m else m.get("tool_call_id") for m in sent
    ]
    assert [None, ["c1"], "c1", ["c2"], "c2"] == pairs


async def test_anthropic_wire(caller: Caller) -> None:
    """On the Anthropic wire instructions, calls and outputs arrive in that API's own shape."""
    sent = await caller.ask(
        [USER, items.call("c1"), items.output("c1")],
        system_instructions="Be brief.",
        tools=[look_up],
        model=caller.adapter.model("anthropic"),
    )
    assert ["Be brief."] == [block["text"] for block in sent.json["system"]]
    kinds = [[block["type"] for block in m["content"]] for m in messages(sent)]
    assert [["text"], ["tool_use"], ["tool_result"]] == kinds


async def test_gemini_thought_signatures_go_back(caller: Caller) -> None:
    """A thought signature that Gemini gave with a call is sent back with that call."""
    call = items.call("c1", provider_data={"thought_signature": "c2ln"})
    sent = await caller.ask([USER, call, items.output("c1")], model=caller.adapter.model("gemini"))
    parts = [part for content in sent.json["contents"] for part in content["parts"]]
    assert ["c2ln"] == [part["thoughtSignature"] for part in parts if "thoughtSignature" in part]
