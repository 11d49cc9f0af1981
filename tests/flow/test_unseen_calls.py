"""Calls that litespan cannot see: the page about LiteLLM lists them, and each row is true."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import litellm
import openai
import pytest
from litellm.llms.base_llm.chat.transformation import BaseLLMException

from litespan.testing import Capture, Provider
from tests.fakes.litellm_calls import API_KEY, chat
from tests.flow import figures
from tests.flow.entrances import Act, Host, arguments, finish

PAGE = Path(__file__).parents[2] / "docs" / "litellm-without-agents.md"


def at_openai(name: str, model: str | None = None, **options: object) -> Act:
    """Call a function of LiteLLM that the fake provider has no answer for: it says 404."""

    async def act(host: Host) -> None:
        given = {"api_base": host.provider.url("openai"), "api_key": API_KEY, **options}
        named = {} if model is None else {"model": model}
        await getattr(litellm, name)(**named, **given)

    return act


async def bound_before(host: Host) -> None:
    """Call a function by a name that was bound before litespan was installed."""
    await finish(host.before(**chat(host.provider)))


async def inner_module(host: Host) -> None:
    """Call a function where LiteLLM defines it."""
    await finish(litellm.main.acompletion(**chat(host.provider)))


UNSEEN: dict[str, Act] = {
    "from litellm import acompletion": bound_before,
    "litellm.main.acompletion": inner_module,
    "litellm.agenerate_content": at_openai(
        "agenerate_content", "gemini/gemini-2.5-flash", contents=[{"role": "user", "parts": [{"text": "Hi"}]}]
    ),
    "litellm.aimage_generation": at_openai("aimage_generation", "openai/dall-e-3", prompt="a cat"),
    "litellm.aspeech": at_openai("aspeech", "openai/tts-1", input="Hi", voice="alloy"),
    "litellm.atranscription": at_openai("atranscription", "openai/whisper-1", file=("a.wav", b"RIFF")),
    "litellm.arerank": at_openai("arerank", "cohere/rerank-v3.5", query="a", documents=["a"]),
    "litellm.amoderation": at_openai("amoderation", "openai/omni-moderation-latest", input="Hi"),
    "litellm.acreate_batch": at_openai(
        "acreate_batch",
        custom_llm_provider="openai",
        completion_window="24h",
        endpoint="/v1/chat/completions",
        input_file_id="file-1",
    ),
    "litellm.aget_responses": at_openai(
        "aget_responses", response_id="resp_000001", custom_llm_provider="openai"
    ),
}


@pytest.mark.parametrize("call", UNSEEN.values(), ids=UNSEEN)
async def test_it_is_not_seen(
    call: Act, provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No span and no count: if this fails, the call is seen now, and its row of the page can go.

    A call that is seen has a span also when it fails, so it does not matter how these end.
    """
    host = Host(provider, monkeypatch, tmp_path, before=litellm.acompletion)
    with Capture() as capture, suppress(openai.APIError, BaseLLMException):
        await call(host)

    assert ([], 0) == (list(capture.spans), figures.calls(capture))


async def test_the_same_provider_is_seen_by_the_public_name(provider: Provider) -> None:
    """The calls above are unseen because of their names, not because of the test."""
    with Capture() as capture:
        await finish(litellm.acompletion(**arguments(provider, "acompletion")))

    assert 1 == figures.calls(capture)


def test_the_page_lists_them() -> None:
    """The page's table and the calls tried here are the same."""
    section = PAGE.read_text(encoding="utf-8").partition("## What is not seen")[2]

    assert list(UNSEEN) == re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)
