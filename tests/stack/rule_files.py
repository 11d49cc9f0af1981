"""The shipped rules and their promtool tests, read from their files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from tests.stack.emitted import SERIES
from tests.stack.promql_names import names

FOLDER: Final = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules"
TESTS: Final = sorted(path for path in (FOLDER / "tests").glob("*.yml") if path.stem != "budgets")
BUDGET: Final = "service:litespan_budget:30d"
_TEMPLATE_LABEL: Final = re.compile(r"\$labels\.(\w+)")


class Rule(NamedTuple):
    """One rule; ``alert`` or ``record`` is its name."""

    name: str
    alert: bool
    expr: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def shown(self) -> frozenset[str]:
        """The labels that the annotations show."""
        return frozenset(_TEMPLATE_LABEL.findall(" ".join(self.annotations.values())))


def read(path: Path) -> list[Rule]:
    """Return the rules of a file."""
    groups = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    return [_rule(rule) for group in groups for rule in group["rules"]]


def _rule(rule: Mapping[str, Any]) -> Rule:
    name = rule.get("alert") or rule["record"]
    return Rule(name, "alert" in rule, rule["expr"], rule.get("labels", {}), rule.get("annotations", {}))


RULES: Final = [rule for path in sorted(FOLDER.glob("*.yml")) for rule in read(path)]
ALERTS: Final = [rule for rule in RULES if rule.alert]
RECORDS: Final = {rule.name: rule for rule in RULES if not rule.alert}
# Sums of readings every 5 or 30 minutes: the tests beside the rules have that much time.
SLOW: Final = {name for name, rule in RECORDS.items() if ":5m]" in rule.expr or ":30m]" in rule.expr}


@cache
def sources(expr: str) -> frozenset[str]:
    """Return the metrics that an expression rests on, through all recorded series."""
    found: set[str] = set()
    for metric in names(expr).metrics:
        found |= sources(RECORDS[metric].expr) if metric in RECORDS else {metric}
    return frozenset(found)


def unknown_names(rule: Rule) -> set[str]:
    """Return the metrics and labels of a rule that nothing emits or records."""
    metrics = sources(rule.expr) - {BUDGET}
    emitted = [SERIES[metric] for metric in metrics if metric in SERIES]
    labels = names(rule.expr).labels | rule.shown
    return set(metrics - SERIES.keys()) | set(labels - frozenset().union(*emitted))


def cases(kind: str) -> Iterator[Mapping[str, Any]]:
    """Yield all promtool tests of a kind: ``alert_rule_test`` or ``promql_expr_test``."""
    for path in TESTS:
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            yield from test.get(kind, ())


def expects(case: Mapping[str, Any], alert: Rule) -> bool:
    """Say whether a test expects that this alert fires: its name alone may have several severities."""
    return any(alert.labels.items() <= fired["exp_labels"].items() for fired in case["exp_alerts"])
