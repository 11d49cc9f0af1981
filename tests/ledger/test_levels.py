"""By whom: tokens and cost of agents, workflows, models and providers, each call once on every level."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from agents import Agent, RunConfig
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from rich.console import Console

import litespan
from litespan.cli.figures import figures_by_model, run_figures, traces
from litespan.export.otlp_file import OtlpFileSpanExporter
from litespan.export.tree_view import TreeView, rows_from_spans
from litespan.testing import Capture, Provider, Reply, Request, ServedUsage, ToolCall
from tests.fakes import all_wires_provider
from tests.flow.running import run_to_end
from tests.flow.troubles import until_all_ended
from tests.ledger import observed, rates
from tests.ledger.figures import Book, Figures
from tests.ledger.mutations import OF_LEVELS
from tests.ledger.runs import look_up

FRONT, EXPERT, WRITER = "Front", "Expert", "Writer"
MODELS: Final = {
    FRONT: "openai/ledger-openai-a",
    EXPERT: "anthropic/claude-sonnet-4-5",
    WRITER: "gemini/gemini-2.5-flash",
}
PROVIDERS: Final = {FRONT: "openai", EXPERT: "anthropic", WRITER: "gcp.gemini"}
WORKFLOWS: Final = ("north", "south")
SCRIPT: Final[Mapping[str, Sequence[ToolCall | None]]] = {
    FRONT: [ToolCall("ask_expert", {"input": "{}"}), ToolCall("transfer_to_writer")],
    EXPERT: [ToolCall("look_up", {"word": "x"}), None],
    WRITER: [ToolCall("look_up", {"word": "x"}), None],
}
DIMENSIONS: Final = {
    "agent": "gen_ai.agent.name",
    "workflow": "gen_ai.workflow.name",
    "model": "gen_ai.request.model",
    "provider": "gen_ai.provider.name",
}


class Team:
    """Two runs of three agents on three providers: the expert is a tool, the writer gets a handoff."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._agent_of = {model.rpartition("/")[2]: agent for agent, model in MODELS.items()}
        self._turns: dict[tuple[str, str], int] = {}
        provider.respond = self._respond

    def _respond(self, request: Request) -> Reply:
        agent, workflow = self._of(request)
        turn = self._turns.get((agent, workflow), 0)
        self._turns[agent, workflow] = turn + 1
        call = SCRIPT[agent][turn]
        number = 1 + len(self._turns) * 7 + turn
        cached = 0 if agent == WRITER else 11 * number
        usage = ServedUsage(
            1000 * number + cached, 100 * number, cached, reasoning_tokens=10 * (agent == WRITER)
        )
        if call is None:
            return Reply.says("done", usage=usage)
        arguments = {"input": f"For {workflow}."} if call.name == "ask_expert" else call.arguments
        return Reply.calls(ToolCall(call.name, arguments), usage=usage)

    def _of(self, request: Request) -> tuple[str, str]:
        [workflow] = [name for name in WORKFLOWS if f"For {name}." in str(request.messages)]
        return self._agent_of[request.model], workflow

    async def run(self, workflow: str, *, stream: bool) -> None:
        """Run the team once."""
        expert, writer = self._agent(EXPERT, tools=[look_up]), self._agent(WRITER, tools=[look_up])
        front = self._agent(FRONT, tools=[expert.as_tool("ask_expert", "Ask.")], handoffs=[writer])
        config = RunConfig(workflow_name=workflow)
        await run_to_end(front, f"For {workflow}.", stream=stream, run_config=config)

    def _agent(self, name: str, **options: Any) -> Agent[None]:
        url = self.provider.url(MODELS[name].partition("/")[0])
        return Agent[None](
            name=name, model=litespan.LitellmModel(MODELS[name], base_url=url, api_key="k"), **options
        )

    def ledger(self, dimension: str) -> Book:
        """Add up what the provider delivered."""
        book = Book()
        for served in self.provider.served:
            agent, workflow = self._of(served.request)
            names = {
                "agent": agent,
                "workflow": workflow,
                "model": served.model,
                "provider": PROVIDERS[agent],
            }
            assert served.usage_delivered is not None
            book[names[dimension]].add_usage(served.usage_delivered)
            book[names[dimension]].usd += rates.cost(served.model, served.usage_delivered)
            book[names[dimension]].outcomes["ok"] += 1
        return book


class Played:
    """What is left of the two runs."""

    def __init__(self, team: Team, capture: Capture, path: str) -> None:
        self.team = team
        self.capture = capture
        self.summary = observed.summary_of(path, *DIMENSIONS)


async def play(path: str, check: Callable[[Played], None]) -> None:
    """Run the team twice, streamed and not, and check what it leaves."""
    with all_wires_provider() as provider, rates.registered(*MODELS.values()), Capture() as capture:
        capture.tracer_provider.add_span_processor(SimpleSpanProcessor(OtlpFileSpanExporter(path)))
        team = Team(provider)
        for number, workflow in enumerate(WORKFLOWS):
            await team.run(workflow, stream=bool(number))
        await until_all_ended()
        check(Played(team, capture, path))


def check_all(played: Played) -> None:
    """Hold every level against the ledger."""
    assert 12 == len(played.team.provider.served)
    for dimension, key in DIMENSIONS.items():
        expected = played.team.ledger(dimension)
        assert_same(
            expected, observed.of_points(observed.points_of(played.capture), key), f"metrics by {dimension}"
        )
        assert_same(expected, observed.of_spans(played.capture.spans, key), f"spans by {dimension}")
        assert_same(expected, observed.of_summary(played.summary, dimension), f"summary by {dimension}")
    check_totals(played)
    check_tables(played)


def assert_same(expected: Book, found: Book, what: str) -> None:
    """Check that two books are the same."""
    assert expected.keys() == found.keys(), what
    for name in expected:
        assert [] == list(expected[name].differences(found[name])), f"{what}: {name}"


def check_totals(played: Played) -> None:
    """Check the totals: an agent's are its own calls, the root's are all of its run."""
    for operation, dimension in (("invoke_agent", "agent"), ("invoke_workflow", "workflow")):
        book = Book()
        for attributes in (span.attributes or {} for span in played.capture.named(f"{operation} ")):
            book[str(attributes[DIMENSIONS[dimension]])].add(_totals(attributes))
        expected = played.team.ledger(dimension)
        for name, figures in expected.items():
            found = book[name]
            for token_class in ("input", "output", "cache_read", "reasoning"):
                assert figures.tokens[token_class] == found.tokens[token_class], f"{operation} {name}"
            assert (figures.usd, figures.calls) == (found.usd, found.calls), f"{operation} {name}"
        assert expected.keys() == book.keys()


def _totals(attributes: Any) -> Figures:
    figures = Figures(usd=Decimal(attributes["litespan.total.cost"]))
    figures.outcomes["ok"] = attributes["litespan.total.model_calls"]
    for token_class in ("input", "output", "cache_read", "reasoning"):
        figures.tokens[token_class] = attributes[f"litespan.total.{token_class}_tokens"]
    return figures


def check_tables(played: Played) -> None:
    """Check what people read: the tree of the console, and the tables of the demo."""
    by_workflow, by_model = played.team.ledger("workflow"), played.team.ledger("model")
    for trace, rows in traces(played.capture.spans).items():
        run = run_figures(trace, rows)
        assert run is not None
        [root] = [row for row in rows if row.parent_id is None]
        expected = by_workflow[str(root.attributes["gen_ai.workflow.name"])]
        assert (expected.calls, expected.tokens["input"]) == (run.usage.calls, run.usage.input_tokens)
        assert (expected.usd, expected.tokens["output"]) == (
            Decimal(run.usage.cost or 0),
            run.usage.output_tokens,
        )
        for model in figures_by_model(rows):
            assert model.usage.calls == 2
    rows = [row for found in traces(played.capture.spans).values() for row in found]
    for model in figures_by_model(rows):
        expected = by_model[model.model]
        assert (expected.usd, expected.tokens["input"]) == (
            Decimal(model.usage.cost or 0),
            model.usage.input_tokens,
        )
    printed = [*_printed(played.capture)]
    for workflow, figures in by_workflow.items():
        [line] = [line for line in printed if f"invoke_workflow {workflow}" in line]
        assert f"{figures.tokens['input']:,}" in line
        assert f"{figures.tokens['output']:,}" in line


def _printed(capture: Capture) -> Iterator[str]:
    text = io.StringIO()
    Console(file=text, width=200).print(TreeView(rows_from_spans(capture.spans)))
    return iter(text.getvalue().splitlines())


async def test_each_call_is_counted_once_on_every_level(tmp_path: Path) -> None:
    """Counters, spans, totals, tables and summary agree with the provider, by whomever calls are told."""
    await play(str(tmp_path / "traces.jsonl"), check_all)


@pytest.mark.parametrize("mutation", OF_LEVELS, ids=lambda mutation: mutation.name)
async def test_counting_for_callers_too_is_noticed(
    mutation: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the calls of an agent that is a tool count for its caller as well, the levels do not add up."""
    mutation.apply(monkeypatch)

    with pytest.raises(AssertionError, match="invoke_agent Front"):
        await play(str(tmp_path / "traces.jsonl"), check_all)
