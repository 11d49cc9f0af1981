"""What happens to chat calls on every wire, and what must be said of it: the provider's own figures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from litespan.testing import Capture, Provider, Reply, ServedUsage, ToolCall
from litespan.testing.reply import Mark
from litespan.testing.wire import Wire
from tests.flow import figures
from tests.ledger import rates
from tests.ledger.wires.agreement import MODES, assert_agree, assert_cut, bill, call, cost_on_spans
from tests.versions import cut_stream

USAGE = ServedUsage(1200, 90, cache_read_tokens=300, reasoning_tokens=40)
ANSWER = Reply.says("one two three four five six", reasoning="let me think", usage=USAGE, pieces=6)
TOOL_CALL = Reply.calls(
    ToolCall("weather", {"city": "Rome"}),
    usage=ServedUsage(700, 25, cache_read_tokens=64, reasoning_tokens=9),
)
TOO_MANY = Reply.fails(429, code="rate_limit_exceeded", retry_after=0.001)
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tell the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


@dataclass(frozen=True)
class Case:
    """A wire and how LiteLLM is told to call it: the model's full name, and further arguments.

    `provider` is the provider's name in the conventions, `base` follows the wire's base URL.
    """

    wire: Callable[[], Wire]
    model: str
    provider: str
    options: Mapping[str, Any] = field(default_factory=dict)
    base: str = ""

    @contextmanager
    def serving(self, *replies: Reply) -> Iterator[tuple[Provider, Capture]]:
        """Run the provider with these replies, its rates in LiteLLM's table, and litespan."""
        with Provider(wires=[self.wire()]) as provider, rates.registered(self.model), Capture() as capture:
            provider.script("*", *replies)
            yield provider, capture

    def to(self, provider: Provider, **options: Any) -> dict[str, Any]:
        """Return the arguments that send a call to the provider."""
        target = {"model": self.model, "api_base": provider.base_url + self.base, "api_key": "k"}
        return {**target, **self.options, **options}


async def agrees(case: Case, reply: Reply = ANSWER, **options: Any) -> None:
    """Tokens of every class and the cost are the provider's."""
    with case.serving(reply) as (provider, capture):
        await call(**case.to(provider, **options))

        assert_agree(provider, capture, case.provider)


async def breaks_off(case: Case, before: Mark) -> None:
    """A cut stream is incomplete, and has no tokens but those that had arrived."""
    with case.serving(ANSWER.but(cut_before=before)) as (provider, capture):
        with cut_stream():
            await call(**case.to(provider, stream=True))

        assert_cut(provider, capture)


async def is_repeated(case: Case, **options: Any) -> None:
    """A refused attempt and its repetition are one call, billed once."""
    with case.serving(TOO_MANY, ANSWER) as (provider, capture):
        await call(**case.to(provider, num_retries=1, **options))

        [span] = capture.named("chat")
        assert [429, 200] == [served.status for served in provider.served]
        assert ("ok", 2) == tuple((span.attributes or {})[f"litespan.{it}"] for it in ("outcome", "attempts"))
        assert figures.of_provider(provider.delivered()) == figures.of_spans([span])
        assert figures.of_spans([span]) == figures.of_metrics(capture)
        assert bill(provider) == cost_on_spans(capture) > 0


async def says_nothing(case: Case, **options: Any) -> None:
    """A usage that the provider does not report is missing: no tokens, no cost, no guess."""
    with case.serving(ANSWER.but(usage=None)) as (provider, capture):
        await call(**case.to(provider, **options))

        assert_missing(capture)


def assert_missing(capture: Capture, operation: str = "chat") -> None:
    """Check that the one call has ended well and says of its tokens only that they are missing."""
    [span] = capture.named(operation)
    attributes = span.attributes or {}
    assert ("ok", "missing") == (attributes["litespan.outcome"], attributes["litespan.usage.source"])
    assert [] == [name for name in attributes if name.startswith("gen_ai.usage.")]
    assert 1 == capture.total("litespan.calls.usage_missing", reason="not_reported")
    assert [] == capture.points("litespan.cost")
    assert (0, 0, 0, 0, 0) == figures.of_metrics(capture)


Scenario = Callable[[Case], Awaitable[None]]

SCENARIOS: dict[str, Scenario] = {
    **{name: partial(agrees, **mode) for name, mode in MODES.items()},
    "tool": partial(agrees, reply=TOOL_CALL, tools=[WEATHER]),
    "tool, streamed": partial(agrees, reply=TOOL_CALL, tools=[WEATHER], stream=True),
    "cut before the finish": partial(breaks_off, before="finish"),
    "cut before the usage": partial(breaks_off, before="usage"),
    "429, then whole": is_repeated,
    "429, then streamed": partial(is_repeated, stream=True),
    "no usage": says_nothing,
    "no usage, streamed": partial(says_nothing, stream=True),
}


def every_scenario(*without: str) -> pytest.MarkDecorator:
    """Parametrize a test by `happens`, what happens to a call; leave out what this wire does otherwise."""
    kept = {name: scenario for name, scenario in SCENARIOS.items() if name not in without}
    return pytest.mark.parametrize("happens", kept.values(), ids=kept)
