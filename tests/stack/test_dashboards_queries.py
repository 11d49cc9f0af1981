"""Prometheus understands the queries of the dashboards, and they count what they say."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.build import queries
from dashboards.build.names import series
from dashboards.build.promql import (
    change,
    filtered_alike,
    increase,
    or_zero,
    select,
    share,
    share_of_all,
    total,
)
from litespan import semconv
from tests.backends import binary
from tests.pages import blocks, page
from tests.stack.dashboard_files import UIDS, read

PAGE = page("dashboards")

# A sample a minute: of a process that goes on, one that ended long ago, one that lived for seconds, one that
# was silent for half an hour, and one that came back under its old instance id.
SERIES = {
    'm{service_instance_id="steady", kind="a"}': "10x60 10+5x120",
    'm{service_instance_id="gone", kind="a"}': "100x20",
    'm{service_instance_id="brief", kind="b"}': "_x170 7",
    'm{service_instance_id="silent", kind="b"}': "3x150 _x29 11",
    'm{service_instance_id="back", kind="c"}': "50x130 4+0x50",
}


def promtool(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the real promtool, without any feature flag."""
    command = [binary("promtool"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=50)


def understood(asked: list[queries.Query], folder: Path) -> str:
    """Return what promtool has to say against queries; each is a group of rules with the panel's name."""
    groups = [
        {
            "name": f"{query.panel} #{number}",
            "rules": [{"record": "x", "expr": queries.substitute(query.expr)}],
        }
        for number, query in enumerate(asked)
    ]
    (folder / "queries.yml").write_text(yaml.safe_dump({"groups": groups}), encoding="utf-8")
    done = promtool("check", "rules", "--lint=none", "queries.yml", folder=folder)
    return "" if done.returncode == 0 else done.stderr


def evaluated(expr: str, expected: dict[str, float], folder: Path, time: str = "3h") -> str:
    """Return what promtool has to say against an expression's values at a time."""
    samples = [{"labels": labels, "value": value} for labels, value in expected.items()]
    test: dict[str, Any] = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in SERIES.items()],
        "promql_expr_test": [{"expr": expr, "eval_time": time, "exp_samples": samples}],
    }
    (folder / "test.yml").write_text(yaml.safe_dump({"tests": [test]}), encoding="utf-8")
    done = promtool("test", "rules", "test.yml", folder=folder)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("name", UIDS)
def test_prometheus_understands_every_query(name: str, tmp_path: Path) -> None:
    """The queries parse without any experimental feature."""
    assert "" == understood(queries.of(read(name)), tmp_path)


def test_query_that_does_not_parse_is_named(tmp_path: Path) -> None:
    """A mistake in a query is found, with the title of its panel."""
    asked = [queries.Query("Calls", "sum(m{})"), queries.Query("Spend", "sum(m{}")]

    assert "Spend #1" in understood(asked, tmp_path)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("5m", {"a": 25.0, "b": 8.0, "c": 0.0}),
        ("1h", {"a": 300.0, "b": 15.0, "c": 4.0}),
        ("4h", {"a": 705.0, "b": 18.0, "c": 4.0}),
    ],
)
def test_increase_is_exact(window: str, expected: dict[str, float], tmp_path: Path) -> None:
    """Processes of every kind are counted to the unit; of one that came back, what it counted since."""
    samples = {f'{{kind="{kind}"}}': value for kind, value in expected.items()}

    assert "" == evaluated(total(increase("m{}", window), "kind"), samples, tmp_path)


@pytest.mark.parametrize(
    ("window", "time", "expected"), [("30m", "150m", 154), ("30m", "3h", 165), ("1h", "3h", 319)]
)
def test_increases_of_neighbours_add_up(window: str, time: str, expected: float, tmp_path: Path) -> None:
    """The bars of a curve add up to the total of its time."""
    assert "" == evaluated(total(increase("m{}", window)), {"{}": expected}, tmp_path, time)


def test_change_may_be_negative(tmp_path: Path) -> None:
    """What falls is taken as it is where sums may fall."""
    assert "" == evaluated(total(change('m{kind="c"}', "1h")), {"{}": -46.0}, tmp_path)


def test_zero_stands_only_where_something_was_seen(tmp_path: Path) -> None:
    """A count that nothing was counted in is zero if its witness was there, else it is not there."""
    nothing = total(increase("nothing{}", "1h"))

    assert "" == evaluated(or_zero(nothing, total(increase("m{}", "1h"))), {"{}": 0.0}, tmp_path)
    assert "" == evaluated(or_zero(nothing, total(increase("no{}", "1h"))), {}, tmp_path)


def test_shares(tmp_path: Path) -> None:
    """A share is a part by the whole; where the whole is zero there is none."""
    by_kind = total(increase("m{}", "5m"), "kind")

    assert "" == evaluated(share(by_kind, by_kind), {'{kind="a"}': 1.0, '{kind="b"}': 1.0}, tmp_path)
    assert "" == evaluated(
        share_of_all(by_kind, "vector(50)"),
        {'{kind="a"}': 0.5, '{kind="b"}': 0.16, '{kind="c"}': 0.0},
        tmp_path,
    )


def test_metrics_of_a_query_are_filtered_alike() -> None:
    """A variable that one metric of a query cannot follow reaches none of its metrics."""
    calls, requests = select(semconv.CALLS), select(semconv.CALL_ATTEMPTS)
    other = filtered_alike(f"{requests} / {calls}").split(" / ")[1]

    assert "$agent" in calls
    assert calls == filtered_alike(calls)
    assert requests.partition("{")[2] == other.partition("{")[2]


def test_substitute_fills_in_what_grafana_fills_in() -> None:
    """Windows and variables are replaced in both spellings; a variable that is not given has its All."""
    expr = 'm{a=~"$agent", b=~"${model}"}[$__range] [$__interval] [$__rate_interval] offset ${__range}'

    assert 'm{a=~".*", b=~"gpt.*"}[2h] [30s] [120s] offset 2h' == queries.substitute(
        expr, "2h", "30s", {"model": "gpt.*"}
    )


def test_durations_in_seconds() -> None:
    """Durations of PromQL are read with all their parts."""
    assert [90, 5400, 604800] == [queries.seconds(text) for text in ("90s", "1h30m", "1w")]


def test_page_shows_the_query_that_is_asked() -> None:
    """What the page says of exactness is what the dashboards ask."""
    assert [total(increase(series(semconv.COST), "1d")) + "\n"] == blocks(PAGE, "promql")


def test_page_lists_the_dashboards() -> None:
    """Every dashboard stands on the page, under its uid."""
    assert [] == [uid for uid in UIDS.values() if f"| `{uid}` |" not in PAGE]
