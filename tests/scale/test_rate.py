"""The highest rate that this machine holds, and whether the sizing is right about it.

`SCALE_SECONDS=600` measures for ten minutes; `SCALE_WRITE=1` writes docs/scale-measured.json.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import click
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans

from tests.scale.copies import copy_run
from tests.scale.measuring import Measured, measure
from tests.scale.programs import play_programs
from tests.scale.runs import Run
from tests.scale.servers.chain import LIMITS, running_chain
from tests.scale.templates import templates
from tools.sizing.model import Prediction, predict
from tools.sizing.spans import sizes_of

SECONDS: Final = float(os.environ.get("SCALE_SECONDS", "20"))
FILE: Final = Path(__file__).parents[2] / "docs" / "scale-measured.json"
NEAR: Final = 0.2
AFTER_ROOT: Final = 15.0 if SECONDS >= 120 else 1.0
"""Seconds that gateways wait after a run's end; the default, if there is time to fill their memory."""

pytestmark = pytest.mark.timeout(SECONDS * 1.5 + 200)


@dataclass(frozen=True)
class Rated:
    """What was measured, and what the sizing says of the same traffic."""

    measured: Measured
    predicted: Prediction


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Rated:
    """Run the chain as fast as it goes."""
    folder = tmp_path_factory.mktemp("rate")
    # Without `sync`: not the disk is to be measured, and storages other than Badger gather what they write.
    with running_chain(folder, AFTER_ROOT, sync=False) as chain:
        runs = templates(play_programs(chain.otlp, folder, LIMITS, ["program"])["program"])
        measured = measure(chain, runs, SECONDS)
    text = json.dumps(_rounded(asdict(measured)), indent=2) + "\n"
    click.echo(text)
    if os.environ.get("SCALE_WRITE"):
        FILE.write_text(text, encoding="utf-8")
    sizes = sizes_of([_request(runs)])
    rate, share = measured.rate_spans_per_second, measured.kept_share
    return Rated(measured, predict(rate, measured.seconds, sizes, kept=share))


def _rounded(figures: dict[str, Any]) -> Any:
    """Return the figures with four digits."""
    return json.loads(json.dumps(figures), parse_float=lambda text: float(f"{float(text):.4g}"))


def _request(runs: Sequence[Run]) -> ExportTraceServiceRequest:
    draw = Random(1)  # noqa: S311 - ids, not secrets
    spans = [span for run in runs for span in copy_run(run, draw, time.time_ns()).spans()]
    scope = ScopeSpans(scope=runs[0].scope, spans=spans)
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=runs[0].resource, scope_spans=[scope])]
    )


def test_it_holds_a_rate(rated: Rated) -> None:
    """The rate is one that the chain holds: thousands of spans a second, a part of which is kept."""
    assert rated.measured.rate_spans_per_second > 500
    assert 0.1 < rated.measured.kept_share < 0.4


def test_the_wire_is_as_predicted(rated: Rated) -> None:
    """What programs sent is as many bytes as the sizing works out."""
    sent = rated.measured.bytes_per_span_wire * rated.measured.spans

    assert rated.predicted.wire == pytest.approx(sent, rel=NEAR)


def test_kafka_is_as_predicted(rated: Rated) -> None:
    """The log of the topic is as many bytes as the sizing works out."""
    kept = rated.measured.spans * rated.measured.kept_share

    assert rated.predicted.kafka == pytest.approx(rated.measured.bytes_per_span_kafka * kept, rel=NEAR)
