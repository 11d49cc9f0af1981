"""What every dashboard must keep to; each rule returns what is against it, panel's title first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any, Final

from dashboards.build import queries
from tests.stack.dashboard_files import UIDS, Dashboard, targets, variables

Rule = Callable[[Dashboard], list[str]]

_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_COLUMNS: Final = 24
_VARIABLE: Final = re.compile(r"var-(\w+)=|\$\{(\w+):queryparam\}")


def says_what_it_is(dashboard: Dashboard) -> list[str]:
    """Each panel has a title of its own, a question as description, and a unit."""
    shown = list(queries.panels(dashboard))
    titles = Counter(panel["title"] for panel in shown)
    return [
        *(
            f"{title}: {count} panels have this title"
            for title, count in titles.items()
            if count > 1 or not title
        ),
        *(
            f"{panel['title']}: the description asks nothing"
            for panel in shown
            if "?" not in panel["description"]
        ),
        *(
            f"{panel['title']}: no unit"
            for panel in shown
            if not panel["fieldConfig"]["defaults"].get("unit")
        ),
    ]


def has_numbers(dashboard: Dashboard) -> list[str]:
    """Panels and rows have numbers of their own, which links to a panel rest on."""
    numbers = Counter(panel.get("id") for panel in dashboard["panels"])
    return [
        f"{panel['title']}: the number {panel.get('id')} is not its own"
        for panel in dashboard["panels"]
        if not panel.get("id") or numbers[panel["id"]] > 1
    ]


def asks_the_chosen_source(dashboard: Dashboard) -> list[str]:
    """Panels, queries and variables ask the data source that is chosen."""
    first, *rest = variables(dashboard)
    asking = [*queries.panels(dashboard), *(variable | {"title": variable["name"]} for variable in rest)]
    asking += [target | {"title": panel["title"]} for panel, target in targets(dashboard)]
    return [
        *(
            []
            if ("datasource", "prometheus") == (first["name"], first["query"])
            else ["no data source to choose"]
        ),
        *(
            f"{one['title']}: asks {one.get('datasource')}"
            for one in asking
            if one.get("datasource") != _SOURCE
        ),
    ]


def shows_legends(dashboard: Dashboard) -> list[str]:
    """Legends are shown, and every line has a name."""
    return [
        *(
            f"{panel['title']}: the legend is hidden"
            for panel in queries.panels(dashboard)
            if panel["type"] in ("timeseries", "heatmap") and not _legend_shown(panel["options"]["legend"])
        ),
        *(
            f"{panel['title']}: a query has no legend"
            for panel, target in targets(dashboard)
            if panel["type"] != "table" and not target.get("legendFormat")
        ),
    ]


def _legend_shown(legend: Mapping[str, Any]) -> bool:
    return bool(legend.get("showLegend", legend.get("show")))


def tells_queries_apart(dashboard: Dashboard) -> list[str]:
    """The queries of a panel have letters of their own."""
    return [
        f"{panel['title']}: two queries have one letter"
        for panel in queries.panels(dashboard)
        if len({target["refId"] for target in panel["targets"]}) < len(panel["targets"])
    ]


def fits_the_grid(dashboard: Dashboard) -> list[str]:
    """Panels lie inside the grid and not on each other."""
    cells = {panel["title"]: panel["gridPos"] for panel in dashboard["panels"]}
    return [
        *(f"{title}: wider than the page" for title, at in cells.items() if at["x"] + at["w"] > _COLUMNS),
        *(
            f"{one}: lies on {other}"
            for one, other in combinations(cells, 2)
            if _meet(cells[one], cells[other])
        ),
    ]


def _meet(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "w"), ("y", "h"))
    )


def opens_traces(dashboard: Dashboard) -> list[str]:
    """Heat maps ask for exemplars, in the form that a heat map takes."""
    return [
        f"{panel['title']}: a heat map without exemplars"
        for panel, target in targets(dashboard)
        if panel["type"] == "heatmap" and ("heatmap", True) != (target["format"], target.get("exemplar"))
    ]


def leads_somewhere(dashboard: Dashboard) -> list[str]:
    """Links lead to dashboards that are there, with variables that these dashboards have."""
    return [
        f"{panel['title']}: the link {url} leads nowhere"
        for panel in queries.panels(dashboard)
        for url in re.findall(r"'url': '([^']*)'", str(panel["fieldConfig"]))
        if not re.match(rf"/d/({'|'.join(UIDS.values())})\?", url)
        or not {first or second for first, second in _VARIABLE.findall(url)}
        <= {variable["name"] for variable in variables(dashboard)}
    ]


def carries_any_name(dashboard: Dashboard) -> list[str]:
    """Links take names with every character in them, also those that end a value in an address (&, #, +)."""
    return [
        f"{panel['title']}: {name} as it is ends at an &"
        for panel in queries.panels(dashboard)
        for name in re.findall(r"=(\$\{__value[^}:]*\})", str(panel["fieldConfig"]))
    ]


def shows_whole_numbers(dashboard: Dashboard) -> list[str]:
    """Numbers are shown whole, not in thousands: 1,499 is neither 1 K nor 1.50 K."""
    return [
        f"{panel['title']}: {field} in the unit {unit}"
        for panel in queries.panels(dashboard)
        if panel["type"] in ("stat", "table")
        for field, (unit, decimals) in _formats(panel).items()
        if unit == "short" and ("stat" == panel["type"] or not decimals)
    ]


def shows_little_money(dashboard: Dashboard) -> list[str]:
    """The cost of one call or run has as many decimals as it needs: many cost less than $0.0001."""
    return [
        f"{panel['title']}: {field} to {decimals} decimals"
        for panel in queries.panels(dashboard)
        if panel["type"] == "table"
        for field, (unit, decimals) in _formats(panel).items()
        if unit == "currencyUSD" and decimals is not None and not _is_sum(panel, field)
    ]


def _is_sum(panel: Mapping[str, Any], field: str) -> bool:
    """Say whether a column of a table is a sum over the time shown."""
    (renamed,) = (
        one["options"]["renameByName"] for one in panel["transformations"] if "organize" == one["id"]
    )
    (expr,) = (one["expr"] for one in panel["targets"] if renamed.get(f"Value #{one['refId']}") == field)
    return not re.search(r" / |histogram_quantile", expr)


def _formats(panel: Mapping[str, Any]) -> dict[str, tuple[str, int | None]]:
    """Return unit and decimals of a panel's figures: of all, and of those that have their own."""
    common = panel["fieldConfig"]["defaults"]
    found = {"all": (common["unit"], common.get("decimals"))} if panel["type"] == "stat" else {}
    for override in panel["fieldConfig"]["overrides"]:
        own = {one["id"]: one["value"] for one in override.get("properties", ())}
        if "unit" in own:
            found[override["matcher"]["options"]] = (own["unit"], own.get("decimals"))
    return found


RULES: Final[tuple[Rule, ...]] = (
    says_what_it_is,
    has_numbers,
    asks_the_chosen_source,
    shows_legends,
    tells_queries_apart,
    fits_the_grid,
    opens_traces,
    leads_somewhere,
    carries_any_name,
    shows_whole_numbers,
    shows_little_money,
)
