"""Streams whose connection breaks: litespan says the same, whatever the host makes of it.

LiteLLM 1.83 hides it and invents an ending, which litespan does not believe; 1.109 raises.
"""

from __future__ import annotations

from typing import Any

import litellm
import pytest
from agents import Agent
from opentelemetry.trace import StatusCode

from litespan.testing import Capture, Provider, Reply
from tests.fakes.litellm_calls import WIRES, chat, model_on
from tests.flow.models import litespan_model
from tests.flow.running import run_to_end
from tests.flow.troubles import until_all_ended
from tests.versions import cut_stream

ANSWER = Reply.says("one two three four five six", pieces=6)
CUTS = {
    "mid-text": ANSWER.but(cut_after=4),
    "before the finish": ANSWER.but(cut_before="finish"),
    "before the usage": ANSWER.but(cut_before="usage"),
}
every_cut = pytest.mark.parametrize("reply", CUTS.values(), ids=CUTS)
every_wire = pytest.mark.parametrize("wire", WIRES)


async def drain(stream: Any) -> None:
    """Read a stream to its end."""
    async for _ in stream:
        pass


@every_wire
@every_cut
async def test_cut_run_is_incomplete(provider: Provider, wire: str, reply: Reply) -> None:
    """A run whose stream was cut is incomplete, in call, agent, root and metrics, with status ERROR."""
    model = model_on(wire)
    provider.script(model, reply)
    with Capture(deterministic=True) as capture:
        agent = Agent[None](name="A", model=litespan_model(provider, model, wire))
        with cut_stream():
            await run_to_end(agent, stream=True)
        await until_all_ended()

        incomplete = "litespan.outcome=incomplete error.type=incomplete"
        assert [
            f"invoke_workflow A {incomplete}",
            f"  invoke_agent A {incomplete}",
            f"    chat {model} {incomplete}",
        ] == capture.tree("litespan.outcome", "error.type").splitlines()
        assert {StatusCode.ERROR} == {span.status.status_code for span in capture.spans}
        assert 1 == capture.total("litespan.calls", litespan__outcome="incomplete")
        assert 1 == capture.total("litespan.runs", litespan__outcome="incomplete")
        assert 1 == capture.total("litespan.calls.usage_missing", reason="incomplete")


@every_wire
@every_cut
async def test_cut_plain_stream_keeps_what_was_said(provider: Provider, wire: str, reply: Reply) -> None:
    """The usage of a cut call is what had been delivered, marked as incomplete, and nothing is invented."""
    provider.script(model_on(wire), reply)
    with Capture() as capture:
        with cut_stream():
            await drain(await litellm.acompletion(**chat(provider, wire, stream=True)))

        [call] = capture.named("chat")
        attributes = call.attributes or {}
        said = provider.served[-1].usage_delivered
        if said is None:
            assert "missing" == attributes["litespan.usage.source"]
            assert not any(name.startswith("gen_ai.usage.") for name in attributes)
        else:
            assert attributes["litespan.usage.incomplete"] is True
            assert said.input_tokens == attributes["gen_ai.usage.input_tokens"]
            assert said.output_tokens == attributes.get("gen_ai.usage.output_tokens", 0)
        assert 0 == capture.count("gen_ai.client.token.usage")


@every_wire
async def test_whole_stream_is_ok(provider: Provider, wire: str) -> None:
    """The same stream without a cut is fine on every wire."""
    provider.script(model_on(wire), ANSWER)
    with Capture() as capture:
        async for _ in await litellm.acompletion(**chat(provider, wire, stream=True)):
            pass

        assert f"chat {model_on(wire)} litespan.outcome=ok" == capture.tree("litespan.outcome", "error.type")


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_cut_is_seen_without_the_transport_probe(provider: Provider, wire: str) -> None:
    """Where the probe is off, a missing finish reason still tells a cut on these two wires."""
    provider.script(model_on(wire), CUTS["mid-text"], ANSWER)
    with Capture(transport_probe=False) as capture:
        with cut_stream():
            await drain(await litellm.acompletion(**chat(provider, wire, stream=True)))
        await drain(await litellm.acompletion(**chat(provider, wire, stream=True)))

        outcomes = [(span.attributes or {})["litespan.outcome"] for span in capture.named("chat")]
        assert ["incomplete", "ok"] == outcomes


@every_wire
def test_cut_of_a_synchronous_stream(provider: Provider, wire: str) -> None:
    """Synchronous streams raise when they are cut: the program sees that, and the call is incomplete."""
    provider.script(model_on(wire), CUTS["mid-text"])
    with Capture() as capture:
        with pytest.raises(litellm.exceptions.MidStreamFallbackError):
            list(litellm.completion(**chat(provider, wire, stream=True)))

        incomplete = f"chat {model_on(wire)} litespan.outcome=incomplete error.type=incomplete"
        assert incomplete == capture.tree("litespan.outcome", "error.type")
        assert 1 == capture.total("litespan.calls", litespan__outcome="incomplete")
