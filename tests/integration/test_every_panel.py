"""Every panel and rule on a real Prometheus that has what a program exported once: they show the truth."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from dashboards.build.not_shown import NOT_SHOWN
from litespan import semconv
from tests.fakes.ports import free_port
from tests.integration import panels
from tests.integration.everything import CLAUDE, LATENCIES, TIMED
from tests.integration.everything_program import SERVICE
from tests.integration.expected import FACTS, HAPPENED, NOT_EXPOSED, ZERO
from tests.integration.panels import Shown
from tests.integration.servers.prometheus_api import PrometheusApi
from tests.integration.servers.server import wait_for
from tests.integration.ways import DROPPED, RENAMED, Ways, all_ways, scraping
from tests.stack.emitted import SERIES, series_of
from tests.stack.rule_files import RECORDS, SLOW, sources

pytestmark = pytest.mark.timeout(400)

CENT: Final = 0.005
OF_IT: Final = {"service": SERVICE}
OF_THE_DEMO: Final = {"service": "litespan-demo"}


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    """Run the demo and everything, and bring the metrics to Prometheus on every way."""
    with all_ways(tmp_path_factory.mktemp("panels"), SERVICE) as found:
        yield found


def value(api: PrometheusApi, one: Shown, variables: dict[str, str]) -> float:
    """Return the sum of what a query gives for the last hour."""
    return sum(sample.value for sample in panels.at_the_end(api, one, variables))


def test_program_exported_once(ways: Ways) -> None:
    """Prometheus has one sample of the program: what panels show, they show of a single export."""
    (stored,) = ways.pushed.stored(f'litespan_records_open{{service_name="{SERVICE}"}}')

    assert 1 == len(stored.values)


def test_every_name_is_exposed(ways: Ways) -> None:
    """Every metric and every label that a panel or a rule asks for was exposed by the run."""
    seen = panels.exposed(ways.pushed, SERVICE)

    assert [] == panels.unknown_names(seen)
    assert [] == panels.unknown_names_of_rules(seen, NOT_EXPOSED)


def test_every_metric_was_emitted_and_is_shown(ways: Ways) -> None:
    """The run exposed each metric of the conventions' default generation, and each of them is on a panel."""
    seen = panels.exposed(ways.pushed, SERVICE).keys() & SERIES.keys()
    used = frozenset().union(*(sources(one.expr) for one in panels.ALL))
    emitted = {metric for metric in semconv.METRICS if seen & series_of(metric).keys()}
    unseen = {metric for metric in emitted if not used & series_of(metric).keys()}

    assert set(semconv.METRICS) == emitted
    assert unseen == emitted & NOT_SHOWN.keys()


def test_every_panel_shows_something(ways: Ways) -> None:
    """Every query of every panel gives figures, and zeros alone only where zero is the truth."""
    assert [] == panels.without_data(ways.pushed, OF_IT)
    assert ZERO.keys() == panels.only_zeros(ways.pushed, OF_IT)


def test_the_demo_fills_every_panel(ways: Ways) -> None:
    """After the demo alone, too, every query of every panel gives figures."""
    assert [] == panels.without_data(ways.pushed, OF_THE_DEMO)


def test_every_variable_offers_something(ways: Ways) -> None:
    """Every variable of every dashboard has values to choose from."""
    assert [] == panels.without_choices(ways.pushed)


@pytest.mark.parametrize("way", ["scraped", "relayed"])
def test_other_ways_show_the_same(way: str, ways: Ways) -> None:
    """Every query gives the same figures when Prometheus scrapes the program, or the Collector."""
    other: PrometheusApi = getattr(ways, way)
    by_labels = partial(panels.by_labels, variables=OF_IT)

    for one in panels.ALL:
        assert by_labels(ways.pushed, one) == pytest.approx(by_labels(other, one)), one.title


@pytest.mark.parametrize("panel", ["Spend today", "Spend this month", "Spend in the time shown"])
def test_spend_is_the_providers(panel: str, ways: Ways) -> None:
    """The big figures are the provider's bill, to the cent, of a program that exported once."""
    spend = panels.find(panel, "Spend")

    assert sum(ways.report["usd"].values()) == pytest.approx(value(ways.pushed, spend, OF_IT), abs=CENT)
    assert ways.demo["totals"]["cost"] == pytest.approx(value(ways.pushed, spend, OF_THE_DEMO), abs=CENT)


def test_run_rate_is_thirty_days(ways: Ways) -> None:
    """The run rate is thirty times what the provider billed in this day."""
    rate = value(ways.pushed, panels.find("Run rate: 30 days", "Spend"), OF_IT)

    assert 30 * sum(ways.report["usd"].values()) == pytest.approx(rate, abs=CENT)


BARS: Final = [one for one in panels.ALL if one.panel.startswith("Spend by ")]


@pytest.mark.parametrize("one", BARS, ids=[one.panel for one in BARS])
def test_bars_add_up_to_the_bill(one: Shown, ways: Ways) -> None:
    """The bars of all steps together are the provider's bill, to the cent, however it is split."""
    drawn = sum(sample.value for sample in panels.as_drawn(ways.pushed, one, OF_IT))

    assert sum(ways.report["usd"].values()) == pytest.approx(drawn, abs=CENT)


def test_every_model_has_its_bill(ways: Ways) -> None:
    """The table of the dearest models has the provider's bill of each model, to the cent."""
    spend = panels.at_the_end(ways.pushed, panels.find("Dearest models", "Spend"), OF_IT)
    found = {sample.labels["gen_ai_request_model"]: sample.value for sample in spend}

    assert ways.report["usd"] == pytest.approx(found, abs=CENT)


def test_variables_choose(ways: Ways) -> None:
    """With a model or a provider chosen, the spend is what the provider billed for that, to the cent."""
    spend = panels.find("Spend in the time shown", "Spend")
    bill = ways.report["usd"]
    found = {model: value(ways.pushed, spend, {**OF_IT, "model": model}) for model in bill}

    assert bill == pytest.approx(found, abs=CENT)
    assert bill[CLAUDE] == pytest.approx(
        value(ways.pushed, spend, {**OF_IT, "provider": "anthropic"}), abs=CENT
    )


def test_agents_have_the_whole_bill(ways: Ways) -> None:
    """The costs of the agents, with what belongs to none, are the provider's bill, to the cent."""
    cost = value(ways.pushed, panels.find("Agents", "Cost"), OF_IT)

    assert sum(ways.report["usd"].values()) == pytest.approx(cost, abs=CENT)


def test_savings_and_tokens_are_the_providers(ways: Ways) -> None:
    """What the cache saved and the tokens are the provider's figures."""
    saved = value(ways.pushed, panels.find("Saved by the cache", "Saved"), OF_IT)
    tokens = {
        name: value(ways.pushed, panels.find("Tokens in the time shown", name), OF_IT)
        for name in ("Input", "Output")
    }

    assert ways.report["saved_usd"] == pytest.approx(saved, abs=CENT)
    assert {"Input": ways.report["input_tokens"], "Output": ways.report["output_tokens"]} == tokens


@pytest.mark.parametrize(("panel", "name"), FACTS)
def test_counts_are_what_happened(panel: str, name: str, ways: Ways) -> None:
    """Calls, runs, tools, handoffs and guardrails are counted once each, by how they ended."""
    assert FACTS[panel, name] == value(ways.pushed, panels.find(panel, name), OF_IT)


@pytest.mark.parametrize("name", ["Internal errors", "Dropped", "Failed exports"])
def test_litespan_tells_of_its_own_troubles(name: str, ways: Ways) -> None:
    """What litespan lost and where it failed is on the panel as the program itself knows it."""
    told = ways.report["stats"]
    spans = told["export"]["traces"]
    known = {
        "Internal errors": told["internal_errors"],
        "Dropped": spans["dropped"],
        "Failed exports": spans["export_failures"],
    }
    figure = panels.find("Lost in the time shown", name)

    assert sum(known[name].values()) == value(ways.pushed, figure, OF_IT)


QUANTILES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


OF_A_MODEL: Final = "{{gen_ai_request_model}}"


@pytest.mark.parametrize("note", QUANTILES)
@pytest.mark.parametrize(
    ("panel", "name"),
    [
        ("Models", "Duration"),
        ("Models", "First chunk"),
        ("Duration of calls", OF_A_MODEL),
        ("Time to first chunk", OF_A_MODEL),
    ],
)
def test_quantiles_are_right_within_a_bucket(panel: str, name: str, note: str, ways: Ways) -> None:
    """Quantiles lie in the bucket of the latency that the provider had, or in the next one."""
    one = panels.find(panel, f"{name} {note}")
    known = sorted(LATENCIES)[math.ceil(QUANTILES[note] * len(LATENCIES)) - 1]
    (shown,) = panels.at_the_end(ways.pushed, one, {**OF_IT, "model": TIMED})
    buckets = semconv.OPERATION_DURATION.buckets

    assert 0 <= bisect_left(buckets, shown.value) - bisect_left(buckets, known) <= 1, (known, shown.value)


def test_every_rule_has_data(ways: Ways) -> None:
    """Every series that is recorded often has data of this run."""

    def recorded() -> set[str]:
        found = ways.pushed.series(f'{{__name__=~".+:.+:.+", service_name="{SERVICE}"}}')
        return {labels["__name__"] for labels in found}

    wait_for(lambda: recorded() >= RECORDS.keys() - SLOW, f"all of {sorted(RECORDS.keys() - SLOW)}")


@pytest.mark.parametrize("alert", HAPPENED)
def test_alerts_of_what_happened(alert: str, ways: Ways) -> None:
    """The alerts see the faults, the losses and the missing price of this run."""
    query = f'ALERTS{{alertname="{alert}", service_name="{SERVICE}"}}'

    assert wait_for(lambda: ways.pushed.query(query), alert)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (RENAMED, "Spend today / Spend: no metric litespan_cost_total"),
        (
            DROPPED,
            "Agents / Invocations: no label gen_ai_agent_name of gen_ai_invoke_agent_duration_seconds_count",
        ),
    ],
    ids=["metric renamed", "label dropped"],
)
def test_names_that_changed_are_found(
    change: list[dict[str, Any]], finding: str, ways: Ways, tmp_path: Path
) -> None:
    """When a metric has another name, or a label is gone, what is found names the panel."""
    changed = scraping(tmp_path, ways.port, change)
    with changed:
        wait_for(lambda: changed.api.value("litespan_records_open"), "a scrape")

        assert finding in panels.unknown_names(panels.exposed(changed.api, SERVICE))


def test_stopped_scrape_is_found(tmp_path: Path) -> None:
    """When nothing is scraped any more, every panel is found without data, by its title."""
    stopped = scraping(tmp_path, free_port())
    with stopped:
        found = panels.without_data(stopped.api, OF_IT)

    assert [f"{one.title}: no data" for one in panels.ALL] == found
