"""The shipped dashboards, read from their files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from dashboards.build import queries

Dashboard = dict[str, Any]

FOLDER: Final = Path(__file__).parents[2] / "dashboards"
UIDS: Final[Mapping[str, str]] = {
    "tokens-and-cost": "litespan-cost",
    "latency-and-reliability": "litespan-latency",
    "agents-and-tools": "litespan-agents",
    "litespan": "litespan-self",
}
SELECTOR: Final = re.compile(r"(\w+)\{([^}]*)\}")


def read(name: str) -> Dashboard:
    """Return a dashboard by the name of its file."""
    parsed: Dashboard = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return parsed


def variables(dashboard: Dashboard) -> list[dict[str, Any]]:
    """Return the variables of a dashboard."""
    return list(dashboard["templating"]["list"])


def targets(dashboard: Dashboard) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
    """Yield each query as Grafana keeps it, behind its panel."""
    for panel in queries.panels(dashboard):
        for target in panel["targets"]:
            yield panel, target


def selectors(expr: str) -> list[tuple[str, str]]:
    """Return the metrics of a query, each with its conditions."""
    return SELECTOR.findall(expr)
