"""Names of models lose the secrets of URLs, and nothing else."""

from __future__ import annotations

import pytest

from litespan.sources.model_names import model_name

SECRET = "s3cret"  # noqa: S105 - made up
LONG = "meta-llama-3-70b-instruct-awq-and-more"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai/gpt-4o-mini", "openai/gpt-4o-mini"),
        ("vertex_ai/claude-sonnet-4@20250514", "vertex_ai/claude-sonnet-4@20250514"),
        (f"huggingface/https://Endpoint.example/{LONG}", f"huggingface/https://Endpoint.example/{LONG}"),
        (f"huggingface/https://me:{SECRET}@h/v1?key={SECRET}#{SECRET}", "huggingface/https://h/v1"),
        (f"https://h/v1?key={SECRET}", "https://h/v1"),
        (f"https://me:{SECRET}/{SECRET}@h/v1", "https://<url>"),
        (f"openai/https://me:{SECRET * 300}@h/v1", "openai/https://<url>"),
        ("", None),
        (7, None),
    ],
)
def test_names(name: object, expected: str | None) -> None:
    """User-info, query and fragment of a URL go; a URL without them is the name that it was."""
    assert expected == model_name(name)
