"""Attributes of the program's own: constant ones on all spans, allowed ones on the counters too."""

from __future__ import annotations

from typing import Any

import pytest
from agents import Agent, Runner

import litespan
from litespan import semconv
from litespan.settings import load_settings
from litespan.testing import Capture, Provider, Reply, ServedUsage
from tests.flow.models import litespan_model
from tests.flow.team import build_team, play, run_team

COUNTERS_OF_SPENDERS = [
    metric.name
    for metric in semconv.METRICS
    if metric.kind != "histogram" and semconv.AGENT_NAME in metric.attributes
]


async def run(provider: Provider) -> None:
    """Run one agent."""
    await Runner.run(Agent[None](name="A", model=litespan_model(provider)), "hi")


async def test_constant_attributes_are_on_all_spans(provider: Provider) -> None:
    """`extra_attributes` are on every span; what the program says in its code goes before them."""
    provider.respond = play
    team = build_team(lambda name: litespan_model(provider, name))
    with Capture(extra_attributes={"stage": "prod", "cell": 7, "desk": "none"}) as capture:
        with litespan.using(desk="north"):
            await run_team(team, 1)

        names = ("stage", "cell", "desk")
        seen = {tuple((span.attributes or {}).get(name) for name in names) for span in capture.spans}
        assert {("prod", 7, "north")} == seen
        assert [] == capture.points("litespan.calls", stage="prod")


async def test_allowed_keys_are_on_the_counters_that_name_the_spender(provider: Provider) -> None:
    """They are on the counters with agent and workflow and on that of the runs, and on nothing else."""
    usage = ServedUsage(input_tokens=100, output_tokens=50, cache_read_tokens=40, reasoning_tokens=10)
    provider.default = Reply.says("ok", usage=usage)
    with Capture(metric_keys=["team", "stage"], extra_attributes={"stage": "prod"}) as capture:
        with litespan.using(team="search", desk="north"):
            await run(provider)

        names = [name for name in capture.metric_names() if capture.points(name)]
        with_keys = {
            name
            for name in names
            if len(capture.points(name)) == len(capture.points(name, team="search", stage="prod"))
        }
        expected = {name for name in COUNTERS_OF_SPENDERS if capture.points(name)} | {"litespan.runs"}
        assert expected == with_keys
        assert {"litespan.cost", "litespan.calls", "litespan.cache.savings"} < with_keys
        assert not [name for name in capture.metric_names() if capture.points(name, desk="north")]
        assert with_keys == {name for name in names if capture.points(name, team="search")}


async def test_keys_without_a_value_are_left_out(provider: Provider) -> None:
    """Outside the block the key is absent; truth values and numbers are text, so that none equals another."""
    with Capture(metric_keys=["beta"]) as capture:
        for value in (True, 1, "x"):
            with litespan.using(beta=value):
                await run(provider)
        await run(provider)

        values = [point.attributes.get("beta") for point in capture.points("litespan.calls")]
        assert {"true", "1", "x", None} == set(values)
        assert 4 == capture.total("litespan.calls")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"metric_keys": ["user.id"]}, "'user.id' is never on metrics"),
        ({"metric_keys": "team,session.id"}, "'session.id' is never on metrics"),
        ({"metric_keys": ["gen_ai.conversation.id"]}, "'gen_ai.conversation.id' is never on metrics"),
        ({"metric_keys": ["enduser.id"]}, "'enduser.id' is never on metrics"),
        ({"metric_keys": ["litespan.tags"]}, "no name of an extra attribute"),
        ({"metric_keys": [""]}, "must be a list of attribute names"),
        ({"metric_keys": 3}, "must be a list of attribute names"),
        ({"baggage_keys": ["gen_ai.agent.name"]}, "no name of an extra attribute"),
        ({"extra_attributes": {"user.id": "u"}}, "litespan.using"),
        ({"extra_attributes": {"": "u"}}, "must be a text that is not empty|not empty"),
        ({"extra_attributes": {"stage": None}}, "must be a text, a truth value, a number"),
        (
            {"extra_attributes": "stage"},
            "must be names and values with commas, for example stage=prod,region=eu",
        ),
        ({"extra_attributes": "stage=prod,"}, "must be names and values with commas"),
        ({"extra_attributes": ["stage"]}, "must map names to values"),
    ],
)
def test_wrong_settings_are_clear_errors(given: dict[str, Any], message: str) -> None:
    """What cannot be an attribute, or never is on metrics, is an error where it is configured."""
    with pytest.raises(litespan.ConfigurationError, match=message):
        load_settings({}, **given)


def test_settings_come_from_the_environment_too() -> None:
    """The variables hold lists with commas, and pairs with equals signs."""
    settings = load_settings(
        {
            "LITESPAN_EXTRA_ATTRIBUTES": "stage=prod, region = eu=west",
            "LITESPAN_METRIC_KEYS": "team, stage",
            "LITESPAN_BAGGAGE_KEYS": "user.id,tenant",
            "LITESPAN_PROPAGATE_BAGGAGE": "true",
        }
    )

    assert {"stage": "prod", "region": "eu=west"} == settings.extra_attributes
    assert (("team", "stage"), ("user.id", "tenant")) == (settings.metric_keys, settings.baggage_keys)
    assert settings.propagate_baggage
