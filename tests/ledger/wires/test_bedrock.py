"""Amazon Bedrock's Converse and ConverseStream, and InvokeModel with Claude.

Followed are the pages "Converse", "ConverseStream", "TokenUsage" and "CacheDetail" of the API reference of
Bedrock's runtime. In `usage`, `inputTokens` leaves out `cacheReadInputTokens` and `cacheWriteInputTokens`;
`cacheDetails` splits the writes by lifetime (`5m`, `1h`); there is no count of reasoning. A stream is made of
binary frames; its usage comes once, in the `metadata` event behind `messageStop`.
InvokeModel carries Anthropic's own messages, streamed as `chunk` events.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import litellm
import pytest
from botocore.eventstream import EventStreamBuffer  # type: ignore[import-untyped]
from opentelemetry.trace import StatusCode

from litespan.testing import Capture, Provider, Reply, ServedUsage, ToolCall
from tests.fakes.bedrock_wire import BedrockWire
from tests.fakes.event_stream import event
from tests.ledger import rates
from tests.ledger.wires.agreement import MODES, assert_agree, assert_cut, assert_unpriced, call, every_mode
from tests.versions import cut_stream, installed

CONVERSE = "bedrock/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0"
INVOKE = "bedrock/invoke/us.anthropic.claude-sonnet-4-5-20250929-v1:0"
MODELS = [
    CONVERSE,
    "bedrock/anthropic.claude-3-5-sonnet-20240620-v1:0",
    "bedrock/eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "bedrock/us.amazon.nova-pro-v1:0",
    INVOKE,
]
USAGE = ServedUsage(1000, 300, 400, 50)
ANSWER = Reply(text="one two three four", reasoning="Let me think of that.", usage=USAGE, pieces=4)
ONE_HOUR = [
    {
        "role": "user",
        "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
    }
]
HELLO = [{"role": "user", "content": "Hi"}]
every_model = pytest.mark.parametrize("model", MODELS)


@pytest.fixture
def provider() -> Iterator[Provider]:
    """Serve the Bedrock runtime."""
    with Provider(wires=[BedrockWire()]) as running:
        running.default = ANSWER
        yield running


def to(provider: Provider, model: str = CONVERSE, **options: Any) -> dict[str, Any]:
    """Return the arguments that send a call to the provider."""
    keys = {"aws_access_key_id": "AKIAFAKE", "aws_secret_access_key": "fake", "aws_region_name": "us-east-1"}
    return {"model": model, "api_base": provider.url("bedrock"), **keys, **options}


@every_mode
@every_model
async def test_tokens_and_cost_are_the_providers(
    provider: Provider, model: str, mode: dict[str, Any]
) -> None:
    """Input includes the cache parts, each class has its price, and the model's full id is on the span."""
    with rates.registered(model), Capture() as capture:
        await call(**to(provider, model, **mode))

        assert_agree(provider, capture, "aws.bedrock")
    [span] = capture.named("chat")
    names = {(span.attributes or {})[f"gen_ai.{side}.model"] for side in ("request", "response")}
    assert {bedrock_id(model)} == names
    assert bedrock_id(model) == provider.served[0].model


async def test_endpoint_of_the_runtime(provider: Provider) -> None:
    """The endpoint may also be given as `aws_bedrock_runtime_endpoint`."""
    arguments = to(provider)
    arguments["aws_bedrock_runtime_endpoint"] = arguments.pop("api_base")
    with rates.registered(CONVERSE), Capture() as capture:
        await call(**arguments)

        assert_agree(provider, capture, "aws.bedrock")


@pytest.mark.parametrize("stream", [False, True])
def test_synchronous_calls(provider: Provider, *, stream: bool) -> None:
    """Calls without `await` are counted the same."""
    with rates.registered(CONVERSE), Capture() as capture:
        answer = litellm.completion(**to(provider, stream=stream, messages=HELLO))
        _ = list(answer) if stream else None

        assert_agree(provider, capture, "aws.bedrock")


@every_mode
@pytest.mark.parametrize("model", [CONVERSE, INVOKE])
async def test_reasoning_is_not_estimated(provider: Provider, model: str, mode: dict[str, Any]) -> None:
    """Bedrock counts no reasoning apart; LiteLLM's count of the visible text is not passed on, nor is 0."""
    with Capture() as capture:
        await call(**to(provider, model, **mode))

    [span] = capture.named("chat")
    assert "gen_ai.usage.reasoning.output_tokens" not in (span.attributes or {})


@every_mode
async def test_tool_calls(provider: Provider, mode: dict[str, Any]) -> None:
    """An answer that asks for tools is counted as any other, and its finish reason told."""
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    provider.default = Reply.calls(ToolCall("weather", {"city": "Rome"}), ToolCall("weather"), usage=USAGE)
    with rates.registered(CONVERSE), Capture() as capture:
        await call(**to(provider, tools=[tool], **mode))

        assert_agree(provider, capture, "aws.bedrock")
    [span] = capture.named("chat")
    assert ("tool_calls",) == (span.attributes or {})["gen_ai.response.finish_reasons"]


async def test_one_hour_writes_of_converse_have_their_price(provider: Provider) -> None:
    """LiteLLM drops `cacheDetails`; they are read from the answer that its transport saw."""
    provider.default = ANSWER.but(usage=ServedUsage(1000, 300, 400, 50, 30))
    with rates.registered(CONVERSE), Capture() as capture:
        await call(**to(provider, messages=ONE_HOUR))

        assert_agree(provider, capture, "aws.bedrock")


@pytest.mark.parametrize(
    ("settings", "mode"),
    [({}, MODES["streamed"]), ({}, MODES["streamed, usage asked"]), ({"transport_probe": False}, {})],
)
async def test_one_hour_writes_of_streams_and_without_the_probe(
    provider: Provider, settings: dict[str, Any], mode: dict[str, Any]
) -> None:
    """In streams, and without the transport probe, writes that may live an hour have no known price.

    LiteLLM 1.83 drops their split there, newer versions pass it on: then the price is known.
    """
    provider.default = ANSWER.but(usage=ServedUsage(1000, 300, 400, 50, 30))
    with rates.registered(CONVERSE), Capture(**settings) as capture:
        await call(**to(provider, messages=ONE_HOUR, **mode))

        if installed("litellm") < (1, 84):
            assert_unpriced(provider, capture)
        else:
            assert_agree(provider, capture, "aws.bedrock")


async def test_one_hour_entries_that_are_only_read_have_a_cost(provider: Provider) -> None:
    """Reads cost the same for both lifetimes, so a call that writes nothing is priced."""
    provider.default = ANSWER.but(usage=ServedUsage(1000, 300, 400))
    with rates.registered(CONVERSE), Capture() as capture:
        await call(**to(provider, messages=ONE_HOUR))

        assert_agree(provider, capture, "aws.bedrock")


@every_mode
async def test_one_hour_writes_of_invoke_have_their_price(provider: Provider, mode: dict[str, Any]) -> None:
    """InvokeModel keeps Anthropic's split of the writes, so both lifetimes are priced."""
    provider.default = ANSWER.but(usage=ServedUsage(1000, 300, 400, 50, 30))
    with rates.registered(INVOKE), Capture() as capture:
        await call(**to(provider, INVOKE, messages=ONE_HOUR, **mode))

        assert_agree(provider, capture, "aws.bedrock")


@pytest.mark.parametrize("model", [CONVERSE, INVOKE])
@pytest.mark.parametrize("place", ["start", "middle", "finish", "usage"])
async def test_cut_streams(provider: Provider, model: str, place: str) -> None:
    """A cut stream is incomplete; Converse has told no usage before its end, InvokeModel a first one."""
    faults: dict[str, Any] = {"start": {"cut_after": 1}, "middle": {"cut_after": 4}}
    provider.default = ANSWER.but(**faults.get(place, {"cut_before": place}))
    with rates.registered(model), Capture() as capture:
        with cut_stream():
            await call(**to(provider, model, stream=True))

        assert_cut(provider, capture)
    assert (model == INVOKE) == (provider.served[0].usage_delivered is not None)


async def test_throttled_and_then_answered(provider: Provider) -> None:
    """A throttled call is an error that cost nothing; the next one is counted alone."""
    model = bedrock_id(CONVERSE)
    provider.script(model, Reply.fails(429, message="Too many requests, please wait before trying again."))
    with rates.registered(CONVERSE), Capture() as capture:
        with pytest.raises(litellm.RateLimitError):
            await call(**to(provider))
        failed, *_ = capture.named("chat")
        capture.clear()
        provider.served.clear()
        await call(**to(provider))

        assert StatusCode.ERROR == failed.status.status_code
        assert rates.cost(model, USAGE) == capture.total("litespan.cost")
    assert 1 == capture.total("litespan.calls", litespan__outcome="error")
    assert 0 == capture.total("litespan.calls.usage_missing")


@pytest.mark.parametrize("model", [CONVERSE, INVOKE])
async def test_stream_that_fails_half_way(provider: Provider, model: str) -> None:
    """An exception frame ends the stream with an error; what had arrived stays, as incomplete."""
    provider.default = ANSWER.but(error=Reply.fails(429).error, error_after=4)
    # Newer versions of LiteLLM say that the stream broke, and not what the provider told.
    raised, reason = (
        (litellm.RateLimitError, "error")
        if installed("litellm") < (1, 84)
        else (litellm.exceptions.MidStreamFallbackError, "connection")
    )
    with rates.registered(model), Capture() as capture, pytest.raises(raised):
        await call(**to(provider, model, stream=True))

    [span] = capture.named("chat")
    assert "error" == (span.attributes or {})["litespan.outcome"]
    assert 1 == capture.total("litespan.calls.usage_missing", reason=reason)
    assert (model == INVOKE) == ("litespan.usage.incomplete" in (span.attributes or {}))


def test_frames_are_the_documented_ones() -> None:
    """botocore, which checks both checksums, reads back what the fake writes."""
    buffer = EventStreamBuffer()
    buffer.add_data(event("messageStop", {"stopReason": "end_turn"}))
    [read] = list(buffer)

    assert "messageStop" == read.headers[":event-type"]
    assert b'{"stopReason":"end_turn"}' == read.payload


def bedrock_id(model: str) -> str:
    """Return the model's id as Bedrock gets it."""
    return model.rpartition("/")[2]
