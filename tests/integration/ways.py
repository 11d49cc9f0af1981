"""The ways by which a program's metrics come to a Prometheus, each to one of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml

from tests.fakes.ports import free_port
from tests.integration.programs import Program, run_demo
from tests.integration.servers.collector import Collector
from tests.integration.servers.hastened import PACE, hasten
from tests.integration.servers.prometheus import Prometheus
from tests.integration.servers.prometheus_api import PrometheusApi
from tests.integration.servers.server import DEPLOY, LOOPBACK, wait_for
from tests.pages import blocks, page

SHIPPED: Final = DEPLOY / "collector" / "collector.yaml"
SOON: Final = 120.0
"""Seconds that a program may take on a busy machine."""

RENAMED: Final = [
    {
        "source_labels": ["__name__"],
        "regex": "litespan_cost_total",
        "target_label": "__name__",
        "replacement": "litespan_spend_total",
    }
]
"""Gives a metric another name on its way."""

DROPPED: Final = [{"action": "labeldrop", "regex": "gen_ai_agent_name"}]
"""Takes a label off on the way."""

_LAST: Final = "litespan_records_open"


@dataclass(frozen=True)
class Ways:
    """A program that goes on, its report, that of a demo, and three Prometheus servers.

    ``pushed``: by OTLP through the Collector, all as shipped. ``scraped``: from the program itself.
    ``relayed``: by OTLP to the Collector, and scraped there.
    """

    folder: Path
    port: int
    report: Any
    demo: Any
    pushed: PrometheusApi
    scraped: PrometheusApi
    relayed: PrometheusApi


def scraping(folder: Path, port: int, relabel: Sequence[Mapping[str, Any]] = ()) -> Prometheus:
    """Return a Prometheus, not yet started, that also scrapes this port, and changes names on the way."""
    folder.mkdir(exist_ok=True)
    prometheus = Prometheus(folder, interval=PACE)
    written = prometheus.folder / "prometheus.yml"
    configuration = yaml.safe_load(written.read_text(encoding="utf-8"))
    job = {
        "job_name": "program",
        "static_configs": [{"targets": [f"{LOOPBACK}:{port}"]}],
        "metric_relabel_configs": [dict(rule) for rule in relabel],
    }
    configuration["scrape_configs"].append(job)
    written.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    return prometheus


@contextmanager
def all_ways(folder: Path, service: str) -> Iterator[Ways]:
    """Run the demo and the program to which everything happens, and wait until every Prometheus has it."""
    port, relay, report = free_port(), free_port(), folder / "everything.json"
    pushed = Prometheus(folder, interval=PACE)
    hasten(pushed)
    scraped = scraping(folder / "scraped", port)
    relayed = scraping(folder / "relayed", relay)
    extra = folder / "relay.yaml"
    extra.write_text(yaml.safe_dump(_and_serve(relay)), encoding="utf-8")
    collector = Collector(folder, f"{LOOPBACK}:1", pushed.url, (SHIPPED, extra))
    arguments = ("--otlp", collector.otlp, "--port", str(port), "--report", str(report))
    with ExitStack() as running:
        for server in (pushed, collector):
            running.enter_context(server)
        program = running.enter_context(Program("-m", "tests.integration.everything_program", *arguments))
        demo = run_demo(collector.otlp)
        wait_for(lambda: report.exists() or not program.running, "the program's report", SOON)
        assert program.running, program.output()
        for server in (scraped, relayed):
            running.enter_context(server)
        last = f'{_LAST}{{service_name="{service}"}}'
        for api in (pushed.api, scraped.api, relayed.api):
            wait_for(partial(api.query, last), f"the last metrics of {service}")
        told = json.loads(report.read_text(encoding="utf-8"))
        yield Ways(folder, port, told, demo, pushed.api, scraped.api, relayed.api)


def _and_serve(port: int) -> Mapping[str, Any]:
    """Return what the shipped configuration needs as well: the page's exporter, on this port."""
    shipped = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    exporters = shipped["service"]["pipelines"]["metrics"]["exporters"]
    shown_blocks = map(yaml.safe_load, blocks(page("prometheus"), "yaml"))
    (shown,) = (block["exporters"] for block in shown_blocks if "exporters" in block)
    return {
        "exporters": {"prometheus": {**shown["prometheus"], "endpoint": f"{LOOPBACK}:{port}"}},
        "service": {"pipelines": {"metrics": {"exporters": [*exporters, "prometheus"]}}},
    }
