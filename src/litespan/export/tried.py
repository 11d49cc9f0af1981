"""The versions of OpenTelemetry's SDK whose private parts were tried; others are used by their public API."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.sdk import trace
from opentelemetry.sdk.version import __version__ as sdk_version

TRIED: Final = frozenset({"1.45.1", "1.45.2"})


def is_tried(*methods: Any) -> bool:
    """Say whether this is one of them, and the methods of its spans and tracers are still its own."""
    return sdk_version in TRIED and all(map(_is_its_own, methods))


def _is_its_own(method: Any) -> bool:
    """Say whether nobody put a function of their own in the place of one of the SDK's."""
    return getattr(getattr(method, "__code__", None), "co_filename", None) == trace.__file__
