"""The shipped rules in a real Prometheus, fed by a real program: they work, and their figures are right."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from litespan.semconv import USAGE_COST_AMOUNT
from tests.integration.load_program import SERVICE
from tests.integration.programs import load_program
from tests.integration.servers.hastened import hasten
from tests.integration.servers.prometheus import Prometheus
from tests.integration.servers.server import wait_for
from tests.stack.promql_names import names
from tests.stack.rule_files import ALERTS, RECORDS, SLOW

pytestmark = pytest.mark.timeout(400)

CALLS: Final = 150
SOON: Final = 60.0
"""Seconds within which rules at that pace have seen everything, on a busy machine."""

COST: Final = "service:litespan_cost:increase1h"
CALLS_ENDED: Final = "model:litespan_calls:increase15m"
MISSING: Final = "model:litespan_calls_usage_missing:increase1h"
# What does not happen in this program: litespan does not fail, and all calls have a price.
NEVER: Final = {"service:litespan_internal_errors:increase15m", "model:litespan_calls_unpriced:increase1h"}


@dataclass(frozen=True)
class Seen:
    """A Prometheus with rules, and the report of the program that sent its metrics to it."""

    prometheus: Prometheus
    report: Any

    def value(self, query: str) -> float:
        """Return the sum of what a query gives."""
        return self.prometheus.api.value(f"sum({query})")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """Run the mixed load, with its metrics pushed to Prometheus, which takes no spans: those are lost."""
    folder: Path = tmp_path_factory.mktemp("rules")
    prometheus = Prometheus(folder)
    hasten(prometheus)
    with prometheus:
        file = folder / "load.json"
        with load_program(f"{prometheus.url}/api/v1/otlp", file, CALLS) as program:
            program.output()
        seen = Seen(prometheus, json.loads(file.read_text(encoding="utf-8")))
        everything = "litespan_calls_total"
        wait_for(
            lambda: seen.value(CALLS_ENDED) == seen.value(everything) > 0, "all calls in the rules", SOON
        )
        yield seen


def test_every_rule_works(seen: Seen) -> None:
    """Prometheus works out every rule without an error."""
    answer = httpx.get(f"{seen.prometheus.url}/api/v1/rules", trust_env=False, timeout=30).raise_for_status()
    rules = [rule for group in answer.json()["data"]["groups"] for rule in group["rules"]]
    failing = [
        (rule["name"], rule["health"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"
    ]

    assert len(ALERTS) + len(RECORDS) == len(rules)
    assert [] == failing


@pytest.mark.parametrize("record", sorted(RECORDS.keys() - SLOW - NEVER))
def test_recorded_series_have_data(record: str, seen: Seen) -> None:
    """Each series that is recorded every minute has data of the run."""
    samples = wait_for(lambda: seen.prometheus.api.query(record), f"data of {record}", SOON)

    assert {SERVICE} == {sample.labels["service_name"] for sample in samples}


@pytest.mark.parametrize("record", sorted(SLOW))
def test_long_ranges_have_data(record: str, seen: Seen) -> None:
    """The sums of hours, days and weeks have data of the run, when they read every 10 seconds up to now."""
    expr = RECORDS[record].expr
    for part in names(expr).metrics & SLOW:
        expr = expr.replace(part, f"({RECORDS[part].expr})")
    often = re.sub(r":\d+m\]", ":10s]", expr).replace(" offset 1h", "")
    samples = wait_for(lambda: seen.prometheus.api.query(often), f"data of {often}", SOON)

    assert {SERVICE} == {sample.labels["service_name"] for sample in samples}


def test_figures_are_exact(seen: Seen) -> None:
    """Of a program of seconds, calls and missing usage are the ledger's, and money is that of its calls."""
    served = seen.report["models"].values()
    amounts = [span["attributes"].get(USAGE_COST_AMOUNT, 0) for span in seen.report["spans"]]

    assert sum(sum(model["outcomes"].values()) for model in served) == seen.value(CALLS_ENDED)
    assert sum(sum(model["missing"].values()) for model in served) == seen.value(MISSING)
    assert sum(amounts) == pytest.approx(seen.value(COST), rel=1e-9)


@pytest.mark.parametrize("alert", ["LitespanTelemetryDropped", "LitespanErrorRate", "LitespanUsageMissing"])
def test_alerts_see_what_happened(alert: str, seen: Seen) -> None:
    """Lost spans, failed calls and missing usage of the run are alerts, at once or after their time."""
    found = wait_for(lambda: seen.prometheus.api.query(f'ALERTS{{alertname="{alert}"}}'), alert, SOON)

    assert {SERVICE} == {sample.labels["service_name"] for sample in found}
