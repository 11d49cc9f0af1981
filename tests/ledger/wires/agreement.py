"""What the tests of every wire compare: litespan's figures with what the wire served."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import litellm
import pytest

from litespan.testing import Capture, Provider
from tests.flow import figures
from tests.ledger import rates

MODES: dict[str, dict[str, Any]] = {
    "whole": {},
    "streamed": {"stream": True},
    "streamed, usage asked": {"stream": True, "stream_options": {"include_usage": True}},
}
every_mode = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)


async def call(**arguments: Any) -> None:
    """Make a call of plain LiteLLM and read its answer to the end."""
    answer = await litellm.acompletion(**{"messages": [{"role": "user", "content": "Hi"}], **arguments})
    if arguments.get("stream"):
        async for _ in answer:
            pass


def assert_agree(provider: Provider, capture: Capture, provider_name: str) -> None:
    """Check that spans, metrics and the wire agree, in tokens of every class and in USD to the last digit."""
    spans = capture.named("chat")
    assert {provider_name} == {(span.attributes or {})["gen_ai.provider.name"] for span in spans}
    assert len(provider.served) == len(spans) == figures.calls(capture, litespan__outcome="ok")
    served = figures.of_provider(provider.delivered())
    assert served == figures.of_spans(spans)
    assert served == figures.of_metrics(capture)
    assert served.input > 0
    assert bill(provider) == Decimal(capture.total("litespan.cost")) == cost_on_spans(capture) > 0
    assert 0 == capture.total("litespan.calls.unpriced") == capture.total("litespan.calls.usage_missing")


def bill(provider: Provider) -> Decimal:
    """Return what the provider charges for what it told its clients, in USD."""
    return sum((rates.cost(one.model, one.usage_delivered) for one in provider.served), Decimal(0))


def cost_on_spans(capture: Capture) -> Decimal:
    """Add up the cost on the spans of model calls, in USD."""
    spans = [span.attributes or {} for span in capture.named("chat")]
    return sum((Decimal(float(str(one["gen_ai.usage.cost.amount"]))) for one in spans), Decimal(0))


def assert_unpriced(provider: Provider, capture: Capture) -> None:
    """Check that the one call has the served tokens and no cost, and is counted as unpriced."""
    [span] = capture.named("chat")
    assert (
        figures.of_provider(provider.delivered()) == figures.of_spans([span]) == figures.of_metrics(capture)
    )
    assert "gen_ai.usage.cost.amount" not in (span.attributes or {})
    assert 1 == capture.total("litespan.calls.unpriced")
    assert [] == capture.points("litespan.cost")


def assert_cut(provider: Provider, capture: Capture) -> None:
    """Check that the one call is incomplete and says of its usage what had arrived, if anything."""
    [span] = capture.named("chat")
    attributes = span.attributes or {}
    assert "incomplete" == attributes["litespan.outcome"]
    assert 1 == capture.total("litespan.calls", litespan__outcome="incomplete")
    assert 1 == capture.total("litespan.calls.usage_missing", reason="incomplete")
    said = provider.served[-1].usage_delivered
    if said is None:
        assert "missing" == attributes["litespan.usage.source"]
        assert [] == [name for name in attributes if name.startswith("gen_ai.usage.")]
        assert [] == capture.points("litespan.cost")
    else:
        assert attributes["litespan.usage.incomplete"] is True
        assert figures.of_provider(said) == figures.of_spans([span]) == figures.of_metrics(capture)
        assert bill(provider) == Decimal(capture.total("litespan.cost"))
