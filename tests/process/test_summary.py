"""`litespan summary` over what litespan's file exporter wrote of real runs: the provider's own figures."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import pty
import subprocess
import sys
import threading
from math import fsum
from pathlib import Path
from typing import Any

import pytest

from litespan import semconv
from litespan.testing import Provider, Reply, Request, ServedUsage
from litespan.testing import ToolCall as Tool
from tests.fakes import all_wires_provider
from tests.flow.figures import Tokens, of_provider

pytestmark = pytest.mark.timeout(240)

LITESPAN = [sys.executable, "-c", "from litespan.cli import main; main(prog_name='litespan')"]

# Agents that stream and do not, two wires, a handoff, a tool, failures, cuts, calls without agents.
PROGRAM = """
import asyncio, sys
import litellm, litespan
from agents import Agent, RunConfig, Runner, function_tool
from openai import OpenAIError

openai, anthropic, generation = sys.argv[1:]
litellm.suppress_debug_info = True
litespan.configure(
    service_name="shop",
    semconv=generation,
    traces_exporter="litespan_file",
    metrics_exporter="litespan_file",
    metric_interval=3600,
    file_max_bytes=20_000,
    file_backups=99,
    prices={"openai/priced": {"input": 1.0, "cache_read": 0.1, "output": 10.0, "reasoning": 12.0}},
)

@function_tool
def look_up(order: int) -> str:
    litespan.flush(10)  # so that the spans of a run stand in several lines and files
    return f"order {order} is on its way"

def on_openai(name):
    return litespan.LitellmModel(f"openai/{name}", base_url=openai, api_key="k")

claude = litespan.LitellmModel("anthropic/claude-sonnet-4-5", base_url=anthropic, api_key="k")
expert = Agent(name="Expert", model=claude, tools=[look_up])
desk = Agent(name="Desk", model=on_openai("priced"), tools=[look_up], handoffs=[expert])
private = Agent(name="Private", model=on_openai("private"))

async def run(agent, user, stream):
    with litespan.using(user=user):
        config = RunConfig(workflow_name="Support")
        if not stream:
            return await Runner.run(agent, "hi", run_config=config)
        streamed = Runner.run_streamed(agent, "hi", run_config=config)
        async for _ in streamed.stream_events():
            pass

def plain(name):
    return {"model": f"openai/{name}", "messages": [{"role": "user", "content": "hi"}],
            "api_base": openai, "api_key": "k", "max_retries": 0}

async def main():
    for number in range(6):
        await run(desk, f"user-{number % 3}", number % 2)
    await run(private, "user-0", False)
    await litellm.acompletion(**plain("priced"))
    await litellm.aembedding("openai/embedder", input=["hi"], api_base=openai, api_key="k")
    await litellm.acompletion(**plain("priced"), mock_response="made up")
    for name in ("refused", "broken"):
        try:
            await litellm.acompletion(**plain(name))
        except OpenAIError:
            pass
    stream = await litellm.acompletion(**plain("cut"), stream=True)
    try:
        async for _ in stream:
            pass
    except OpenAIError:
        pass
    await litellm.acompletion(**plain("silent"))

asyncio.run(main())
assert litespan.shutdown(30)
"""


class Answers:
    """What the provider says: each answer has a usage of its own, so that a call that is lost shows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given = 0

    def __call__(self, request: Request) -> Reply:
        """Answer a request."""
        with self._lock:
            self._given += 1
            number = self._given
        usage = ServedUsage(1000 + number, 100 + 3 * number, 300 + number, reasoning_tokens=20 + number)
        if request.model.startswith("claude"):
            usage = ServedUsage(1000 + number, 200, 400, cache_write_tokens=50 + number)
        return self._reply(request).but(usage=None if request.model == "silent" else usage)

    def _reply(self, request: Request) -> Reply:
        if request.model == "refused":
            return Reply.fails(429, code="rate_limit_exceeded")
        if request.model == "broken":
            return Reply(raw_body=b"no JSON")
        if request.model == "cut":
            return Reply.says("one two three four", pieces=4, cut_after=2)
        if request.model == "priced" and request.tools:
            told = any(message["role"] == "tool" for message in request.messages)
            return Reply.calls(Tool("transfer_to_expert") if told else Tool("look_up", {"order": 7}))
        return Reply.says("Done.")


class Written:
    """What one program made: the provider that it asked, and the files that it left."""

    def __init__(self, folder: Path, generation: str) -> None:
        self.folder = folder
        self.provider = all_wires_provider()
        self.provider.respond = Answers()
        self.provider.start()
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                PROGRAM,
                self.provider.url("openai"),
                self.provider.url("anthropic"),
                generation,
            ],
            cwd=folder,
            env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self) -> Written:
        """Wait for the program's end."""
        _, errors = self._process.communicate(timeout=200)
        self.provider.stop()
        assert self._process.returncode == 0, errors
        return self

    @property
    def traces(self) -> list[str]:
        """The files of spans, the rotated ones among them."""
        return sorted(path.name for path in self.folder.glob("litespan-traces.jsonl*"))

    def summary(self, *arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        """Run `litespan summary` beside the files."""
        return subprocess.run(
            [*LITESPAN, "summary", *arguments],
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            check=False,
            timeout=100,
        )

    def document(self, *arguments: str, stdin: bytes | None = None) -> dict[str, Any]:
        """Return the JSON of a summary that read everything."""
        done = self.summary(*arguments, "--json", stdin=stdin)
        assert (0, b"") == (done.returncode, done.stderr)
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def metric(self, name: str, attribute: str | None = None) -> dict[str | None, float]:
        """Return the sums of a counter in the last export, by an attribute."""
        last = (self.folder / "litespan-metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1]
        sums: dict[str | None, list[float]] = {}
        for resource in json.loads(last)["resourceMetrics"]:
            for scope in resource["scopeMetrics"]:
                for metric in scope["metrics"]:
                    for point in metric["sum"]["dataPoints"] if metric["name"] == name else ():
                        said = {a["key"]: a["value"].get("stringValue") for a in point["attributes"]}
                        value = float(point.get("asDouble", point.get("asInt", 0)))
                        sums.setdefault(said.get(attribute or ""), []).append(value)
        return {key: fsum(values) for key, values in sums.items()}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Written]:
    """Run the program once in each generation of the conventions, side by side."""
    started = {name: Written(tmp_path_factory.mktemp(name), name) for name in semconv.GENERATIONS}
    return {name: written.finish() for name, written in started.items()}


@pytest.fixture(params=semconv.GENERATIONS)
def written(request: pytest.FixtureRequest, programs: dict[str, Written]) -> Written:
    """Return what the program wrote in one generation."""
    generation: str = request.param
    return programs[generation]


@pytest.fixture
def gen1(programs: dict[str, Written]) -> Written:
    """Return what it wrote under the names of v1.41."""
    return programs["gen1"]


def tokens_of(sums: dict[str, Any]) -> Tokens:
    """Return the tokens of sums by class."""
    return Tokens(**{name: sums[f"{name}_tokens"] for name in Tokens._fields})


def delivered(provider: Provider) -> Tokens:
    """Return what the provider delivered."""
    return of_provider(provider.delivered())


# -- the figures -------------------------------------------------------------------------------------------
def test_totals_are_the_providers(written: Written) -> None:
    """In every class of tokens the sum is what the provider delivered, over all rotated files."""
    document = written.document(*written.traces)

    assert len(written.traces) > 2
    assert delivered(written.provider) == tokens_of(document["totals"])
    assert document["totals"]["cache_write_tokens"] > 0


def test_calls_and_cost_are_those_of_the_metrics(written: Written) -> None:
    """Calls by outcome, cost, calls without usage by reason and without price equal the counters."""
    totals = written.document(*written.traces)["totals"]

    assert written.metric("litespan.calls", "litespan.outcome") == totals["outcomes"]
    assert pytest.approx(fsum(written.metric("litespan.cost").values()), abs=1e-12) == totals["cost"]
    assert written.metric("litespan.calls.usage_missing", "reason") == totals["usage_missing_reasons"]
    assert fsum(written.metric("litespan.calls.unpriced").values()) == totals["unpriced"] > 0
    assert {"ok": 23, "error": 2, "incomplete": 1} == totals["outcomes"]


def test_every_grouping_adds_up(written: Written) -> None:
    """Each dimension holds all calls once, with the cost by model and agent that the metrics have."""
    document = written.document(*written.traces)

    for by in document["by"].values():
        assert by["other"] is None
        assert document["totals"]["calls"] == sum(group["calls"] for group in by["groups"])
    for by, attribute in (("model", semconv.REQUEST_MODEL), ("agent", semconv.AGENT_NAME)):
        costs = {g["name"]: g["cost"] for g in document["by"][by]["groups"] if g["cost"]}
        assert pytest.approx(written.metric("litespan.cost", attribute)) == costs
    users = {group["name"]: group["calls"] for group in document["by"]["user"]["groups"]}
    assert {"user-0": 7, "user-1": 6, "user-2": 6, None: 7} == users


def test_runs_are_put_together_over_files(written: Written) -> None:
    """A run has its name and the cost that its root tells, though its spans lie in several files."""
    document = written.document(*written.traces)
    dearest = document["dearest_runs"]

    roots = roots_of(written)
    support = [run for run in dearest if run["name"] == "Support"]
    assert 6 == len(support)
    for run in support:
        assert pytest.approx(roots[run["trace_id"]]) == run["cost"]
        assert (3, "ok") == (run["calls"], run["outcome"])
    assert [run["cost"] for run in dearest] == sorted((run["cost"] for run in dearest), reverse=True)


def roots_of(written: Written) -> dict[str, float | None]:
    """Return the cost on the root of each run, by its trace id."""
    return {
        span["traceId"]: attribute["value"]["doubleValue"]
        for path in written.traces
        for line in (written.folder / path).read_text(encoding="utf-8").splitlines()
        for scope in json.loads(line)["resourceSpans"][0]["scopeSpans"]
        for span in scope["spans"]
        if span["name"].startswith("invoke_workflow")
        for attribute in span["attributes"]
        if attribute["key"] == semconv.TOTAL_COST
    }


# -- the ways in -------------------------------------------------------------------------------------------
def test_compressed_and_piped_files_say_the_same(gen1: Written) -> None:
    """Plain files, gzip and standard input give the same figures; a file named twice is read once."""
    content = b"".join((gen1.folder / path).read_bytes() for path in gen1.traces)
    (gen1.folder / "packed.gz").write_bytes(gzip.compress(content))
    totals = gen1.document(*gen1.traces)["totals"]

    assert totals == gen1.document("packed.gz", "packed.gz")["totals"]
    assert totals == gen1.document("-", stdin=content)["totals"]
    assert totals == gen1.document("-", stdin=gzip.compress(content))["totals"]


def test_metrics_are_skipped_silently(gen1: Written) -> None:
    """Lines of metrics among the spans change nothing and are no fault."""
    totals = gen1.document(*gen1.traces)["totals"]

    metrics = sorted(path.name for path in gen1.folder.glob("litespan-metrics.jsonl*"))

    assert totals == gen1.document(*gen1.traces, *metrics)["totals"]


def test_rotated_file_that_was_forgotten_is_named(gen1: Written) -> None:
    """Who names the newest file only is told that there is another one."""
    done = gen1.summary("litespan-traces.jsonl")

    assert (0, True) == (done.returncode, b"Not read: litespan-traces.jsonl.1" in done.stderr)


def test_broken_line_is_told_and_left_out(gen1: Written) -> None:
    """A broken line is reported with file and number; the rest counts, and the exit code is 1."""
    content = b"".join((gen1.folder / path).read_bytes() for path in gen1.traces)
    whole = content.splitlines(keepends=True)
    (gen1.folder / "broken.jsonl").write_bytes(b"".join([whole[0], whole[1][:99] + b"\n", *whole[1:]]))
    done = gen1.summary("broken.jsonl", "--json")

    assert 1 == done.returncode
    assert done.stderr.startswith(b"broken.jsonl:2: not JSON")
    assert gen1.document(*gen1.traces)["totals"] == json.loads(done.stdout)["totals"]


def test_since_in_the_future_leaves_nothing(gen1: Written) -> None:
    """A time that is still to come leaves no call, no cost and no run; one that is past leaves all."""
    empty = gen1.document(*gen1.traces, "--since", "2999-01-01")

    assert (0, None, []) == (empty["totals"]["calls"], empty["totals"]["cost"], empty["dearest_runs"])
    assert 26 == gen1.document(*gen1.traces, "--since", "1h")["totals"]["calls"]


# -- the ways out ------------------------------------------------------------------------------------------
def test_csv_is_read_by_a_program(gen1: Written) -> None:
    """The CSV has the total and one line a group, with the figures of the JSON."""
    done = gen1.summary(*gen1.traces, "--csv", "--by", "model,agent", "--by", "day")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    totals = gen1.document(*gen1.traces)["totals"]

    assert {"total", "model", "agent", "day"} == {row["by"] for row in rows}
    assert totals["cost"] == float(rows[0]["cost_usd"])
    assert totals["input_tokens"] == int(rows[0]["input_tokens"])
    unknown = next(row for row in rows if row["name"] == "private")
    assert ("", "1") == (unknown["cost_usd"], unknown["unpriced"])


def test_terminal(gen1: Written) -> None:
    """Without an option there are tables for readers, in 80 columns where nobody says how wide it is."""
    done = gen1.summary(*gen1.traces, "--top", "2", "--verbose")
    text = done.stdout.decode()

    assert 0 == done.returncode
    for title in ("By model", "By agent", "By user", "By day", "Dearest runs", "Slowest runs", "unpriced"):
        assert title in text
    assert "6 more" in text
    assert max(map(len, text.splitlines())) <= 80
    assert b"MB/s" in done.stderr


def test_bar_where_somebody_looks(gen1: Written) -> None:
    """On a terminal, standard error has a bar while files are read; elsewhere it is silent (see above)."""
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [*LITESPAN, "summary", *gen1.traces, "--json"],
        cwd=gen1.folder,
        env={**os.environ, "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=end,
    )
    os.close(end)
    output, _ = process.communicate(timeout=100)
    shown = os.read(terminal, 1_000_000).decode()
    os.close(terminal)

    assert (0, 26) == (process.returncode, json.loads(output)["totals"]["calls"])
    assert "Reading" in shown


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nothing.jsonl"], "does not exist"),
        ([], "Missing argument"),
        (["."], "is a directory"),
        (["litespan-traces.jsonl", "--by", "model,colour"], "'colour' is none of model, agent"),
        (["litespan-traces.jsonl", "--since", "soon"], "7d, 24h"),
        (["litespan-traces.jsonl", "--top", "0"], "--top"),
        (["litespan-traces.jsonl", "--json", "--csv"], "exclude each other"),
    ],
)
def test_wrong_use(gen1: Written, arguments: list[str], problem: str) -> None:
    """What cannot be done is refused before anything is read, with exit code 2."""
    done = gen1.summary(*arguments)

    assert (2, b"") == (done.returncode, done.stdout)
    assert problem in done.stderr.decode()
