"""The demo's support desk: a dozen runs that show what litespan sees, and figures that are the provider's."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Mapping, Sequence
from itertools import chain

import pytest
from opentelemetry.trace import format_trace_id
from rich.cells import cell_len
from rich.console import Console

import litespan
from litespan import semconv
from litespan.cli.desk.comparison import Comparison, compare
from litespan.cli.desk.plan import Plan
from litespan.cli.desk.report import Report
from litespan.cli.desk.script import Script
from litespan.cli.desk.session import Observation
from litespan.cli.desk.shift import work
from litespan.cli.desk.team import MODELS, build_team
from litespan.cli.desk.tickets import TICKETS
from litespan.cli.figures import RunFigures, figures_by_model, percentile, run_figures, traces
from litespan.export.tree_view import SpanRow
from litespan.testing import Capture, Provider, render_tree

RICHEST = """\
invoke_workflow Support desk litespan.outcome=ok
  invoke_agent Triage litespan.outcome=ok
    guardrail card_number litespan.outcome=ok
    chat gpt-4.1-mini litespan.outcome=ok
    handoff Triage -> Refunds litespan.outcome=ok
  invoke_agent Refunds litespan.outcome=ok
    chat gpt-4.1 litespan.outcome=ok
    execute_tool find_order litespan.outcome=ok
    execute_tool track_parcel litespan.outcome=error
    chat gpt-4.1 litespan.outcome=ok
    execute_tool track_parcel litespan.outcome=ok
    execute_tool ask_policy litespan.outcome=ok
      invoke_agent Policy litespan.outcome=ok
        chat o4-mini litespan.outcome=ok
    chat gpt-4.1 litespan.outcome=ok"""


class Day:
    """One day at the desk, as the demo runs it, and what was captured of it."""

    def __init__(self) -> None:
        with Provider() as provider, Capture() as capture:
            provider.respond = Script()
            models = {
                agent: litespan.LitellmModel(name, base_url=provider.base_url, api_key="none")
                for agent, name in MODELS.items()
            }
            asyncio.run(work(build_team(models), TICKETS, lambda: None))
            self.spans = capture.spans
            self.traces: Mapping[str, Sequence[SpanRow]] = traces(capture.spans)
            self.rows = list(chain.from_iterable(self.traces.values()))
            self.comparison = compare(provider, self.rows)
            self.without_a_call = compare(provider, [row for row in self.rows if row is not self.a_call()])

    def a_call(self) -> SpanRow:
        """Return a model call."""
        return next(row for row in self.rows if row.name == "chat o4-mini")

    def runs(self) -> dict[str | None, RunFigures]:
        """Return the figures of all runs by ticket."""
        figures = [run_figures(trace, rows) for trace, rows in self.traces.items()]
        return {run.conversation: run for run in figures if run is not None}

    def observation(
        self, comparison: Comparison | None = None, *, delivered: bool = True, plan: Plan | None = None
    ) -> Observation:
        """Return what the demo's report is made from."""
        export = {"traces": {"exported": len(self.spans)}, "metrics": {"exported": 7}}
        return Observation(plan or Plan(), self.traces, comparison or self.comparison, delivered, export)


@pytest.fixture(scope="module")
def day() -> Day:
    """Run the desk once."""
    return Day()


def text(observation: Observation, width: int) -> str:
    """Return the report as it is printed at that width."""
    file = io.StringIO()
    Report(observation).show(Console(file=file, width=width, highlight=False))
    return file.getvalue()


def test_every_ticket_is_one_run(day: Day) -> None:
    """Each ticket is one trace with its outcome: one run is blocked by the guardrail, one fails."""
    expected = {ticket.number: "ok" for ticket in TICKETS} | {"T-105": "blocked", "T-109": "error"}

    assert expected == {number: run.outcome for number, run in day.runs().items()}
    assert len(day.traces) == len(TICKETS) == 12


def test_richest_run(day: Day) -> None:
    """One run has it all: a handoff, a parallel pair of tools, one failing once, an agent used as a tool."""
    trace = day.runs()["T-101"].trace
    spans = [s for s in day.spans if s.context and format_trace_id(s.context.trace_id) == trace]

    assert render_tree(spans, [semconv.OUTCOME]) == RICHEST


def test_tools_of_the_pair_run_at_the_same_time(day: Day) -> None:
    """The second tool of the parallel pair begins before the first one ends."""
    rows = day.traces[day.runs()["T-101"].trace]
    first, second = [row for row in rows if row.name.startswith("execute_tool")][:2]

    assert first.end_ns is not None
    assert second.start_ns < first.end_ns


def test_three_models_with_their_figures(day: Day) -> None:
    """Three models are priced and timed; one of them reasons on cached tokens; streams have a first chunk."""
    models = {model.model: model for model in figures_by_model(day.rows)}
    reasoning = models["o4-mini"].usage

    assert sorted(models) == ["gpt-4.1", "gpt-4.1-mini", "o4-mini"]
    assert (reasoning.cached_tokens, reasoning.reasoning_tokens) == (3 * 1_536, 3 * 192)
    assert all(model.usage.cost and model.usage.unpriced == 0 for model in models.values())
    assert models["gpt-4.1"].first_chunk_p50_seconds is not None
    assert models["gpt-4.1"].usage.outcomes == {"ok": 17, "error": 1}


def test_retried_call_is_one_call(day: Day) -> None:
    """The call that met 429 is one call with two requests."""
    usage = day.runs()["T-107"].usage

    assert (3, 4, {"ok": 3}) == (usage.calls, usage.requests, usage.outcomes)


def test_figures_are_the_provider_s(day: Day) -> None:
    """Requests, answers and all token counts are those of the provider's memory."""
    assert day.comparison.same
    assert day.comparison.served.requests == 33
    assert day.comparison.served.cached_tokens == 4_608


def test_a_missing_call_is_seen(day: Day) -> None:
    """If the spans lack a call, the report says that the figures differ, shows both, and is not sound."""
    observation = day.observation(day.without_a_call)

    assert not Report(observation).sound
    assert "should be equal, and are not:\nlitespan recorded 32 requests" in text(observation, 80)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_report_fits(day: Day, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report fits the terminal, holds every run and model, and has no colour in a file."""
    # Where no `litespan` is on the path, the report names the program by what was started: pytest.
    monkeypatch.setattr("sys.argv", ["litespan"])
    report = text(day.observation(), width)

    assert [] == [line for line in report.splitlines() if cell_len(line) > width]
    assert all(ticket.number in report and ticket.title in report for ticket in TICKETS)
    assert all(model in report for model in ("gpt-4.1 ", "gpt-4.1-mini", "o4-mini"))
    assert "litespan recorded the same." in report
    assert "\x1b" not in report


def test_report_tells_unknown_from_zero(day: Day) -> None:
    """A run without a model call has no tokens and no cost, which is shown as unknown."""
    line = next(line for line in text(day.observation(), 200).splitlines() if line.startswith("T-105"))

    assert line.split()[4:12] == ["0", "0", "-", "-", "-", "-", "-", line.split()[11]]


def test_json_has_the_same_figures(day: Day) -> None:
    """The JSON document holds the figures of the text, with null for what is not known."""
    document = json.loads(Report(day.observation()).as_json())
    runs = {run["conversation"]: run for run in document["runs"]}

    assert document["totals"]["input_tokens"] == day.comparison.served.input_tokens
    assert document["provider"]["same"] is True
    assert runs["T-105"]["usage"]["cost"] is None
    assert runs["T-101"]["title"] == "refund of a lost parcel"


def test_undelivered_data_is_said(day: Day) -> None:
    """If something did not reach the receiver, the report says so and is not sound; secrets stay out."""
    plan = Plan(otlp="http://user:canary@127.0.0.1:4318?token=canary")
    observation = day.observation(delivered=False, plan=plan)

    assert not Report(observation).sound
    assert "Not everything was delivered" in text(observation, 80)
    assert "http://127.0.0.1:4318" in text(observation, 80)
    assert "canary" not in text(observation, 80) + Report(observation).as_json()


def test_real_model_is_not_asked_to_fail() -> None:
    """With a real model, the tickets that need a failing provider are left out."""
    assert {"T-107", "T-109"} == {t.number for t in TICKETS} - {t.number for t in Plan("openai/x").tickets}


@pytest.mark.parametrize(("share", "expected"), [(0.5, 2.0), (0.95, 4.0), (0.25, 1.0), (1.0, 4.0)])
def test_percentile(share: float, expected: float) -> None:
    """A percentile is one of the measured values: the nearest rank."""
    assert percentile([4.0, 1.0, 3.0, 2.0], share) == expected
    assert percentile([], share) is None
