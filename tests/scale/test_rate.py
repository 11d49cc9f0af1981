"""The highest rate that this machine holds, and whether the sizing is right about it.

Two low rates tell what a span needs; from that `tools.sizing` works out what the machine holds, and what each
server needs then. `SCALE_SECONDS=600` holds the highest rate for ten minutes; `SCALE_WRITE=1` writes
docs/scale-measured.json.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import click
import psutil
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans

from tests.scale.copies import copy_run
from tests.scale.driver import Driver
from tests.scale.measuring import measure
from tests.scale.programs import play_programs
from tests.scale.runs import Run
from tests.scale.servers.chain import LIMITS, running_chain
from tests.scale.templates import templates
from tools.sizing import load
from tools.sizing.load import GATEWAYS, Measured
from tools.sizing.model import SpanSizes
from tools.sizing.spans import sizes_of

SECONDS: Final = float(os.environ.get("SCALE_SECONDS", "20"))
LONG: Final = SECONDS >= 120
"""Whether there is time for what grows slowly, and for figures of CPU and memory that mean something."""

AFTER_ROOT: Final = 15.0 if LONG else 1.0
"""Seconds that gateways wait after a run's end; the default, if there is time to fill their memory."""

LOW: Final = 1_000.0
MIDDLE: Final = 4_000.0
"""Spans a second."""

WARM_UP: Final = AFTER_ROOT + 10.0
LOW_SECONDS: Final = 60.0 if LONG else 8.0
MIDDLE_SECONDS: Final = 180.0 if LONG else 8.0
"""Seconds; Jaeger's storage begins to put its files together after some hundred MB."""

CLIMB: Final = 75.0 if LONG else 15.0
FIND: Final = 120.0 if LONG else 15.0
"""Seconds that it takes to come to the highest rate, and to see what it is."""

NEAR: Final = 0.2
"""How near the sizing must be."""

NEAR_IN_HASTE: Final = NEAR if LONG else 2.0
"""The same of rate, CPU and memory: in a few seconds Kafka's Java has not even compiled itself."""

pytestmark = pytest.mark.timeout(SECONDS + CLIMB + FIND + 3 * WARM_UP + LOW_SECONDS + MIDDLE_SECONDS + 300)


@dataclass(frozen=True)
class Rated:
    """What was measured, and the sizes that the sizing finds in the same runs."""

    measured: Measured
    sizes: SpanSizes

    def predicted_rate(self) -> float:
        """Return the rate that the sizing expects of this machine."""
        return self.measured.needs().highest_rate(self.measured.machine_cores)


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Rated:
    """Run the chain at two low rates, find the highest one, and hold that with a new chain."""
    folder, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    # Without `sync`: not the disk is to be measured, and storages other than Badger gather what they write.
    with running_chain(folder, AFTER_ROOT, sync=False) as chain:
        runs = templates(play_programs(chain.otlp, folder, LIMITS, ["program"])["program"])
        with Driver(chain.otlp, runs, LOW) as sending:
            low = measure(chain, sending, WARM_UP, LOW_SECONDS)
            sending.rate = MIDDLE
            middle = measure(chain, sending, WARM_UP, MIDDLE_SECONDS)
            found = measure(chain, sending, CLIMB, FIND, highest=True).spans_per_second
    with running_chain(second, AFTER_ROOT, sync=False) as chain, Driver(chain.otlp, runs, found) as sending:
        highest = measure(chain, sending, WARM_UP, SECONDS)
    measured = Measured(psutil.cpu_count() or 1, low, middle, highest)
    click.echo(measured)
    if os.environ.get("SCALE_WRITE"):
        load.write(measured)
    return Rated(measured, sizes_of([_request(runs)]))


def _request(runs: Sequence[Run]) -> ExportTraceServiceRequest:
    draw = Random(1)  # noqa: S311 - ids, not secrets
    spans = [span for run in runs for span in copy_run(run, draw, time.time_ns()).spans()]
    scope = ScopeSpans(scope=runs[0].scope, spans=spans)
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=runs[0].resource, scope_spans=[scope])]
    )


def test_it_holds_a_rate(rated: Rated) -> None:
    """The rate is one that the chain holds: thousands of spans a second, a part of which is kept."""
    assert rated.measured.highest.spans_per_second > LOW
    assert 0.1 < rated.measured.highest.kept_share < 0.4


def test_the_rate_is_as_predicted(rated: Rated) -> None:
    """The machine is full when the sizing says so."""
    seen = rated.measured.highest.spans_per_second

    assert rated.predicted_rate() == pytest.approx(seen, rel=NEAR_IN_HASTE)


def test_cpu_is_as_predicted(rated: Rated) -> None:
    """At that rate all processes together take as much CPU as the sizing works out."""
    highest = rated.measured.highest
    predicted = rated.measured.needs().all_cores(highest.spans_per_second)

    assert predicted == pytest.approx(sum(highest.cores.values()), rel=NEAR_IN_HASTE)


def test_memory_is_as_predicted(rated: Rated) -> None:
    """The gateways' memory, with all that waits for their decision, is as large as the sizing works out."""
    highest, needs = rated.measured.highest, rated.measured.needs()
    predicted = needs.of_gateways(highest.spans_per_second, highest.decided)

    assert predicted == pytest.approx(sum(highest.memory[name] for name in GATEWAYS), rel=NEAR_IN_HASTE)


def test_the_wire_is_as_predicted(rated: Rated) -> None:
    """What programs send is as many bytes as the sizing finds in their requests."""
    assert rated.sizes.plain == pytest.approx(rated.measured.highest.wire, rel=NEAR)


def test_kafka_is_as_predicted(rated: Rated) -> None:
    """The log of the topic grows by as many bytes as the sizing works out."""
    assert rated.sizes.kafka == pytest.approx(rated.measured.highest.kafka, rel=NEAR)
