"""OpenAI's Responses API.

Followed is the page "The response object": `input_tokens` include `input_tokens_details.cached_tokens`,
`output_tokens` include `output_tokens_details.reasoning_tokens`. A stream has the usage unasked, in the
response that its last event carries (`response.completed`, or `response.incomplete` where the answer was cut
short).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import litellm
import pytest

from litespan.testing import Capture, Provider, Reply
from litespan.testing.openai_wire import OpenAIWire
from tests.flow import figures
from tests.ledger.wires.agreement import assert_agree, assert_cut, bill, call
from tests.ledger.wires.cases import ANSWER, TOO_MANY, TOOL_CALL, Case, assert_missing
from tests.versions import cut_stream

CASE = Case(OpenAIWire, "openai/gpt-5-mini", "openai")
WEATHER = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}
either_way = pytest.mark.parametrize("stream", [False, True])


async def respond(case: Case, provider: Provider, **options: Any) -> None:
    """Ask for a response and read it to its end."""
    answer: Any = await litellm.aresponses(**case.to(provider, input="Hi", **options))
    if options.get("stream"):
        async for _ in answer:
            pass


def assert_billed(provider: Provider, capture: Capture) -> None:
    """Check that the one call has the provider's tokens and bill."""
    [span] = capture.named("chat")
    attributes = span.attributes or {}
    assert ("openai", "ok") == (attributes["gen_ai.provider.name"], attributes["litespan.outcome"])
    assert (
        figures.of_provider(provider.delivered()) == figures.of_spans([span]) == figures.of_metrics(capture)
    )
    assert bill(provider) == Decimal(capture.total("litespan.cost")) > 0


@either_way
@pytest.mark.parametrize(
    ("reply", "options"),
    [
        (ANSWER, {}),
        (TOOL_CALL, {"tools": [WEATHER]}),
        (ANSWER.but(finish_reason="length"), {}),
    ],
    ids=["text", "tool", "cut short"],
)
async def test_figures_are_the_providers(reply: Reply, options: dict[str, Any], *, stream: bool) -> None:
    """Tokens of every class and the cost are the provider's, also of an answer that reached its limit."""
    with CASE.serving(reply) as (provider, capture):
        await respond(CASE, provider, stream=stream, **options)

        assert_billed(provider, capture)


@either_way
async def test_sum_of_litellm_is_not_the_providers(*, stream: bool) -> None:
    """Newer versions of LiteLLM write their own sum into the usage; it is not taken for the provider's."""
    with CASE.serving(ANSWER) as (provider, capture):
        await respond(CASE, provider, stream=stream)

        [span] = capture.named("chat")
        assert "local" == (span.attributes or {})["gen_ai.usage.cost.source"]


@pytest.mark.parametrize("reply", [ANSWER.but(usage=None), ANSWER])
async def test_chat_by_the_responses_api(reply: Reply) -> None:
    """A chat stream that LiteLLM takes to the Responses API has what that told, and no estimate."""
    case = Case(OpenAIWire, "openai/responses/gpt-5-mini", "openai")
    with case.serving(reply) as (provider, capture):
        await call(**case.to(provider, stream=True))

        if reply.usage is None:
            assert_missing(capture)
        else:
            assert_agree(provider, capture, "openai")


@either_way
async def test_refused_attempt_is_not_billed(*, stream: bool) -> None:
    """A refused attempt and its repetition are one call, billed once."""
    with CASE.serving(TOO_MANY, ANSWER) as (provider, capture):
        await respond(CASE, provider, stream=stream, num_retries=1)

        assert [429, 200] == [served.status for served in provider.served]
        assert_billed(provider, capture)


async def test_cut_stream() -> None:
    """A stream without its last event is incomplete, and its usage is missing."""
    with CASE.serving(ANSWER.but(cut_before="usage")) as (provider, capture):
        with cut_stream():
            await respond(CASE, provider, stream=True)

        assert_cut(provider, capture)


@either_way
async def test_usage_that_is_not_reported(*, stream: bool) -> None:
    """A response without a usage has none: no tokens, no cost, no guess."""
    with CASE.serving(ANSWER.but(usage=None)) as (provider, capture):
        await respond(CASE, provider, stream=stream)

        assert_missing(capture)
