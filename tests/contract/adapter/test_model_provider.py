"""The model provider that a run's configuration takes."""

from __future__ import annotations

from typing import Any

import pytest
from agents import Agent, ModelProvider, RunConfig, Runner
from agents.extensions.models.litellm_provider import LitellmProvider as SdkProvider
from agents.models.default_models import get_default_model

from tests.contract.adapter.harness import Adapter


@pytest.fixture
def environment(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set base URL and key as a provider's models find them."""
    monkeypatch.setenv("OPENAI_API_BASE", adapter.provider.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-environment")


def test_named_model(adapter: Adapter) -> None:
    """A name gives this adapter's model of that name, with nothing else set."""
    model: Any = adapter.provider_class().get_model("openai/m")
    assert adapter.model_class is type(model)
    assert ("openai/m", None, None) == (model.model, model.base_url, model.api_key)


@pytest.mark.parametrize("name", [None, ""])
def test_default_model(adapter: Adapter, name: str | None) -> None:
    """No name gives the SDK's default model."""
    model: Any = adapter.provider_class().get_model(name)
    assert get_default_model() == model.model


def test_default_model_from_the_environment(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's variable for the default model holds."""
    monkeypatch.setenv("OPENAI_DEFAULT_MODEL", "gpt-other")
    model: Any = adapter.provider_class().get_model(None)
    assert "gpt-other" == model.model


def test_it_is_the_sdks_class(adapter: Adapter) -> None:
    """A provider is an instance of the SDK's class and interface."""
    provider = adapter.provider_class()
    assert isinstance(provider, SdkProvider)
    assert isinstance(provider, ModelProvider)


@pytest.mark.usefixtures("environment")
async def test_in_a_run(adapter: Adapter) -> None:
    """As a run's model provider it makes the models of agents that only have a model name."""
    config = RunConfig(model_provider=adapter.provider_class())
    result = await Runner.run(Agent(name="A", model="openai/gpt-4o-mini"), "Hi", run_config=config)
    assert "Hello from the fake provider." == result.final_output
    assert "gpt-4o-mini" == adapter.sent.model


@pytest.mark.usefixtures("environment")
async def test_in_a_run_without_a_name(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent without a model gets the SDK's default model from it."""
    # LiteLLM's packaged list does not know the SDK's own default.
    monkeypatch.setenv("OPENAI_DEFAULT_MODEL", "gpt-4o-mini")
    config = RunConfig(model_provider=adapter.provider_class())
    await Runner.run(Agent(name="A"), "Hi", run_config=config)
    assert "gpt-4o-mini" == adapter.sent.model
