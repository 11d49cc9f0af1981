"""Model settings in the request, and what the chat path leaves out."""

from __future__ import annotations

from typing import Any

import pytest
from agents import ModelSettings
from agents.models._retry_runtime import provider_managed_retries_disabled

from litespan.testing import Reply
from tests.contract.adapter.harness import Caller

SAMPLING: dict[str, Any] = {
    "temperature": 0.25,
    "top_p": 0.5,
    "frequency_penalty": 0.75,
    "presence_penalty": -0.5,
    "max_tokens": 33,
}


@pytest.mark.parametrize(("name", "value"), SAMPLING.items())
async def test_each_sampling_setting(caller: Caller, name: str, value: Any) -> None:
    """Each sampling setting is sent under its own name, and alone."""
    sent = await caller.ask(settings=ModelSettings(**{name: value}))
    assert {name: value} == {key: sent.json[key] for key in SAMPLING if key in sent.json}


async def test_zero_is_a_value(caller: Caller) -> None:
    """A temperature of 0 is sent."""
    sent = await caller.ask(settings=ModelSettings(temperature=0, frequency_penalty=0.0))
    assert (0, 0) == (sent.json["temperature"], sent.json["frequency_penalty"])


async def test_nothing_set_nothing_sent(caller: Caller) -> None:
    """Without settings the request holds the model and the messages."""
    sent = await caller.ask()
    assert {"model", "messages"} == set(sent.json) - {"stream", "stream_options"}
    assert caller.streamed is sent.json.get("stream", False)


@pytest.mark.parametrize(
    ("extra_args", "asked"), [({}, True), ({"logprobs": False}, False)], ids=["by default", "overruled"]
)
async def test_top_logprobs_asks_for_logprobs(
    caller: Caller,
    extra_args: dict[str, Any],
    asked: bool,
) -> None:
    """``top_logprobs`` switches ``logprobs`` on, unless the caller's own value is there."""
    sent = await caller.ask(settings=ModelSettings(top_logprobs=2, extra_args=extra_args))
    assert (2, asked) == (sent.json["top_logprobs"], sent.json["logprobs"])


async def test_settings_of_the_responses_api_are_left_out(caller: Caller) -> None:
    """Settings that only OpenAI's Responses API knows do not reach the chat API."""
    settings = ModelSettings(
        truncation="auto", store=True, verbosity="low", response_include=["file_search_call.results"]
    )
    sent = await caller.ask(settings=settings)
    assert {"model", "messages"} == set(sent.json) - {"stream", "stream_options"}


async def test_ids_and_prompts_are_ignored(caller: Caller) -> None:
    """Response ids, conversation ids and stored prompts belong to the Responses API and are not sent."""
    sent = await caller.ask(previous_response_id="resp_1", conversation_id="conv_1", prompt={"id": "pmpt_1"})
    assert {"model", "messages"} == set(sent.json) - {"stream", "stream_options"}


@pytest.mark.parametrize(("disabled", "attempts"), [(False, 3), (True, 1)])
async def test_a_runners_replay_is_not_retried_below(
    caller: Caller,
    disabled: bool,
    attempts: int,
) -> None:
    """The client below retries a first attempt; when the SDK's runner replays, only the runner retries."""
    caller.adapter.provider.script("*", *[Reply.fails(500, retry_after=0.001)] * attempts)
    with provider_managed_retries_disabled(disabled), pytest.raises(Exception, match="told to fail"):
        await caller.ask()
    assert attempts == caller.adapter.provider.calls_served()
