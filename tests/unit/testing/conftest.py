"""Fixtures of the test kit's own tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from litespan.testing import Provider
from tests.fakes import all_wires_provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A running provider that speaks all three wires."""
    with all_wires_provider() as running:
        yield running
