"""From programs through a real Collector to a real Jaeger and a real Prometheus: all is there, and right."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import pytest

from tests.integration.load_program import SERVICE as LOAD
from tests.integration.programs import load_program, run_demo
from tests.integration.servers.jaeger_api import JaegerSpan
from tests.integration.servers.prometheus_api import PrometheusApi
from tests.integration.servers.server import wait_for
from tests.integration.servers.stack import ARRIVAL, Stack, running_stack

pytestmark = pytest.mark.timeout(600)

DEMO: Final = "litespan-demo"
CALLS: Final = 150
CENT: Final = 0.01
EXACT: Final = 1e-9
TOKENS: Final = {
    "input": "gen_ai_client_inference_usage_input_tokens_total",
    "cache_read": "gen_ai_client_inference_usage_cache_read_input_tokens_total",
    "cache_write": "gen_ai_client_inference_usage_cache_write_input_tokens_total",
    "output": "gen_ai_client_inference_usage_output_tokens_total",
    "reasoning": "gen_ai_client_inference_usage_reasoning_output_tokens_total",
}
# What Jaeger's view of generative AI reads, in the types that it reads it in.
VIEW: Final = {
    "gen_ai.operation.name": "string",
    "gen_ai.provider.name": "string",
    "gen_ai.agent.name": "string",
    "gen_ai.conversation.id": "string",
    "gen_ai.request.model": "string",
    "gen_ai.response.model": "string",
    "gen_ai.usage.input_tokens": "int64",
    "gen_ai.usage.output_tokens": "int64",
    "gen_ai.usage.cache_read.input_tokens": "int64",
    "gen_ai.usage.cache_creation.input_tokens": "int64",
    "gen_ai.usage.reasoning.output_tokens": "int64",
    "gen_ai.tool.name": "string",
    "gen_ai.tool.call.id": "string",
}


@dataclass(frozen=True)
class Sent:
    """What two programs said of themselves, and the stack that they sent it to."""

    stack: Stack
    demos: list[Any]
    load: Any

    @property
    def prometheus(self) -> PrometheusApi:
        """Prometheus' API."""
        return self.stack.prometheus.api

    def traces(self, service: str) -> dict[str, list[JaegerSpan]]:
        """Return what Jaeger has of a service."""
        return self.stack.jaeger.api.traces(service)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    """Run the demo twice, and the mixed load, and wait until everything has arrived.

    The second demo comes when all spans of the first are counted: rates need a series that grows.
    """
    folder = tmp_path_factory.mktemp("stack")
    with running_stack(folder) as stack:
        calls = f'sum(traces_span_metrics_calls_total{{service_name="{DEMO}"}})'
        with load_program(stack.otlp, folder / "load.json", CALLS) as program:
            first = run_demo(stack.otlp)
            stored = first["exported"]["traces"]
            stack.wait_for_total(calls, stored)
            second = run_demo(stack.otlp)
            program.output()
        load = json.loads((folder / "load.json").read_text(encoding="utf-8"))
        assert load["delivered"], load["stats"]
        assert not load["faults"]
        stack.wait_for_total(calls, 2 * stored)
        found = Sent(stack, [first, second], load)
        _wait_for_spans(found)
        yield found


def _wait_for_spans(sent: Sent) -> None:
    expected = {DEMO: sum(demo["exported"]["traces"] for demo in sent.demos), LOAD: len(sent.load["spans"])}

    def stored() -> dict[str, int]:
        return {service: sum(map(len, sent.traces(service).values())) for service in expected}

    wait_for(stored, f"spans in Jaeger, {expected}", ARRIVAL, lambda found: found == expected)


def test_every_tree_is_whole(sent: Sent) -> None:
    """Jaeger has every span that the program made, under its own name, trace and parent, and no other."""
    made = {(span["trace"], span["id"], span["parent"], span["name"]) for span in sent.load["spans"]}
    found = {
        (span.trace_id, span.span_id, span.parent_id, span.name)
        for spans in sent.traces(LOAD).values()
        for span in spans
    }

    assert made == found


def test_every_run_of_the_demo(sent: Sent) -> None:
    """Each run of the demo is one trace with one root, to which every span leads, and its calls and tools."""
    runs = {run["trace"]: run for demo in sent.demos for run in demo["runs"]}
    traces = sent.traces(DEMO)

    assert runs.keys() == traces.keys()
    for trace_id, spans in traces.items():
        ids = {span.span_id for span in spans}
        assert ["invoke_workflow"] == [_operation(span) for span in spans if span.parent_id is None]
        assert {span.parent_id for span in spans if span.parent_id} <= ids
        operations = Counter(map(_operation, spans))
        assert operations["chat"] == runs[trace_id]["usage"]["calls"]
        assert operations["execute_tool"] == runs[trace_id]["tool_calls"]


def test_what_the_view_of_generative_ai_reads(sent: Sent) -> None:
    """All attributes that the view reads are there, each with one type everywhere, which is the right one."""
    spans = [span for service in (DEMO, LOAD) for trace in sent.traces(service).values() for span in trace]
    types = {(key, kind) for span in spans for key, kind in span.types.items() if key in VIEW}

    assert set(VIEW.items()) == types


def test_operations_are_listed(sent: Sent) -> None:
    """Jaeger lists every name that a span of the program has."""
    assert {span["name"] for span in sent.load["spans"]} == sent.stack.jaeger.api.operations(LOAD)


def test_dear_runs_are_found(sent: Sent) -> None:
    """A search for a band of cost finds the runs whose cost lies in it, and no others."""
    bands: dict[str, set[str]] = {}
    for span in sent.load["spans"]:
        band = span["attributes"].get("litespan.cost.band")
        if band is not None:
            bands.setdefault(band, set()).add(span["trace"])

    assert len(bands) > 1
    for band, traces in bands.items():
        assert traces == sent.stack.jaeger.api.traces(LOAD, {"litespan.cost.band": band}).keys()
    for trace_id in bands["0.01-0.1"]:
        roots = [span for span in sent.stack.jaeger.api.trace(trace_id) if span.parent_id is None]
        assert all(CENT <= root.tags["litespan.total.cost"] < 10 * CENT for root in roots)


@pytest.mark.parametrize("kind", ["client", "internal"])
def test_the_monitor_tab(sent: Sent, kind: Literal["client", "internal"]) -> None:
    """Jaeger's Monitor tab has calls and latencies of model calls (CLIENT) and of agents (INTERNAL)."""
    monitor = sent.stack.jaeger.api.monitor

    assert max(wait_for(lambda: monitor("calls", DEMO, kind), "calls")) > 0
    assert max(wait_for(lambda: monitor("latencies", DEMO, kind, 0.95), "latencies")) > 0
    assert max(wait_for(lambda: monitor("errors", DEMO, kind), "errors")) > 0


def test_totals_are_the_ledgers(sent: Sent) -> None:
    """Tokens of every class, calls by outcome and cost of every model are what the provider's ledger has."""
    ledger = sent.load["models"]

    for token_class, metric in TOKENS.items():
        tokens = {model: figures["tokens"].get(token_class, 0) for model, figures in ledger.items()}
        _same(tokens, sent.prometheus, metric)
    for outcome in ("ok", "error", "incomplete", "cancelled", "abandoned"):
        calls = {model: figures["outcomes"].get(outcome, 0) for model, figures in ledger.items()}
        _same(calls, sent.prometheus, "litespan_calls_total", f'litespan_outcome="{outcome}"')
    for metric in ("litespan_cost_total", "gen_ai_client_operation_cost_sum"):
        _same({model: figures["usd"] for model, figures in ledger.items()}, sent.prometheus, metric)


def test_the_demos_totals(sent: Sent) -> None:
    """A program that lives for seconds and exports once is in the totals, with all tokens and its cost."""
    served = [demo["provider"]["served"] for demo in sent.demos]

    for key, metric in (
        ("input", "input"),
        ("output", "output"),
        ("cached", "cache_read"),
        ("reasoning",) * 2,
    ):
        expected = sum(tally[f"{key}_tokens"] for tally in served)
        assert expected == _total(sent.prometheus, TOKENS[metric], DEMO)
    expected = sum(demo["totals"]["cost"] for demo in sent.demos)
    assert abs(expected - _total(sent.prometheus, "litespan_cost_total", DEMO)) < EXACT


def test_from_a_bucket_to_a_trace(sent: Sent) -> None:
    """Exemplars of the buckets of durations name traces that Jaeger has, and model calls in them."""
    query = f'gen_ai_client_operation_duration_seconds_bucket{{service_name="{LOAD}"}}'
    exemplars = wait_for(lambda: sent.prometheus.exemplars(query), "exemplars")

    for exemplar in exemplars:
        spans = sent.stack.jaeger.api.trace(exemplar.labels["trace_id"])
        (call,) = (span for span in spans if span.span_id == exemplar.labels["span_id"])
        assert exemplar.series["gen_ai_request_model"] == call.tags["gen_ai.request.model"]
        assert exemplar.value <= float(exemplar.series["le"])


def _operation(span: JaegerSpan) -> str:
    return str(span.tags.get("gen_ai.operation.name"))


def _total(prometheus: PrometheusApi, metric: str, service: str) -> float:
    return prometheus.value(f'sum(last_over_time({metric}{{service_name="{service}"}}[1h]))')


def _same(ledger: Mapping[str, float], prometheus: PrometheusApi, metric: str, matchers: str = "") -> None:
    """Compare a metric with the ledger, model by model; a model that has none of it may have no series."""
    selector = f'{metric}{{service_name="{LOAD}",{matchers}}}'
    found = {
        sample.labels["gen_ai_request_model"]: sample.value
        for sample in prometheus.query(f"sum by (gen_ai_request_model) (last_over_time({selector}[1h]))")
    }
    off = {
        model: (expected, found.get(model, 0.0))
        for model, expected in ledger.items()
        if abs(expected - found.get(model, 0.0)) >= EXACT
    }

    assert not off, f"{selector}: the ledger's figure and Prometheus', by model: {off}"
    assert found.keys() <= ledger.keys()
    assert any(found.values())
