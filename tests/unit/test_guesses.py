"""Counts that LiteLLM makes up are taken out; counts that the provider sent, or may have sent, stay."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from litespan.records import ModelCall, Usage
from litespan.sources.litellm_guesses import take_out_guesses
from litespan.sources.litellm_quirks import usage_of
from litespan.sources.litellm_usage import told

BOTH = {"prompt_eval_count": 5, "eval_count": 3}


def a_call(provider: str | None = "ollama_chat", operation: str = "chat") -> ModelCall:
    """Return a call whose usage LiteLLM has filled in."""
    return ModelCall(operation=operation, litellm_provider=provider, usage=Usage(5, 3))


def left(call: ModelCall, answer: Any) -> tuple[int | None, int | None] | None:
    """Return what is left of the call's counts."""
    take_out_guesses(call, answer)
    return None if call.usage is None else (call.usage.input_tokens, call.usage.output_tokens)


@pytest.mark.parametrize("provider", ["ollama", "ollama_chat"])
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (BOTH, (5, 3)),
        ({"eval_count": 3}, (None, 3)),
        ({"prompt_eval_count": 5}, (5, None)),
        ({**BOTH, "prompt_eval_count": None}, (None, 3)),
        ({}, None),
        ([], None),
    ],
)
def test_only_what_was_sent_stays(provider: str, sent: Any, expected: tuple[int | None, ...] | None) -> None:
    """A count that the answer does not hold is gone; with both gone there is no usage."""
    assert expected == left(a_call(provider), httpx.Response(200, json=sent))


def test_what_is_left_has_no_price() -> None:
    """A bill without one of its counts would be too small, so it is none."""
    call = a_call()
    take_out_guesses(call, httpx.Response(200, json={"eval_count": 3}))
    assert call.usage is not None
    assert call.usage.unrated


@pytest.mark.parametrize(
    "answer",
    [
        None,
        object(),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, stream=httpx.ByteStream(json.dumps({}).encode())),
    ],
    ids=["none", "no response", "no JSON", "not read"],
)
def test_unknown_answer_tells_nothing(answer: Any) -> None:
    """Where the body is not known, the counts stay."""
    assert (5, 3) == left(a_call(), answer)


@pytest.mark.parametrize("call", [a_call("openai"), a_call(None), a_call("cohere"), a_call("ollama", "x")])
def test_other_calls(call: ModelCall) -> None:
    """Calls for which LiteLLM makes nothing up are left alone."""
    assert (5, 3) == left(call, httpx.Response(200, json={}))


def test_embeddings_of_cohere() -> None:
    """Cohere's billed units are looked for where it puts them."""
    billed = {"meta": {"billed_units": {"input_tokens": 5}}}
    embedding = a_call("cohere", "embeddings")
    assert (5, 3) == left(embedding, httpx.Response(200, json=billed))


@pytest.mark.parametrize(
    ("provider", "is_known"), [("huggingface", False), ("gemini", False), ("openai", True)]
)
def test_inputs_of_embeddings_that_litellm_counts(provider: str, *, is_known: bool) -> None:
    """Where LiteLLM counts the input of embeddings itself, whatever the provider said, it is missing."""
    call = ModelCall(operation="embeddings", provider=provider, litellm_provider=provider)
    usage = usage_of(call, told({"prompt_tokens": 7, "completion_tokens": 0}))

    assert is_known == (usage is not None)
