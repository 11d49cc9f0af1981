"""The dashboards as JSON, by the names of their files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.build import agents_and_tools, latency_and_reliability, litespan_itself, tokens_and_cost
from dashboards.build.house import build

FOLDER: Final = Path(__file__).parents[1]
_PAGES: Final = {
    "tokens-and-cost.json": tokens_and_cost.page,
    "latency-and-reliability.json": latency_and_reliability.page,
    "agents-and-tools.json": agents_and_tools.page,
    "litespan.json": litespan_itself.page,
}


def rendered() -> dict[str, str]:
    """Return the text of each file."""
    return {name: encoded(build(page()).build()) for name, page in _PAGES.items()}


def encoded(dashboard: Dashboard) -> str:
    """Return a dashboard as JSON that looks the same every time."""
    text: str = JSONEncoder(sort_keys=True, indent=2).encode(dashboard)
    return text + "\n"


def reread(text: str) -> str:
    """Return a dashboard's JSON after a way through the SDK's types, which drop what they do not know."""
    register_default_plugins()
    return encoded(Dashboard.from_json(json.loads(text)))
