"""Asking for the usage of a stream: the one place where litespan sends what the SDK's adapter does not."""

from __future__ import annotations

from typing import Any

import pytest
from agents import ModelSettings

from litespan.testing import Reply, ServedUsage
from tests.contract.adapter.harness import Adapter

USAGE = ServedUsage(input_tokens=120, output_tokens=40, cache_read_tokens=30, reasoning_tokens=10)


@pytest.mark.parametrize("include", [True, False])
async def test_the_programs_word_is_sent(adapter: Adapter, include: bool) -> None:
    """``include_usage`` of true or false is sent as it is."""
    await adapter.stream(settings=ModelSettings(include_usage=include))
    assert {"include_usage": include} == adapter.sent.json["stream_options"]


@pytest.mark.parametrize("include", [True, False, None])
async def test_only_streams_ask(adapter: Adapter, include: bool | None) -> None:
    """A call without a stream asks for nothing."""
    await adapter.respond(settings=ModelSettings(include_usage=include))
    assert "stream_options" not in adapter.sent.json


async def test_unset_is_the_difference(adapter: Adapter) -> None:
    """Where ``include_usage`` is unset, litespan asks and so knows the tokens; the SDK's adapter does not."""
    adapter.provider.script("*", Reply.says("Hello.", usage=USAGE))
    last: Any = (await adapter.stream())[-1]
    if adapter.name == "litespan":
        assert {"include_usage": True} == adapter.sent.json["stream_options"]
        assert (120, 40) == (last.response.usage.input_tokens, last.response.usage.output_tokens)
    else:
        assert "stream_options" not in adapter.sent.json
        assert last.response.usage is None


async def test_usage_that_never_came_is_not_invented(adapter: Adapter) -> None:
    """Where the provider reports no usage, the asking of litespan does not bring LiteLLM's estimate in."""
    adapter.provider.script("*", Reply.says("Hello.", usage=None))
    last: Any = (await adapter.stream())[-1]
    assert last.response.usage is None


async def test_anthropic_has_no_such_option(adapter: Adapter) -> None:
    """Nothing is added to a request for Anthropic, whose streams always report; litespan hands that on."""
    adapter.provider.script("*", Reply.says("Hello.", usage=USAGE))
    last: Any = (await adapter.stream(model=adapter.model("anthropic")))[-1]
    assert "stream_options" not in adapter.sent.json
    if adapter.name == "litespan":
        assert (120, 40) == (last.response.usage.input_tokens, last.response.usage.output_tokens)
    else:
        assert last.response.usage is None
