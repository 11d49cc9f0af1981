"""What is on the spans of calls that are no chat completions, and of answers that no provider gave."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import litellm
import pytest
from litellm.caching.caching import Cache
from litellm.exceptions import MidStreamFallbackError
from litellm.types.caching import LiteLLMCacheType

from litespan.testing import Capture, Provider, Reply, ServedUsage
from tests.fakes.litellm_calls import target
from tests.fakes.openai_documents import MESSAGE, answer, events, response, whole
from tests.fakes.openai_documents import USAGE as USAGE_DOCUMENT
from tests.flow import figures
from tests.flow.entrances import MESSAGES, arguments, finish
from tests.flow.troubles import until

USAGE = ServedUsage(1000, 200, cache_read_tokens=400, reasoning_tokens=50)


def only(capture: Capture) -> dict[str, Any]:
    """Return the attributes of the only span."""
    (span,) = capture.spans
    return dict(span.attributes or {})


@pytest.mark.parametrize("stream", [False, True])
async def test_a_response_has_its_details(provider: Provider, *, stream: bool) -> None:
    """The Responses API's usage, cost, id and status are on the span, streamed or not."""
    provider.default = Reply.says("Hi", usage=USAGE)
    with Capture() as capture:
        await finish(litellm.aresponses(**arguments(provider, "aresponses", stream=stream)))

    found = only(capture)
    names = ("input_tokens", "output_tokens", "cache_read.input_tokens", "reasoning.output_tokens")
    assert (1000, 200, 400, 50) == tuple(found[f"gen_ai.usage.{name}"] for name in names)
    assert ("completed",) == found["gen_ai.response.finish_reasons"]
    # gpt-4o-mini costs 0.15 USD per million tokens of input, 0.075 if cached, and 0.60 of output.
    assert pytest.approx((600 * 0.15 + 400 * 0.075 + 200 * 0.6) / 1e6) == found["gen_ai.usage.cost.amount"]
    assert stream == ("gen_ai.response.time_to_first_chunk" in found)


async def test_a_background_response_is_not_known_yet(provider: Provider) -> None:
    """A response that the provider only queued has no usage, and a reason of its own says why."""
    queued = {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-4o-mini", "output": []}
    body = json.dumps({**queued, "status": "queued", "usage": None, "background": True}).encode()
    provider.default = Reply.garbage(body, headers={"Content-Type": "application/json"})
    with Capture() as capture:
        response = await litellm.aresponses(**arguments(provider, "aresponses", background=True))

    assert "queued" == response.status
    assert 1 == figures.calls(capture, litespan__outcome="ok")
    assert 1 == capture.total("litespan.calls.usage_missing", reason="background")
    assert ("queued",) == only(capture)["gen_ai.response.finish_reasons"]


SEARCHED = response(output=[{"id": "ws_1", "type": "web_search_call", "status": "completed"}, MESSAGE])


@pytest.mark.parametrize("stream", [False, True])
async def test_a_search_by_the_provider_has_tokens_and_no_cost(provider: Provider, *, stream: bool) -> None:
    """A fee for each search is no price by the token, unless the provider says what it all cost."""
    tools = [{"type": "web_search_preview"}]
    usage = {**USAGE_DOCUMENT, "cost": 0.5}
    provider.script("*", answer(SEARCHED, stream=stream), answer({**SEARCHED, "usage": usage}, stream=stream))
    with Capture() as capture:
        for _ in range(2):
            await finish(litellm.aresponses(**arguments(provider, "aresponses", stream=stream, tools=tools)))

    without, told = (dict(span.attributes or {}) for span in capture.spans)
    assert (1000, 100) == (without["gen_ai.usage.input_tokens"], without["gen_ai.usage.output_tokens"])
    assert "gen_ai.usage.cost.amount" not in without
    assert 0.5 == told["gen_ai.usage.cost.amount"]
    assert 1 == capture.total("litespan.calls.unpriced")


FAILED = response(status="failed", output=[], usage=None, error={"code": "server_error", "message": "Secret"})
ERROR = {"type": "error", "code": "server_error", "message": "Secret", "param": None}
FAILURES = {"whole": whole(FAILED), "streamed": answer(FAILED, stream=True), "event": events(ERROR)}


@pytest.mark.parametrize("way", FAILURES)
async def test_a_response_that_tells_of_a_failure_is_a_failed_call(provider: Provider, way: str) -> None:
    """Status 200 is no success: the answer's error code is the type of a failure, its text stays out."""
    provider.default = FAILURES[way]
    # LiteLLM raises where a stream tells it, from 1.110 on.
    with Capture() as capture, suppress(MidStreamFallbackError):
        await finish(litellm.aresponses(**arguments(provider, "aresponses", stream=way != "whole")))

    assert 1 == figures.calls(capture, litespan__outcome="error")
    assert 1 == capture.total("litespan.calls.usage_missing", reason="error")
    assert "server_error" == only(capture)["error.type"]
    description = capture.spans[0].status.description
    assert "server_error" == (description or "").removeprefix("MidStreamFallbackError: ")


@pytest.mark.parametrize("error", [None, {"code": None}, {"code": "No code but a prompt."}])
async def test_a_failure_with_usage_and_no_code(provider: Provider, error: Any) -> None:
    """A failure that came whole has the usage that came with it; its type is a code or nothing."""
    provider.default = whole(response(status="failed", error=error))
    with Capture() as capture:
        await finish(litellm.aresponses(**arguments(provider, "aresponses")))

    found = only(capture)
    assert "_OTHER" == found["error.type"]
    assert (1000, 100) == figures.of_metrics(capture)[:2]
    assert [] == capture.points("litespan.calls.usage_missing")


@pytest.mark.parametrize("name", ["aembedding", "embedding"])
async def test_embeddings_have_dimensions_tokens_and_cost(provider: Provider, name: str) -> None:
    """Embeddings say how long the vectors shall be, how many tokens went in, and what that cost."""
    provider.default = Reply(usage=USAGE)
    given = {**target(provider), "model": "openai/text-embedding-3-small", "input": ["a"], "dimensions": 256}
    with Capture() as capture:
        await finish(getattr(litellm, name)(**given, encoding_format="float"))

    found = only(capture)
    assert (256, 1000) == (found["gen_ai.embeddings.dimension.count"], found["gen_ai.usage.input_tokens"])
    assert ("float",) == found["gen_ai.request.encoding_formats"]
    assert pytest.approx(1000 * 0.02 / 1e6) == found["gen_ai.usage.cost.amount"]


@pytest.mark.parametrize("probed", [True, False])
async def test_embeddings_that_were_cached_in_part_have_the_usage_of_the_rest(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, *, probed: bool
) -> None:
    """LiteLLM's cache held one of three inputs: the provider was asked for two, and bills them.

    What it said of them is in the body of its answer. Without the probe that is not known, and missing.
    """
    cache: Any = Cache(type=LiteLLMCacheType.LOCAL)
    monkeypatch.setattr(litellm, "cache", cache)
    given = {**target(provider), "model": "openai/text-embedding-3-small"}
    provider.script("*", Reply(usage=ServedUsage(10)), Reply(usage=ServedUsage(5000)))
    with Capture(transport_probe=probed) as capture:
        await litellm.aembedding(input=["a"], **given)
        await until(lambda: bool(cache.cache.cache_dict))
        await litellm.aembedding(input=["a", "b", "c"], **given)
        await until(lambda: len(cache.cache.cache_dict) == 3)
        await litellm.aembedding(input=["a", "b", "c"], **given)

    first, part, hit = (dict(span.attributes or {}) for span in capture.spans)
    assert 2 == len(provider.served)
    assert 10 == first["gen_ai.usage.input_tokens"]
    assert "litespan.cache_hit" not in part
    assert (5000 if probed else None) == part.get("gen_ai.usage.input_tokens")
    assert ((5000 * 0.02 / 1e6) if probed else None) == part.get("gen_ai.usage.cost.amount")
    assert (True, 0) == (hit["litespan.cache_hit"], hit["gen_ai.usage.cost.amount"])
    assert (0 if probed else 1) == capture.total("litespan.calls.usage_missing")


async def test_a_streamed_text_completion_has_its_usage(provider: Provider) -> None:
    """A streamed text completion has tokens, cost, finish reason and the time to its first chunk."""
    provider.default = Reply.says("Once upon a time", usage=USAGE)
    with Capture() as capture:
        given = arguments(provider, "atext_completion", stream=True)
        await finish(litellm.atext_completion(**given))

    found = only(capture)
    assert (1000, 200) == (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"])
    assert ("stop",) == found["gen_ai.response.finish_reasons"]
    assert found["gen_ai.usage.cost.amount"] > 0 < found["gen_ai.response.time_to_first_chunk"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_made_up_answer_costs_nothing(provider: Provider, *, stream: bool) -> None:
    """With `mock_response` LiteLLM asks nobody: the call is counted, without tokens, at no cost."""
    with Capture() as capture:
        given = arguments(provider, "acompletion", stream=stream, mock_response="Hi")
        await finish(litellm.acompletion(**given))

    found = only(capture)
    assert [] == provider.served
    assert (True, "ok", 0) == (
        found["litespan.mocked"],
        found["litespan.outcome"],
        found["gen_ai.usage.cost.amount"],
    )
    assert not [name for name in found if name.startswith(("gen_ai.usage.input", "litespan.usage"))]
    assert (0, 0, 0, 0, 0) == figures.of_metrics(capture)
    assert [] == capture.points("litespan.calls.usage_missing")


async def test_a_made_up_failure_is_a_failure(provider: Provider) -> None:
    """A made-up error is the call's outcome, and leaves no doubt about a bill."""
    with Capture() as capture, pytest.raises(litellm.RateLimitError):
        await litellm.acompletion(
            **arguments(provider, "acompletion", mock_response="litellm.RateLimitError")
        )

    assert ("error", True) == (only(capture)["litespan.outcome"], only(capture)["litespan.mocked"])
    assert [] == capture.points("litespan.calls.usage_missing")


async def test_anthropics_format_with_cache_writes(provider: Provider) -> None:
    """Anthropic's format counts the cache beside the input; the span has the whole input, and the parts."""
    usage = ServedUsage(1719, 30, cache_read_tokens=400, cache_write_tokens=311, cache_write_1h_tokens=294)
    provider.default = Reply.says("Hi", usage=usage)
    given = arguments(provider, "anthropic_messages", "anthropic")
    with Capture(capture_content="SPAN_ONLY") as capture:
        await finish(litellm.anthropic_messages(**given, system="Be brief."))

    found = only(capture)
    assert figures.of_provider(provider.delivered()) == figures.of_metrics(capture)
    assert (1719, 605) == (
        found["gen_ai.usage.input_tokens"],
        found["gen_ai.usage.cache_creation.input_tokens"],
    )
    # 3 USD per million tokens of input, 0.30 read, 3.75 and 6 written for 5 minutes and 1 hour, 15 of output.
    paid = (714 * 3 + 400 * 0.3 + 311 * 3.75 + 294 * 6 + 30 * 15) / 1e6
    assert pytest.approx(paid) == found["gen_ai.usage.cost.amount"]
    assert ("end_turn", "msg_000001") == (
        found["gen_ai.response.finish_reasons"][0],
        found["gen_ai.response.id"],
    )
    said = json.loads(found["gen_ai.output.messages"])[0]["parts"]
    assert [{"type": "text", "content": "Hi"}] == said
    assert "Be brief." in found["gen_ai.system_instructions"]
    assert MESSAGES[0]["content"] in found["gen_ai.input.messages"]


async def test_a_router_does_not_hide_the_price_of_long_calls(provider: Provider) -> None:
    """A Router fills its models' entries of the price table up; long calls keep their price all the same."""
    provider.default = Reply.says("Hi", usage=ServedUsage(250_000, 100))
    deployment = {"model_name": "chat", "litellm_params": {**target(provider), "model": "openai/gpt-4o"}}
    router: Any = litellm.Router([deployment])
    with Capture() as capture:
        await router.acompletion("chat", MESSAGES)

    assert pytest.approx((250_000 * 2.5 + 100 * 10) / 1e6) == only(capture)["gen_ai.usage.cost.amount"]
