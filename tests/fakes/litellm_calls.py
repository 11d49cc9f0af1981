"""How LiteLLM is told to call the fake provider, wire by wire."""

from __future__ import annotations

from typing import Any

from litespan.testing import Provider

API_KEY = "sk-fake-key"

MODELS = {
    "openai": "openai/gpt-4o-mini",
    "anthropic": "anthropic/claude-sonnet-4-5",
    "gemini": "gemini/gemini-2.5-flash",
}
"""For each wire a model that LiteLLM's price table knows."""

WIRES = list(MODELS)


def target(provider: Provider, wire: str = "openai") -> dict[str, str]:
    """Return the arguments that send a LiteLLM call to the provider."""
    return {"model": MODELS[wire], "api_base": provider.url(wire), "api_key": API_KEY}


def chat(provider: Provider, wire: str = "openai", text: str = "Hi", **options: Any) -> dict[str, Any]:
    """Return the arguments of a chat call with one user message."""
    return {**target(provider, wire), "messages": [{"role": "user", "content": text}], **options}


def model_on(wire: str) -> str:
    """Return the model's name as the wire carries it, without LiteLLM's prefix."""
    return MODELS[wire].partition("/")[2]
