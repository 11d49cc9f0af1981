"""Metrics do not depend on sampling."""

from __future__ import annotations

from typing import Any

import litellm
import pytest
from agents import agent_span, custom_span, trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, SamplingResult

import litespan
from litespan.testing import Capture, Provider, Reply, ToolCall
from tests.fakes.litellm_calls import chat
from tests.flow.models import litespan_model
from tests.flow.team import TRIAGE, build_team, run_team
from tests.flow.troubles import TROUBLES, until_all_ended

# No two tools at once: which of them is first would differ from time to time, and so would their durations.
ONE_BY_ONE = (
    Reply.calls(ToolCall("weather", {"number": 1})),
    Reply.calls(ToolCall("ask_expert", {"input": "x"})),
    Reply.calls(ToolCall("transfer_to_writer")),
)


async def measure(provider: Provider, sampler: Sampler) -> tuple[int, dict[str, list[Any]]]:
    """Do the same work under a sampler; return the number of spans, and all points but their exemplars."""
    provider.reset()
    with Capture(deterministic=True, sampler=sampler) as capture:
        team = build_team(lambda name: litespan_model(provider, name))
        for number in range(2):
            provider.script(TRIAGE, *ONE_BY_ONE)
            await run_team(team, number)
        for trouble in TROUBLES.values():
            await trouble.happen(provider, litespan_model(provider), stream=True)
            await until_all_ended()
        with trace("By hand"), agent_span("C"):
            pass
        await until_all_ended()
        return len(capture.spans), {name: points(capture, name) for name in sorted(capture.metric_names())}


def points(capture: Capture, metric: str) -> list[Any]:
    """Return the points of a metric without times and exemplars, in a fixed order."""
    fields = ("value", "count", "sum", "min", "max", "bucket_counts", "explicit_bounds")
    found = [
        (sorted((point.attributes or {}).items()), [getattr(point, field, None) for field in fields])
        for point in capture.points(metric)
    ]
    return sorted(found, key=repr)


async def test_metrics_are_the_same_without_spans(provider: Provider) -> None:
    """With every span sampled away, all metrics have the same points as with every span kept."""
    spans_on, with_spans = await measure(provider, ALWAYS_ON)
    spans_off, without_spans = await measure(provider, ALWAYS_OFF)

    assert spans_on > 40
    assert 0 == spans_off
    assert with_spans == without_spans
    assert {"litespan.cost", "litespan.runs", "gen_ai.client.token.usage"} <= set(with_spans)


class Nameless(Sampler):
    """A sampler of the program's own that keeps everything, and fails where it is asked for its name."""

    def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
        """Keep it."""
        return ALWAYS_ON.should_sample(*args, **kwargs)

    def get_description(self) -> str:
        """Fail."""
        raise NotImplementedError


# Samplers that drop roots, and whether they keep children of what they drop.
BELOW_DROPPED = {
    "kept": (ParentBased(ParentBased(ALWAYS_OFF), local_parent_not_sampled=ALWAYS_ON), True),
    "dropped": (ParentBased(ParentBased(ALWAYS_OFF)), False),
}


@pytest.mark.parametrize(("sampler", "kept"), BELOW_DROPPED.values(), ids=BELOW_DROPPED)
def test_what_is_kept_below_a_dropped_root(sampler: Sampler, *, kept: bool) -> None:
    """Of children of what the program's sampler drops, litespan's are kept where the program's are."""
    with Capture(sampler=sampler) as capture:
        tracer = capture.tracer_provider.get_tracer("app")
        with tracer.start_as_current_span("root"), tracer.start_as_current_span("child"):
            pass
        with trace("Root"), custom_span("inner"):
            pass
        litespan.flush()

        assert (["child", "custom inner"] if kept else []) == [span.name for span in capture.spans]


async def test_a_sampler_that_cannot_name_itself(provider: Provider) -> None:
    """It is never asked for its name, in which it may fail."""
    with Capture(sampler=ParentBased(Nameless())) as capture:
        await litellm.acompletion(**chat(provider))

        assert 1 == len(capture.spans)
