"""A usage that tells of what is billed by the piece has no cost by rates per token."""

from __future__ import annotations

from typing import Any

import pytest

from litespan.records import ModelCall, Usage
from litespan.sources.litellm_quirks import note_tools, usage_of
from litespan.sources.litellm_usage import told

# The counts and their details as Chat Completions and as Responses name them.
CHAT = ("prompt_tokens", "completion_tokens", "prompt_tokens_details", "completion_tokens_details")
RESPONSES = ("input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details")


def is_rated(shape: tuple[str, ...], inputs: dict[str, Any], outputs: dict[str, Any], **whole: Any) -> bool:
    """Say whether rates per token give the cost of a usage with such details."""
    raw = dict(zip(shape, (100, 20, inputs, outputs), strict=True)) | whole
    usage = usage_of(ModelCall(operation="chat", provider="openai", litellm_provider="openai"), told(raw))
    assert usage is not None
    assert (100, 20) == (usage.input_tokens, usage.output_tokens)
    return not usage.unrated


@pytest.mark.parametrize("shape", [CHAT, RESPONSES])
def test_searches_and_media_have_no_rate(shape: tuple[str, ...]) -> None:
    """In both shapes, wherever providers tell it; a count of none is no fee."""
    assert is_rated(shape, {"cached_tokens": 10}, {"reasoning_tokens": 5})
    assert is_rated(shape, {"web_search_requests": 0}, {"image_tokens": 0, "video_tokens": None})
    assert not is_rated(shape, {"web_search_requests": 1}, {})
    assert not is_rated(shape, {}, {"image_tokens": 7})
    assert not is_rated(shape, {}, {"video_tokens": 7})
    assert not is_rated(shape, {}, {}, server_tool_use={"web_search_requests": 2})


@pytest.mark.parametrize(
    ("billed", "item"),
    [
        *((True, {"type": f"{tool}_call"}) for tool in ("web_search", "file_search", "code_interpreter")),
        (True, {"type": "image_generation_call"}),
        (True, {"type": "shell_call", "environment": {"type": "container_reference"}}),
        (False, {"type": "shell_call", "environment": {"type": "local"}}),
        (False, {"type": "shell_call", "environment": None}),
        *((False, {"type": f"{tool}_call"}) for tool in ("function", "mcp", "computer", "custom_tool")),
        (False, None),
    ],
)
def test_tools_of_the_provider_have_no_rate(item: Any, *, billed: bool) -> None:
    """What the provider itself does and bills by the call; what the program does costs tokens only."""
    call = ModelCall(usage=Usage(100, 20))
    note_tools(call, [{"type": "message"}, item])
    assert call.usage is not None
    assert billed == call.usage.unrated
