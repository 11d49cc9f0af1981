"""What every query of a dashboard must keep to; each rule returns what is against it, panel's title first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from dashboards.build import queries
from dashboards.build.figures import USD
from dashboards.build.filters import ALL
from dashboards.build.names import label, series
from litespan import semconv
from tests.stack.dashboard_files import Dashboard, selectors, targets, variables
from tests.stack.dashboard_rules import Rule
from tests.stack.emitted import SERIES
from tests.stack.promql_names import Names, names

_WINDOW: Final = re.compile(r"\[([^\]]+)\]|offset (\S+?)\)")
_MEMORY: Final = "1h"
_AT_THE_END: Final = {"$__range", "1d", "7d", _MEMORY}
_OVER_TIME: Final = {"$__interval", "$__rate_interval", _MEMORY}
_ESTIMATING: Final = re.compile(r"\b(rate|irate|increase|delta|idelta)\(")
_CURRENCY: Final = label(semconv.USAGE_COST_CURRENCY)
_BLIND_SPOTS: Final = {series(semconv.CALLS_UNPRICED), series(semconv.CALLS_USAGE_MISSING)}
_TOTALS: Final = {series(semconv.COST), series(semconv.INPUT_TOKENS), series(semconv.OUTPUT_TOKENS)}
_DOLLARS: Final = "currencyUSD"


def names_what_is_emitted(dashboard: Dashboard) -> list[str]:
    """Metrics are those that litespan emits, with labels that they have."""
    found = []
    for query in queries.of(dashboard):
        used = names(queries.substitute(query.expr))
        known = frozenset().union(*(SERIES.get(metric, frozenset()) for metric in used.metrics))
        found += [f"{query.panel}: no metric {name}" for name in sorted(used.metrics - SERIES.keys())]
        found += [f"{query.panel}: no label {name}" for name in sorted(used.grouped - known)]
        for metric, conditions in selectors(query.expr):
            unknown = names(f"{metric}{{{conditions}}}").matched - SERIES.get(metric, frozenset())
            found += [f"{query.panel}: no label {name} of {metric}" for name in sorted(unknown)]
    return found


def follows_the_variables(dashboard: Dashboard) -> list[str]:
    """All metrics of a query are filtered alike: by every variable whose label they all have."""
    offered = {variable["name"] for variable in variables(dashboard)}
    found = []
    for query in queries.of(dashboard):
        used = selectors(query.expr)
        shared = frozenset.intersection(*(SERIES.get(metric, frozenset()) for metric, _ in used))
        expected = {one.matcher for one in ALL if label(one.attribute) in shared}
        for metric, conditions in used:
            found += [f"{query.panel}: {metric} and {one}" for one in sorted(expected ^ _chosen(conditions))]
        used_names = set(re.findall(r'"\$(\w+)"', query.expr))
        found += [f"{query.panel}: no variable {name}" for name in sorted(used_names - offered)]
    return found


def _chosen(conditions: str) -> set[str]:
    return {condition for condition in conditions.split(", ") if "$" in condition}


def uses_its_variables(dashboard: Dashboard) -> list[str]:
    """No variable is offered that no query follows."""
    used = {name for query in queries.of(dashboard) for name in re.findall(r'"\$(\w+)"', query.expr)}
    return [
        f"{variable['name']}: followed by nothing"
        for variable in variables(dashboard)[1:]
        if variable["name"] not in used
    ]


def looks_at_the_right_time(dashboard: Dashboard) -> list[str]:
    """Curves look at one step or the window for rates, in steps of a minute or more; figures look at all."""
    found = []
    for panel, target in targets(dashboard):
        windows = {one or other for one, other in _WINDOW.findall(target["expr"])}
        allowed = _AT_THE_END if target["instant"] else _OVER_TIME
        found += [f"{panel['title']}: the window {one}" for one in sorted(windows - allowed)]
        if not target["instant"] and target.get("interval") != "1m":
            found.append(f"{panel['title']}: steps shorter than the exports are apart")
    return found


def counts_what_lived_for_seconds(dashboard: Dashboard) -> list[str]:
    """No query needs two samples of a series, or guesses between samples."""
    return [
        f"{query.panel}: {function}() loses the first sample"
        for query in queries.of(dashboard)
        for function in _ESTIMATING.findall(query.expr)
    ]


def takes_every_way_in(dashboard: Dashboard) -> list[str]:
    """No query rests on a label that differs between pushed and scraped metrics, or on the text of ``le``."""
    return [
        f"{query.panel}: rests on {name}"
        for query in queries.of(dashboard)
        for name in sorted(_odd(names(queries.substitute(query.expr))))
    ]


def _odd(used: Names) -> frozenset[str]:
    return used.labels & {"job", "instance"} | used.matched & {"le"}


def sums_money_once(dashboard: Dashboard) -> list[str]:
    """A panel takes the cost from one metric, in one currency."""
    found = []
    for panel in queries.panels(dashboard):
        used = [one for target in panel["targets"] for one in selectors(target["expr"])]
        costs = {metric.removesuffix("_bucket").removesuffix("_sum") for metric, _ in used} & _COSTS
        found += [f"{panel['title']}: cost from {len(costs)} metrics"] if len(costs) > 1 else []
        found += [
            f"{panel['title']}: {metric} in any currency"
            for metric, conditions in used
            if _CURRENCY in SERIES.get(metric, frozenset()) and USD not in conditions
        ]
    return found


_COSTS: Final = {series(semconv.COST), label(semconv.OPERATION_COST.name)}


def shows_what_is_not_known(dashboard: Dashboard) -> list[str]:
    """Beside a total of money or tokens stand the calls that are not in it."""
    return [
        f"{panel['title']}: does not say what is missing"
        for panel in queries.panels(dashboard)
        if _is_total(panel) and not _metrics(panel) >= _BLIND_SPOTS
    ]


def _is_total(panel: Mapping[str, Any]) -> bool:
    return panel["type"] == "stat" and bool(_metrics(panel) & _TOTALS)


def _metrics(panel: Mapping[str, Any]) -> set[str]:
    return {metric for target in panel["targets"] for metric, _ in selectors(target["expr"])}


def says_money_is_money(dashboard: Dashboard) -> list[str]:
    """Sums of money alone are in dollars."""
    return [
        f"{panel['title']}: money without its unit"
        for panel in queries.panels(dashboard)
        if all("cost" in metric for metric in _metrics(panel))
        and panel["fieldConfig"]["defaults"]["unit"] != _DOLLARS
    ]


RULES: Final[tuple[Rule, ...]] = (
    names_what_is_emitted,
    follows_the_variables,
    uses_its_variables,
    looks_at_the_right_time,
    counts_what_lived_for_seconds,
    takes_every_way_in,
    sums_money_once,
    shows_what_is_not_known,
    says_money_is_money,
)
