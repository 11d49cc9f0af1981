"""The rules: Prometheus takes them, they do what they say, and they ask for what litespan emits."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.backends import binary
from tests.stack.emitted import SERIES
from tests.stack.promql_names import Names, names
from tests.stack.rule_files import (
    ALERTS,
    BUDGET,
    FOLDER,
    RECORDS,
    RULES,
    TESTS,
    Rule,
    cases,
    expects,
    read,
    sources,
    unknown_names,
)

pytestmark = pytest.mark.timeout(300)

RUNBOOKS = FOLDER.parents[2] / "docs" / "runbooks.md"
MONEY = {name for name in SERIES if "cost" in name and "run_cost" not in name}
CURRENCY = "gen_ai_usage_cost_currency"


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the real promtool, without any feature flag."""
    return subprocess.run(
        [binary("promtool"), *map(str, arguments)], capture_output=True, text=True, check=False, timeout=280
    )


def shown(rule: Rule) -> str:
    """Return the name of a rule for the list of tests."""
    return ".".join([rule.name, *map(str, rule.labels.values())])


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yml")), ids=lambda path: path.stem)
def test_prometheus_takes_the_rules(path: Path) -> None:
    """Each file is valid for a Prometheus without experimental features, and nothing in it is suspicious."""
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", path)

    assert 0 == done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_rules_do_what_they_say(path: Path) -> None:
    """Recorded figures and alerts are what the tests beside the rules expect."""
    done = promtool("test", "rules", path)

    assert 0 == done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_order_of_groups_is_said(path: Path) -> None:
    """Each test file says in which order all groups are worked out; promtool's own order is by chance."""
    files = [*FOLDER.glob("*.yml")]
    groups = {group["name"] for file in files for group in yaml.safe_load(file.read_text())["groups"]}

    assert sorted(groups) == sorted(yaml.safe_load(path.read_text())["group_eval_order"])


@pytest.mark.parametrize("rule", RULES, ids=shown)
def test_names_are_emitted(rule: Rule) -> None:
    """Every metric and label that a rule names or shows is one that litespan emits."""
    assert set() == unknown_names(rule)


def test_series_of_tests_are_emitted() -> None:
    """The tests feed the rules with series that litespan emits, or that a rule records."""
    series = [
        names(line["series"])
        for path in TESTS
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
        for line in test["input_series"]
    ]
    wrong = [
        one
        for one in series
        if not one.metrics <= RECORDS.keys() and not one.matched <= _labels_of(one.metrics)
    ]

    assert [] == wrong


def _labels_of(metrics: frozenset[str]) -> frozenset[str]:
    (metric,) = metrics
    return SERIES.get(metric, frozenset())


@pytest.mark.parametrize("rule", ALERTS, ids=shown)
def test_alert_says_what_to_do(rule: Rule) -> None:
    """An alert has a severity, a summary, a description with a figure, and a section of the runbooks."""
    page, _, anchor = rule.annotations["runbook_url"].partition("#")
    headings = re.findall(r"^## (\w+)$", RUNBOOKS.read_text(encoding="utf-8"), re.MULTILINE)

    assert rule.labels["severity"] in {"critical", "warning"}
    assert {"summary", "description", "runbook_url"} == rule.annotations.keys()
    assert re.search(r"\d", rule.annotations["description"])
    assert ("docs/runbooks.md", rule.name.lower()) == (page, anchor)
    assert rule.name in headings


def test_runbooks_are_of_alerts() -> None:
    """The page of runbooks tells of every alert once and of nothing else, in the order of the rules."""
    headings = re.findall(r"^## (\w+)$", RUNBOOKS.read_text(encoding="utf-8"), re.MULTILINE)

    assert list(dict.fromkeys(rule.name for rule in ALERTS)) == headings


@pytest.mark.parametrize("rule", ALERTS, ids=shown)
def test_alert_is_tested_both_ways(rule: Rule) -> None:
    """One test expects that the alert fires with its severity, and another one that it does not."""
    fires = [expects(case, rule) for case in cases("alert_rule_test") if case["alertname"] == rule.name]

    assert {True, False} == set(fires)


@pytest.mark.parametrize("record", RECORDS)
def test_record_is_tested(record: str) -> None:
    """A test expects figures of each recorded series."""
    tested = [
        record in names(case["expr"]).metrics and case["exp_samples"] for case in cases("promql_expr_test")
    ]

    assert any(tested)


@pytest.mark.parametrize("record", RECORDS)
def test_record_is_used(record: str) -> None:
    """Each recorded series is read by another rule, so none is worked out for nothing."""
    assert record in {metric for rule in RULES for metric in names(rule.expr).metrics}


@pytest.mark.parametrize("rule", RULES, ids=shown)
def test_one_money_in_one_currency(rule: Rule) -> None:
    """Money is summed from one metric, and every sum and join of it keeps currencies apart."""
    money = sources(rule.expr) & MONEY
    groupings = re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", rule.expr) if money else []

    assert len(money) <= 1
    assert [] == [grouping for grouping in groupings if CURRENCY not in grouping]


@pytest.mark.parametrize("rule", RULES, ids=shown)
def test_no_bucket_is_matched_by_text(rule: Rule) -> None:
    """No rule asks for a bucket's bound by its text, or for a job: they differ between the ways in."""
    assert not names(rule.expr).matched & {"le", "job", "instance"}


def test_budgets_ship_empty() -> None:
    """No budget is set by default; the example in the table, put in place, is a table of two."""
    text = (FOLDER / "budgets.yml").read_text(encoding="utf-8")
    example = "\n".join(re.findall(r"^    #\s+- (\{.*\})$", text, re.MULTILINE))
    rows = [yaml.safe_load(row) for row in example.splitlines()]

    assert [] == read(FOLDER / "budgets.yml")
    assert [BUDGET, BUDGET] == [row["record"] for row in rows]
    assert {"service_name", "deployment_environment_name", CURRENCY} == {
        label for row in rows for label in row["labels"]
    }


def test_names_are_found() -> None:
    """The reader of expressions tells metrics, labels, functions, keywords and texts apart."""
    expr = (
        'sum by (a, b) (rate(m_total{c=~"x|y(z)", d!="e"}[5m] offset 1h)) / on (f) group_left (g) n:o:p > 1e3'
        " and (last_over_time(q[1d:5m]) unless r)"
    )

    assert Names(frozenset({"m_total", "n:o:p", "q", "r"}), frozenset("abfg"), frozenset("cd")) == names(expr)


def test_a_renamed_metric_is_noticed() -> None:
    """A metric that nothing emits, a label that it lacks and one that a text shows are named."""
    rule = Rule(
        "x", True, "sum by (place) (litespan_cost_usd_total)", {}, {"summary": "{{ $labels.colour }}"}
    )
    other = rule._replace(expr="sum by (place) (litespan_calls_total)")

    assert {"litespan_cost_usd_total", "place", "colour"} == unknown_names(rule)
    assert {"place", "colour"} == unknown_names(other)
