"""The queries of a dashboard, and how to run one of them without Grafana."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

_SECONDS: Final[Mapping[str, int]] = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_EVERYTHING: Final = ".*"
_NOTHING_CHOSEN: Final[Mapping[str, str]] = MappingProxyType({})


class Query(NamedTuple):
    """One query and the title of its panel."""

    panel: str
    expr: str


def panels(dashboard: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the panels of a dashboard (parsed JSON), those in rows as well, but not the rows."""
    for panel in dashboard["panels"]:
        yield from panels(panel) if panel["type"] == "row" else (panel,)


def of(dashboard: Mapping[str, Any]) -> list[Query]:
    """Return all queries of a dashboard (parsed JSON)."""
    return [
        Query(panel["title"], target["expr"])
        for panel in panels(dashboard)
        for target in panel.get("targets", ())
    ]


def substitute(
    expr: str, range: str = "1h", interval: str = "1m", variables: Mapping[str, str] = _NOTHING_CHOSEN
) -> str:
    """Return a query as Grafana sends it.

    ``range`` is the panel's time and ``interval`` one step, as PromQL writes durations. ``variables`` are
    regular expressions; a variable that is not among them has its "All".
    """
    builtin = {"__range": range, "__interval": interval, "__rate_interval": f"{4 * seconds(interval)}s"}

    def value(match: re.Match[str]) -> str:
        name = match["braced"] or match["plain"]
        return builtin.get(name) or variables.get(name, _EVERYTHING)

    return re.sub(r"\$(?:\{(?P<braced>\w+)\}|(?P<plain>\w+))", value, expr)


def seconds(duration: str) -> int:
    """Return the length of a PromQL duration such as ``90s`` or ``1h30m`` in seconds."""
    return sum(int(count) * _SECONDS[unit] for count, unit in re.findall(r"(\d+)([smhdw])", duration))
