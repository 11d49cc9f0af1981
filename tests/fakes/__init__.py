"""Fakes for the tests: more wires for the fake provider of the test kit, and what stands around them."""

from __future__ import annotations

from typing import Any

from litespan.testing import Provider
from litespan.testing.openai_wire import OpenAIWire
from tests.fakes.anthropic_wire import AnthropicWire
from tests.fakes.gemini_wire import GeminiWire


def all_wires_provider(**options: Any) -> Provider:
    """Return a provider, not yet started, that speaks OpenAI, Anthropic and Gemini."""
    return Provider(wires=[OpenAIWire(), AnthropicWire(), GeminiWire()], **options)
