"""The ways to send more than the settings know, and where the request goes."""

from __future__ import annotations

from typing import Any

import pytest
from agents import ModelSettings
from agents.models.chatcmpl_helpers import HEADERS_OVERRIDE

from litespan.testing import Provider
from tests.contract.adapter.harness import Caller
from tests.fakes.litellm_calls import API_KEY, MODELS


async def test_extra_query(caller: Caller) -> None:
    """``extra_query`` reaches the request, and the settings are not changed."""
    settings = ModelSettings(extra_query={"api-version": "2"})
    sent = await caller.ask(settings=settings)
    # LiteLLM 1.83 writes it into the body instead of the URL.
    assert {"api-version": "2"} == {**sent.query, **sent.json.get("extra_query", {})}
    assert {"api-version": "2"} == settings.extra_query


async def test_extra_body(caller: Caller) -> None:
    """``extra_body`` is merged into the body, and the settings are not changed."""
    settings = ModelSettings(extra_body={"cache_salt": "x", "nested": {"a": [1]}})
    sent = await caller.ask(settings=settings)
    assert ("x", {"a": [1]}) == (sent.json["cache_salt"], sent.json["nested"])
    assert {"cache_salt": "x", "nested": {"a": [1]}} == settings.extra_body


async def test_extra_args(caller: Caller) -> None:
    """``extra_args`` are arguments of LiteLLM's call, so that LiteLLM's own names work."""
    sent = await caller.ask(settings=ModelSettings(extra_args={"seed": 7, "stop": ["."]}))
    assert (7, ["."]) == (sent.json["seed"], sent.json["stop"])


async def test_extra_args_cannot_repeat_a_setting(caller: Caller) -> None:
    """An argument that is given twice is Python's own error, and nothing is sent."""
    settings = ModelSettings(temperature=0.1, extra_args={"temperature": 0.9})
    with pytest.raises(TypeError, match="temperature"):
        await caller.ask(settings=settings)
    assert not caller.adapter.provider.served


async def test_extra_headers(caller: Caller) -> None:
    """``extra_headers`` are sent beside the SDK's own user agent."""
    sent = await caller.ask(settings=ModelSettings(extra_headers={"X-Team": "blue"}))
    assert "blue" == sent.headers["x-team"]
    assert sent.headers["user-agent"].startswith("Agents/Python ")


async def test_header_override(caller: Caller) -> None:
    """The SDK's context variable for headers goes before ``extra_headers``."""
    token = HEADERS_OVERRIDE.set({"X-Team": "red", "User-Agent": "mine"})
    try:
        sent = await caller.ask(settings=ModelSettings(extra_headers={"X-Team": "blue"}))
    finally:
        HEADERS_OVERRIDE.reset(token)
    assert ("red", "mine") == (sent.headers["x-team"], sent.headers["user-agent"])


async def test_metadata_stays_with_litellm(caller: Caller) -> None:
    """``metadata`` is for LiteLLM's loggers: it is not sent, and the program's dict is not changed."""
    settings = ModelSettings(metadata={"customer": "c1"})
    sent = await caller.ask(settings=settings)
    assert "metadata" not in sent.json
    assert {"customer": "c1"} == settings.metadata


async def test_url_and_key(caller: Caller) -> None:
    """The request goes to the model's base URL with the model's key, the model's name without prefix."""
    sent = await caller.ask(model=caller.adapter.model(api_key="sk-other"))
    assert "/v1/chat/completions" == sent.path
    assert "Bearer sk-other" == sent.headers["authorization"]
    assert MODELS["openai"] == f"openai/{sent.json['model']}"


async def test_url_and_key_from_the_environment(
    caller: Caller, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without base URL and key LiteLLM's environment variables hold."""
    monkeypatch.setenv("OPENAI_API_BASE", provider.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-environment")
    sent = await caller.ask(model=caller.adapter.model_class(MODELS["openai"]))
    assert "Bearer sk-environment" == sent.headers["authorization"]


@pytest.mark.parametrize(
    ("wire", "header"),
    [("openai", "authorization"), ("anthropic", "x-api-key"), ("gemini", "x-goog-api-key")],
)
async def test_every_wire_gets_its_key(caller: Caller, wire: str, header: str) -> None:
    """The key travels in the header of each provider's API."""
    sent: Any = await caller.ask(model=caller.adapter.model(wire))
    assert wire == sent.wire
    assert API_KEY in sent.headers[header]
