"""What the flow tests share: a provider, what is captured, and hosts that are put back as they were."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from agents import set_tracing_disabled

from litespan.testing import Capture, Provider
from tests.fakes import all_wires_provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    """Serve OpenAI's, Anthropic's and Gemini's wires on the loopback address."""
    with all_wires_provider() as running:
        yield running


@pytest.fixture
def capture() -> Iterator[Capture]:
    """Capture what litespan and the program emit."""
    with Capture(deterministic=True) as capturing:
        yield capturing


@pytest.fixture
def agents_tracing_disabled() -> Iterator[None]:
    """Switch the Agents SDK's tracing off globally, as many LiteLLM users do."""
    set_tracing_disabled(True)
    yield
    set_tracing_disabled(False)
