"""What all dashboards have in common: variables, links to each other, time and refresh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, Row
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType

from dashboards.build.filters import ALL
from dashboards.build.panels import Panel
from dashboards.build.variables import choice, data_source

COST: Final = "litespan-cost"
LATENCY: Final = "litespan-latency"
AGENTS: Final = "litespan-agents"
ITSELF: Final = "litespan-self"

_TAG: Final = "litespan"
# Panels have numbers below it.
_FIRST_ROW: Final = 1000


class Page(NamedTuple):
    """A dashboard: ``rows`` are panels by the title of their row."""

    uid: str
    title: str
    description: str
    rows: Mapping[str, Sequence[Panel]]


def build(page: Page) -> Dashboard:
    """Return the dashboard for Grafana."""
    dashboard = (
        Dashboard(page.title)
        .uid(page.uid)
        .description(page.description)
        .tags([_TAG])
        .timezone("browser")
        .time("now-6h", "now")
        .refresh("1m")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(data_source())
        .link(_others())
    )
    for variable in ALL:
        dashboard = dashboard.with_variable(choice(variable))
    for number, (title, panels) in enumerate(page.rows.items(), _FIRST_ROW):
        dashboard = dashboard.with_row(Row(title).id(number))
        for panel in panels:
            dashboard = dashboard.with_panel(panel)
    return dashboard


def _others() -> DashboardLink:
    links = DashboardLink("litespan").type(DashboardLinkType.DASHBOARDS).tags([_TAG])
    return links.include_vars(True).keep_time(True)
