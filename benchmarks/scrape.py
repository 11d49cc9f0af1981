"""``make bench-scrape``: what a scrape by Prometheus costs the program, up to the cap on attribute sets.

The program answers as its server does, compressed. It has more agents, models and tools from row to row; in
the last one there are so many that every metric has as many attribute sets as litespan lets it have.
"""

from __future__ import annotations

import gzip
import logging
import statistics
import time
from typing import Any, Final

import click
from prometheus_client import CollectorRegistry, make_wsgi_app

import litespan
from benchmarks.page import show
from litespan import _api
from litespan.recorder import Recorder
from litespan.records import AgentRun, Guardrail, Handoff, ModelCall, Record, Run, ToolCall, Usage, Workflow

# How many agents, each with a workflow, tools and so on of its own, over how many models.
TEAMS: Final = {
    "1 agent on 1 model": (1, 1),
    "50 agents over 10 models": (50, 10),
    "so many that every metric is full": (3_000, 100),
}
_REQUEST: Final = {
    "PATH_INFO": "/metrics",
    "QUERY_STRING": "",
    "REQUEST_METHOD": "GET",
    "HTTP_ACCEPT_ENCODING": "gzip",
}


def work(recorder: Recorder, number: int, models: int) -> None:
    """Write the records of one run, in which all names end with its number."""
    workflow = Workflow(trace_id=f"trace_{number}", name=f"flow {number}", workflow_name=f"flow {number}")
    recorder.begin_trace(workflow)
    run, agent = Run(name="run"), AgentRun(name=f"agent {number}")
    recorder.begin(run, workflow)
    recorder.begin(agent, run)
    call = ModelCall(
        operation="chat",
        provider="openai",
        litellm_provider="openai",
        model=f"model-{number % models}",
        price={"input": 1.0, "output": 2.0, "cache_read": 0.5},
        attempts=1,
        usage=Usage(120, 24, cache_read_tokens=40, cache_write_tokens=8, reasoning_tokens=4),
    )
    within: list[Record] = [call, ToolCall(name=f"tool {number}")]
    within += [Handoff(source="desk", target=f"agent {number}"), Guardrail(name=f"guardrail {number}")]
    for record in within:
        recorder.begin(record, agent)
        recorder.end(record)
    for scope in (agent, run, workflow):
        recorder.end(scope)


def scrape(app: Any) -> tuple[float, bytes]:
    """Return the seconds of CPU that a scrape takes, and the compressed answer."""
    began = time.process_time()
    body = b"".join(app(_REQUEST, lambda status, headers: None))
    return time.process_time() - began, body


def measured(app: Any, rounds: int) -> list[str]:
    """Return series, megabytes, compressed ones, milliseconds of CPU and their spread."""
    scrapes = [scrape(app) for _ in range(rounds)]
    low, middle, high = statistics.quantiles((seconds * 1e3 for seconds, _ in scrapes), n=4)
    body = scrapes[-1][1]
    text = gzip.decompress(body)
    series = sum(not line.startswith(b"#") for line in text.splitlines())
    sizes = (f"{len(text) / 1e6:,.2f}", f"{len(body) / 1e6:,.2f}")
    return [f"{series:,}", *sizes, f"{middle:,.0f}", f"{low:,.0f} to {high:,.0f}"]


@click.command()
@click.option("--rounds", default=9, show_default=True, help="Scrapes of each row.")
@click.option("--write", is_flag=True, help="Put the table into docs/performance.md.")
def main(rounds: int, *, write: bool) -> None:
    """Measure and print."""
    logging.getLogger("litespan").setLevel(logging.ERROR)  # each metric says once that it is full
    registry = CollectorRegistry()
    litespan.configure(traces_exporter="none", metrics_exporter="prometheus", prometheus_registry=registry)
    assert _api._installed is not None  # noqa: S101, SLF001 - it was set up in the line above
    app, rows = make_wsgi_app(registry), []
    for name, (agents, models) in TEAMS.items():
        for number in range(agents):
            work(_api._installed.recorder, number, models)  # noqa: SLF001
        rows.append([name, *measured(app, rounds)])
    head = ("one scrape", "series", "MB", "MB compressed", "CPU milliseconds", "middle half")
    show("scrape", head, rows, write=write)


if __name__ == "__main__":
    main()
