"""What the demo says of a model that LiteLLM does not know."""

from __future__ import annotations

import pytest

from litespan.cli.real_model import _unknown

TABLE = {
    "gpt-4.1-mini": {"litellm_provider": "openai"},
    "gemini/gemini-2.5-pro": {"litellm_provider": "gemini"},
}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("gpt4.1-mini", "Did you mean openai/gpt-4.1-mini?"),
        ("gemni/gemini-2.5-pro", "Did you mean gemini/gemini-2.5-pro?"),
        ("my-own", "Example: --model openai/gpt-4.1-mini"),
    ],
)
def test_a_close_model_is_written_as_it_is_asked_for(name: str, hint: str) -> None:
    """The hint is in the form that the message asks for: provider/model."""
    told = _unknown(name, TABLE, ["openai", "gemini"])

    assert told.endswith(f"Write it as provider/model. {hint}")
