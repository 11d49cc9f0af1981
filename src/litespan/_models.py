"""The adapter's classes, wired so that constructing a model instruments the process."""

from __future__ import annotations

from litespan import _api
from litespan.sources import litellm_model
from litespan.sources.litellm_model import LitellmModel, LitellmProvider

litellm_model.on_construction = _api.instrument_implicitly

__all__ = ["LitellmModel", "LitellmProvider"]
