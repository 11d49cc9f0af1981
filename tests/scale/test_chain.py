"""Agents, two gateways, Kafka and Jaeger: what is kept is whole, and what matters is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import eq
from typing import Final

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.integration.servers.jaeger_api import JaegerSpan
from tests.integration.servers.server import wait_for
from tests.integration.servers.stack import ARRIVAL
from tests.scale import driver
from tests.scale.binomial import interval
from tests.scale.driver import Driver
from tests.scale.programs import play_programs
from tests.scale.runs import Kind, Run
from tests.scale.servers.chain import LIMITS, Chain, running_chain
from tests.scale.stored import differences, resource_tags, typed_tags
from tests.scale.templates import templates

RUNS: Final = 2_000
SPANS_PER_SECOND: Final = 4_000
PROGRAMS: Final = ("first-program", "second-program")
CONFIDENCE: Final = 0.999

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Traffic:
    """What was sent, by trace id, and what Jaeger has of it when all has come through.

    ``programs`` are the runs of the real programs, by service; they are in ``sent``, too.
    """

    chain: Chain
    sent: Mapping[str, Sequence[Span]]
    kinds: Mapping[str, Kind]
    programs: Mapping[str, Mapping[str, Run]]
    stored: Mapping[str, Sequence[JaegerSpan]]

    def of_kind(self, kind: Kind) -> set[str]:
        """Return the trace ids of one kind."""
        return {trace_id for trace_id, found in self.kinds.items() if found == kind}


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traffic]:
    """Have real programs and the driver send all that they have, and wait until it is decided and stored."""
    folder = tmp_path_factory.mktemp("chain")
    with running_chain(folder) as chain:
        programs = play_programs(chain.otlp, folder, LIMITS, PROGRAMS, content=PROGRAMS[:1])
        runs = {trace_id: run for runs in programs.values() for trace_id, run in runs.items()}
        with Driver(chain.otlp, templates(runs), SPANS_PER_SECOND) as sending:
            wait_for(lambda: len(sending.runs) >= RUNS, "all was sent", ARRIVAL)
        assert not sending.refused
        sent = {trace_id: run.spans for trace_id, run in runs.items()}
        kinds = {trace_id: run.kind(LIMITS) for trace_id, run in runs.items()}
        for trace_id, copied in sending.runs.items():
            sent[trace_id] = copied.copy.spans()
            kinds[trace_id] = copied.copy.run.kind(LIMITS)
        wait_for(partial(chain.arrived, sum(map(len, sent.values()))), "all has come through", ARRIVAL)
        stored: dict[str, Sequence[JaegerSpan]] = {}
        for service in (driver.SERVICE, *PROGRAMS):
            stored.update(chain.jaeger.api.traces(service))
        yield Traffic(chain, sent, kinds, programs, stored)


def test_no_trace_is_split(traffic: Traffic) -> None:
    """Both gateways got traces, and together no more than were sent: none was at both."""
    seen = [gateway.traces_seen() for gateway in traffic.chain.gateways]

    assert min(seen) > len(traffic.sent) / 4
    assert len(traffic.sent) == sum(seen)


@pytest.mark.parametrize("kind", ["failing", "dear", "slow"])
def test_what_matters_is_kept(traffic: Traffic, kind: Kind) -> None:
    """Every run that failed, was dear or was slow is in Jaeger."""
    matters = traffic.of_kind(kind)

    assert len(matters) > RUNS / 25
    assert set() == matters - traffic.stored.keys()


def test_a_share_of_the_rest_is_kept(traffic: Traffic) -> None:
    """Of all other runs as many are kept as chance allows for the share that was set."""
    rest = traffic.of_kind("ordinary")
    kept = rest & traffic.stored.keys()

    assert len(kept) in interval(len(rest), LIMITS.share, CONFIDENCE)


def test_what_is_kept_is_as_it_was_sent(traffic: Traffic) -> None:
    """Every kept run has all its spans, and each of them all its attributes, with their types."""
    assert traffic.stored.keys() <= traffic.sent.keys()
    wrong = [
        line
        for trace_id, stored in traffic.stored.items()
        for line in differences(traffic.sent[trace_id], stored)
    ]

    assert [] == wrong[:10]


def test_who_sent_it_is_kept(traffic: Traffic) -> None:
    """A kept run has the attributes of its program, its resource, with their types."""
    for service in PROGRAMS:
        trace_id = next(iter(traffic.of_kind("failing") & traffic.programs[service].keys()))
        sent = typed_tags(traffic.programs[service][trace_id].resource.attributes)

        assert sent == {
            **resource_tags(traffic.chain.jaeger.url, trace_id),
            "service.name": ("string", service),
        }


def test_metrics_are_not_sampled(traffic: Traffic) -> None:
    """Each program's own metrics tell of all its calls, also of those whose spans were dropped."""
    for service, runs in traffic.programs.items():
        calls = sum(span.name.startswith("chat ") for run in runs.values() for span in run.spans)
        query = f'sum(litespan_calls_total{{service_name="{service}"}})'
        wait_for(partial(traffic.chain.metrics.api.value, query), query, ARRIVAL, partial(eq, calls))


def test_the_monitor_tab_counts_all_spans(traffic: Traffic) -> None:
    """What the gateways count together is every span that was sent, each once, before any is dropped."""
    query = "sum(traces_span_metrics_calls_total)"
    sent = sum(map(len, traffic.sent.values()))
    wait_for(partial(traffic.chain.metrics.api.value, query), query, ARRIVAL, partial(eq, sent))
