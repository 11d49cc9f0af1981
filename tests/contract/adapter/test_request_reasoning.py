"""How much a model shall think, and which of its earlier thoughts it gets back."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from agents import ModelSettings
from agents.models.reasoning_content_replay import ReasoningContentReplayContext
from openai.types.shared import Reasoning

from tests.contract.adapter import items
from tests.contract.adapter.harness import Caller
from tests.fakes.anthropic_blocks import SIGNATURE

THINKER = "openai/gpt-5-mini"
BODY = {"reasoning_effort": "medium"}
ARGS = {"reasoning_effort": "low"}

EFFORTS: dict[str, tuple[dict[str, Any], str | None]] = {
    "reasoning": ({"reasoning": Reasoning(effort="high"), "extra_body": BODY, "extra_args": ARGS}, "high"),
    "extra_body": ({"extra_body": BODY, "extra_args": ARGS}, "medium"),
    "extra_args": ({"extra_args": ARGS}, "low"),
    "nothing": ({}, None),
}


@pytest.mark.parametrize("source", EFFORTS)
async def test_effort_priority(caller: Caller, source: str) -> None:
    """The effort comes from ``reasoning``, else from ``extra_body``, else from ``extra_args``."""
    settings, effort = EFFORTS[source]
    sent = await caller.ask(settings=ModelSettings(**settings), model=caller.adapter.model(name=THINKER))
    assert effort == sent.json.get("reasoning_effort")


async def test_extra_body_keeps_the_rest(caller: Caller) -> None:
    """What else is in ``extra_body`` is sent though the effort is taken out of it."""
    settings = ModelSettings(extra_body={**BODY, "seed_phrase": "x"})
    sent = await caller.ask(settings=settings, model=caller.adapter.model(name=THINKER))
    assert ("medium", "x") == (sent.json["reasoning_effort"], sent.json["seed_phrase"])
    assert {**BODY, "seed_phrase": "x"} == settings.extra_body


async def test_summary_is_not_sent(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    """A wish for a reasoning summary is left out with a warning."""
    settings = ModelSettings(reasoning=Reasoning(effort="low", summary="auto"))
    with caplog.at_level(logging.WARNING, logger="openai.agents"):
        sent = await caller.ask(settings=settings, model=caller.adapter.model(name=THINKER))
    assert "low" == sent.json["reasoning_effort"]
    assert "Reasoning.summary" in caplog.text


async def test_no_replay_by_default(caller: Caller) -> None:
    """Earlier reasoning is not sent back to models other than DeepSeek's."""
    sent = await caller.ask([items.reasoning("I ponder."), items.said("Hello."), items.user()])
    assert "reasoning_content" not in sent.json["messages"][0]


async def test_replay_hook_decides(caller: Caller) -> None:
    """``should_replay_reasoning_content`` is asked with model, URL and item, and its yes sends the text."""
    asked: list[ReasoningContentReplayContext] = []

    def yes(context: ReasoningContentReplayContext) -> bool:
        """Say yes to everything."""
        asked.append(context)
        return True

    model = caller.adapter.model(should_replay_reasoning_content=yes)
    thought = items.reasoning("I ponder.", provider_data={"model": "deepseek/r1"})
    sent = await caller.ask([thought, items.said("Hello."), {"role": "user", "content": "Hi"}], model=model)
    assert "I ponder." == sent.json["messages"][0]["reasoning_content"]
    (context,) = asked
    assert (model.model, "deepseek/r1") == (context.model, context.reasoning.origin_model)
    assert (context.base_url or "").rstrip("/") == model.base_url


@pytest.mark.parametrize(("effort", "kinds"), [("low", ["thinking", "text"]), (None, ["text"])])
async def test_thinking_blocks_go_back(caller: Caller, effort: Any, kinds: list[str]) -> None:
    """Anthropic's signed thinking is sent back unchanged where reasoning is on, and left out where not."""
    model = caller.adapter.model("anthropic")
    thought = items.reasoning(
        "I ponder.",
        content=[{"type": "reasoning_text", "text": "I ponder."}],
        encrypted_content=SIGNATURE,
        provider_data={"model": model.model},
    )
    settings = ModelSettings(reasoning=Reasoning(effort=effort))
    history = [
        {"role": "user", "content": "Hi"},
        thought,
        items.said("Hello."),
        {"role": "user", "content": "So?"},
    ]
    sent = await caller.ask(history, settings=settings, model=model)
    blocks = sent.json["messages"][1]["content"]
    assert kinds == [block["type"] for block in blocks]
    if effort:
        assert {"type": "thinking", "thinking": "I ponder.", "signature": SIGNATURE} == blocks[0]
