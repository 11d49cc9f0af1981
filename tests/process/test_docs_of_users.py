"""What the page about users and sessions says beside its programs is right."""

from __future__ import annotations

from litespan import semconv
from litespan.emit import cardinality
from litespan.labels import MAX_ITEMS, MAX_TEXT
from litespan.records import Standing
from litespan.settings import load_settings
from tests.pages import blocks, page

PAGE = page("users-and-sessions")


def test_variable_is_understood() -> None:
    """The variable of the page is one of litespan's, and gives what the program above it gives."""
    [command] = blocks(PAGE, "sh")
    name, value = command.removeprefix("export ").strip().split("=", 1)

    assert {"stage": "prod", "region": "eu"} == load_settings({name: value}).extra_attributes
    assert 'extra_attributes={"stage": "prod", "region": "eu"}' in PAGE


def test_query_uses_a_counter_with_the_key() -> None:
    """The metric of the query exists, and names the spender, so that the allowed key is on it."""
    [query] = blocks(PAGE, "promql")
    [metric] = [m for m in semconv.METRICS if f"({m.name.replace('.', '_')}_total{{" in query]

    assert semconv.AGENT_NAME in metric.attributes
    assert 'metric_keys=["team"]' in PAGE
    assert query.startswith("sum by (team)")


def test_figures_are_those_of_the_code() -> None:
    """The limits on the page are the ones that hold."""
    assert f"{MAX_TEXT:,} characters, and the first {MAX_ITEMS} tags are kept" in PAGE
    assert f"at most {cardinality.LIMIT:,} sets" in PAGE
    assert f"from {cardinality.ROOM_FOR_NEW_NAMES} sets on" in PAGE
    assert f"from {cardinality.ROOM_FOR_KNOWN_NAMES} on" in PAGE
    assert f"up to {cardinality.ROOM_FOR_MODELS[Standing.PRICED]} sets" in PAGE
    assert f"up to {cardinality.ROOM_FOR_MODELS[Standing.CONFIGURED]}." in PAGE
