"""Conversations over several runs: the id that ties them together, and where it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest
from agents import Agent, RunConfig, Runner, SQLiteSession, trace

from litespan.testing import Capture, Provider, Reply, ToolCall
from tests.flow.models import litespan_model
from tests.flow.tools import weather


def ids(capture: Capture) -> set[object]:
    """Return the conversation ids of all spans."""
    return {(span.attributes or {}).get("gen_ai.conversation.id") for span in capture.spans}


def chatty(provider: Provider) -> Agent[None]:
    """Return an agent that uses a tool in its first turn and then answers."""
    provider.script("gpt-4o-mini", Reply.calls(ToolCall("weather", {"city": "Rome"})), Reply.says("Sunny."))
    return Agent[None](name="A", model=litespan_model(provider), tools=[weather])


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_turns_of_a_session_with_a_group_id(
    provider: Provider, tmp_path: Path, *, stream: bool
) -> None:
    """Runs of one session with one `group_id` are traces of their own whose every span has that id."""
    session = SQLiteSession("session-1", tmp_path / "talk.db")
    config = RunConfig(group_id="talk-1")
    with Capture() as capture:
        agent = chatty(provider)
        for text in ("hi", "and tomorrow?"):
            if stream:
                streamed = Runner.run_streamed(agent, text, session=session, run_config=config)
                async for _ in streamed.stream_events():
                    pass
            else:
                await Runner.run(agent, text, session=session, run_config=config)

        assert 2 == len(capture.named("invoke_workflow"))
        assert 3 == len(capture.named("chat"))
        assert 1 == len(capture.named("execute_tool"))
        assert {"talk-1"} == ids(capture)
        # The second run was sent the first one's messages: it is the same conversation.
        assert 5 == len(provider.served[-1].request.messages)
    session.close()


async def test_turns_of_a_session_in_one_trace(provider: Provider) -> None:
    """Runs of a session inside one trace have the trace's group id."""
    session = SQLiteSession("session-1")
    with Capture() as capture:
        agent = chatty(provider)
        with trace("Talk", group_id="talk-2"):
            for text in ("hi", "and tomorrow?"):
                await Runner.run(agent, text, session=session)

        assert {"talk-2"} == ids(capture)
    session.close()


async def test_id_of_a_session_alone_is_not_told(provider: Provider) -> None:
    """The SDK tells its tracing nothing of a session; without a group id there is no conversation id."""
    session = SQLiteSession("canary-session")
    with Capture() as capture:
        await Runner.run(chatty(provider), "hi", session=session)

        assert {None} == ids(capture)
        assert not any("canary-session" in span.to_json() for span in capture.spans)
    session.close()


async def test_id_of_a_session_can_be_handed_over(provider: Provider) -> None:
    """A program that passes its session's id as metadata of the trace finds it on all spans."""
    session = SQLiteSession("session-3")
    config = RunConfig(trace_metadata={"session_id": session.session_id})
    with Capture() as capture:
        await Runner.run(chatty(provider), "hi", session=session, run_config=config)

        assert {"session-3"} == ids(capture)
    session.close()
