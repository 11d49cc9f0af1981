"""How a program has itself called back by LiteLLM, for one test only."""

from __future__ import annotations

import litellm
import pytest
from litellm.integrations.custom_logger import CustomLogger

# Where LiteLLM copies what is in `litellm.callbacks` to, when it is next called; it takes nothing out again.
_COPIES = (
    *("input_callback", "success_callback", "failure_callback"),
    *("_async_input_callback", "_async_success_callback", "_async_failure_callback"),
)


def call_back(patch: pytest.MonkeyPatch, callback: CustomLogger) -> None:
    """Have LiteLLM call this one back, and nobody else."""
    patch.setattr(litellm, "callbacks", [callback])
    for name in _COPIES:
        patch.setattr(litellm, name, [])
