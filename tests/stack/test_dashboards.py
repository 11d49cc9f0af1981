"""The dashboards keep to the rules, and each rule can be broken."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest

from dashboards.build import queries
from dashboards.build.names import series
from dashboards.build.not_shown import NOT_SHOWN
from litespan.semconv import GENERATIONS
from tests.stack import dashboard_rules, query_rules
from tests.stack.dashboard_files import FOLDER, UIDS, Dashboard, read, selectors, targets, variables
from tests.stack.dashboard_rules import Rule

RULES = (*dashboard_rules.RULES, *query_rules.RULES)
SPEND = "Spend in the time shown"
BY_MODEL = "Spend by model"
MAP = "Costs of calls"
TABLE = "Dearest models"
TOKENS = "Tokens in the time shown"
JAEGER = FOLDER.parent / "deploy" / "jaeger" / "ui.json"


def named(title: str, dashboard: Dashboard) -> dict[str, Any]:
    """Return the panel with this title."""
    return next(dict(panel) for panel in queries.panels(dashboard) if panel["title"] == title)


def replaced(title: str, old: str, new: str) -> Callable[[Dashboard], None]:
    """Return a change of the queries of one panel."""

    def change(dashboard: Dashboard) -> None:
        for panel, target in targets(dashboard):
            if panel["title"] == title:
                assert old in target["expr"]
                target["expr"] = target["expr"].replace(old, new)

    return change


def without_targets(title: str, count: int) -> Callable[[Dashboard], None]:
    """Return a change that takes the last queries from a panel."""
    return lambda dashboard: named(title, dashboard)["targets"].__delitem__(slice(-count, None))


def set_in(title: str, key: str, value: object, *path: str) -> Callable[[Dashboard], None]:
    """Return a change of one value of a panel."""

    def change(dashboard: Dashboard) -> None:
        place = next(panel for panel in dashboard["panels"] if panel["title"] == title)
        for step in path:
            place = place[int(step) if step.isdigit() else step]
        place[key] = value

    return change


def override(field: str, **properties: object) -> dict[str, Any]:
    """Return what a panel says of one of its figures."""
    said = [{"id": name, "value": value} for name, value in properties.items()]
    return {"matcher": {"id": "byName", "options": field}, "properties": said}


BREACHES: dict[Rule, tuple[str, Callable[[Dashboard], None]]] = {
    dashboard_rules.says_what_it_is: (SPEND, set_in(SPEND, "description", "Spend.")),
    dashboard_rules.has_numbers: (BY_MODEL, set_in(BY_MODEL, "id", 3)),
    dashboard_rules.asks_the_chosen_source: (
        SPEND,
        set_in(SPEND, "datasource", {"type": "prometheus", "uid": "litespan-prometheus"}, "targets", "0"),
    ),
    dashboard_rules.shows_legends: (BY_MODEL, set_in(BY_MODEL, "showLegend", False, "options", "legend")),
    dashboard_rules.tells_queries_apart: (SPEND, set_in(SPEND, "refId", "B", "targets", "0")),
    dashboard_rules.fits_the_grid: ("Spend this month", set_in(SPEND, "x", 6, "gridPos")),
    dashboard_rules.opens_traces: (MAP, set_in(MAP, "exemplar", False, "targets", "0")),
    dashboard_rules.leads_somewhere: (
        TABLE,
        set_in(TABLE, "overrides", [{"url": "/d/litespan-lost?var-model=x"}], "fieldConfig"),
    ),
    dashboard_rules.carries_any_name: (
        TABLE,
        set_in(TABLE, "overrides", [{"url": "/d/litespan-cost?var-model=${__value.raw}"}], "fieldConfig"),
    ),
    dashboard_rules.shows_whole_numbers: (TOKENS, set_in(TOKENS, "unit", "short", "fieldConfig", "defaults")),
    dashboard_rules.shows_little_money: (
        TABLE,
        set_in(
            TABLE, "overrides", [override("Spend per call", unit="currencyUSD", decimals=4)], "fieldConfig"
        ),
    ),
    query_rules.names_what_is_emitted: (
        BY_MODEL,
        replaced(BY_MODEL, "litespan_cost_total", "llm_cost_total"),
    ),
    query_rules.follows_the_variables: (BY_MODEL, replaced(BY_MODEL, 'gen_ai_agent_name=~"$agent", ', "")),
    query_rules.uses_its_variables: (
        "team",
        lambda dashboard: dashboard["templating"]["list"].append({"name": "team"}),
    ),
    query_rules.looks_at_the_right_time: (BY_MODEL, replaced(BY_MODEL, "$__interval", "$__range")),
    query_rules.counts_what_lived_for_seconds: (BY_MODEL, replaced(BY_MODEL, "last_over_time(", "increase(")),
    query_rules.takes_every_way_in: (BY_MODEL, replaced(BY_MODEL, "sum by (", "sum by (job, ")),
    query_rules.sums_money_once: (BY_MODEL, replaced(BY_MODEL, '"USD"', '"EUR"')),
    query_rules.shows_what_is_not_known: (SPEND, without_targets(SPEND, 1)),
    query_rules.says_money_is_money: (BY_MODEL, set_in(BY_MODEL, "unit", "short", "fieldConfig", "defaults")),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", UIDS)
def test_dashboards_keep_to_the_rule(name: str, rule: Rule) -> None:
    """Nothing in a dashboard is against the rule."""
    assert [] == rule(read(name))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_names_the_panel_that_breaks_it(rule: Rule) -> None:
    """A dashboard that was changed for the worse is refused, and the panel is named."""
    title, change = BREACHES[rule]
    dashboard = copy.deepcopy(read("tokens-and-cost"))
    change(dashboard)

    assert any(complaint.startswith(f"{title}: ") for complaint in rule(dashboard))


def test_files_and_uids() -> None:
    """The dashboards are these four, under addresses that do not change."""
    assert sorted(UIDS) == sorted(path.stem for path in FOLDER.glob("*.json"))
    assert UIDS == {name: read(name)["uid"] for name in UIDS}


def test_jaeger_leads_into_the_dashboards() -> None:
    """Links of Jaeger's pages lead to dashboards that are there, and set variables that these have."""
    text = JAEGER.read_text(encoding="utf-8")
    offered = {variable["name"] for variable in variables(read("tokens-and-cost"))}

    assert set(UIDS.values()) == set(re.findall(r"/d/([\w-]+)", text))
    assert offered >= set(re.findall(r"[?&]var-(\w+)=", text))


def test_every_metric_is_shown_or_listed_with_a_reason() -> None:
    """What litespan emits is on a panel, or on the list of what is not shown; nothing is on both."""
    shown = {name for file in UIDS for query in queries.of(read(file)) for name, _ in selectors(query.expr)}
    metrics = {metric for generation in GENERATIONS.values() for metric in generation.metrics}
    parts = ("", "bucket", "sum", "count")
    hidden = {metric for metric in metrics if not shown & {series(metric, part) for part in parts}}

    assert set(NOT_SHOWN) == hidden
    assert all(NOT_SHOWN.values())
