"""The ways to name a LiteLLM model to the Agents SDK, all pointing at the fake provider."""

from __future__ import annotations

from typing import Any

import litellm
import pytest
from agents import ModelSettings, ModelTracing
from agents.extensions.models.litellm_model import LitellmModel as SdkLitellmModel
from agents.models.interface import Model

import litespan
from litespan.testing import Provider
from tests.flow.team import MakeModel

WAYS = ("litespan model", "SDK model", "model string")


def model_maker(way: str, provider: Provider, patch: pytest.MonkeyPatch) -> MakeModel:
    """Return a function from a model's name to what an agent takes as its model.

    A `litellm/...` string has no place for an address: LiteLLM then takes its own module-wide one.
    """
    url = provider.url("openai")
    patch.setattr(litellm, "api_base", url)
    patch.setattr(litellm, "api_key", "k")
    makers: dict[str, MakeModel] = {
        "litespan model": lambda name: litespan_model(provider, name),
        "SDK model": lambda name: SdkLitellmModel(f"openai/{name}", base_url=url, api_key="k"),
        "model string": lambda name: f"litellm/openai/{name}",
    }
    return makers[way]


def litespan_model(provider: Provider, name: str = "gpt-4o-mini", wire: str = "openai") -> Model:
    """Return a `litespan.LitellmModel` that talks to the provider."""
    prefix = {"openai": "openai", "anthropic": "anthropic", "gemini": "gemini"}[wire]
    return litespan.LitellmModel(f"{prefix}/{name}", base_url=provider.url(wire), api_key="k")


def open_stream(model: Model, text: str = "Hi") -> Any:
    """Stream from a model of the Agents SDK, without a run around it."""
    return model.stream_response(
        None, text, ModelSettings(), [], None, [], ModelTracing.ENABLED,
        previous_response_id=None, conversation_id=None, prompt=None,
    )  # fmt: skip


async def first_delta(stream: Any) -> None:
    """Read a stream up to its first text."""
    async for event in stream:
        if event.type == "response.output_text.delta":
            return
