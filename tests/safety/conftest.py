"""What the safety tests share: a provider that speaks all wires."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from litespan.testing import Provider
from tests.fakes import all_wires_provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    """Serve OpenAI's, Anthropic's and Gemini's wires on the loopback address."""
    with all_wires_provider() as running:
        yield running
