"""The page of runbooks: what it tells to run, read and look at is there."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from litespan import records
from litespan.export import ledger
from tests.backends import binary
from tests.pages import blocks, page
from tests.stack.commands import check_rules
from tests.stack.promql_names import names
from tests.stack.rule_files import BUDGET, FOLDER, RECORDS

pytestmark = pytest.mark.timeout(120)

ROOT = FOLDER.parents[2]
PAGE = page("runbooks")
QUERIES = blocks(PAGE, "promql")


def panels_named() -> Iterator[tuple[str, str]]:
    """Yield each dashboard's uid and panel's title that the page sends its reader to."""
    for pieces in re.findall(r"`(litespan-\w+)`:((?:[^*`]*\*[^*]+\*)+)", PAGE):
        yield from ((pieces[0], title) for title in re.findall(r"\*([^*]+)\*", pieces[1]))


@pytest.mark.parametrize("command", "".join(blocks(PAGE, "sh")).splitlines())
def test_commands_run(command: str) -> None:
    """The commands of the page end well, run from the top of the project."""
    path = os.pathsep.join([os.path.dirname(binary("promtool")), os.environ["PATH"]])
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr


def test_table_of_budgets_is_valid(tmp_path: Path) -> None:
    """The budget shown on the page is a valid file of rules, with the name that the alerts read."""
    (block,) = blocks(PAGE, "yaml")
    table = tmp_path / "budgets.yml"
    table.write_text(block, encoding="utf-8")
    done = check_rules(table)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert [BUDGET] == [rule["record"] for rule in yaml.safe_load(block)["groups"][0]["rules"]]


def test_queries_read_what_is_recorded() -> None:
    """The queries of the page name recorded series."""
    assert set() == {metric for query in QUERIES for metric in names(query).metrics} - RECORDS.keys()


def test_every_reason_is_explained() -> None:
    """The page says what to do for each reason of lost telemetry and of missing usage."""
    reasons = {ledger.EXPORT_FAILED, *ledger._WHAT_TO_DO, *records.MISSING_REASONS}

    assert set() == reasons - set(re.findall(r"`(\w+)`", PAGE))


def test_panels_exist() -> None:
    """Each panel that the page names stands on the dashboard that it names."""
    files = [json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "dashboards").glob("*.json")]
    there = {(board["uid"], panel["title"]) for board in files for panel in board["panels"]}
    named = set(panels_named())

    assert set() == named - there
    assert {board["uid"] for board in files} == {uid for uid, _ in named}
