"""The dashboards are what their generator writes, in types that Grafana's SDK knows."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from dashboards.build import queries
from tests.stack.dashboard_files import FOLDER, UIDS

pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="Grafana's SDK needs Python 3.11")


def by_title(text: str) -> dict[str, Any]:
    """Return the panels of a dashboard by title."""
    return {panel["title"]: panel for panel in queries.panels(json.loads(text))}


@pytest.mark.parametrize("name", UIDS)
def test_generator_writes_the_shipped_file(name: str) -> None:
    """`make dashboards` changes nothing; where it would, the panels are named."""
    from dashboards.build.render import rendered

    shipped, written = (FOLDER / f"{name}.json").read_text(encoding="utf-8"), rendered()[f"{name}.json"]
    old, new = by_title(shipped), by_title(written)
    changed = sorted(title for title in old.keys() | new.keys() if old.get(title) != new.get(title))

    assert [] == changed
    assert shipped == written


@pytest.mark.parametrize("name", UIDS)
def test_shipped_file_has_only_what_the_types_know(name: str) -> None:
    """A way through the SDK's types and back loses nothing: a misspelt key would be dropped."""
    from dashboards.build.render import reread

    shipped = (FOLDER / f"{name}.json").read_text(encoding="utf-8")

    assert shipped == reread(shipped)


def test_misspelt_key_is_noticed() -> None:
    """A key that Grafana's types do not have does not come back."""
    from dashboards.build.render import reread

    shipped = (FOLDER / "litespan.json").read_text(encoding="utf-8")
    misspelt = shipped.replace('"refresh"', '"refersh"')

    assert misspelt != reread(misspelt)
