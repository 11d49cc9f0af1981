"""What the demo's agents send: measured by running them, kept in docs/scale-traffic.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tools.sizing.model import SpanSizes
from tools.sizing.points import ProcessMetrics, metrics_of
from tools.sizing.receiver import Receiver
from tools.sizing.spans import sizes_of, spans_of

FILE: Final = Path(__file__).resolve().parents[2] / "docs" / "scale-traffic.json"


@dataclass(frozen=True)
class Traffic:
    """What one process of agents sends.

    Attributes:
        runs: runs that were measured.
        spans: their spans.
        sizes: bytes of each span; `held` and `stored` are not known here.
        metrics: the process's metrics after these runs.
    """

    runs: int
    spans: int
    sizes: SpanSizes
    metrics: ProcessMetrics

    @property
    def spans_per_run(self) -> float:
        """Spans of a run, on average."""
        return self.spans / self.runs


def measure() -> Traffic:
    """Run the demo's agents on the fake provider, and look at what they send. A process can do so once.

    Raises:
        RuntimeError: if not everything was delivered.
    """
    from litespan.cli.desk.plan import Plan
    from litespan.cli.desk.session import observe

    with Receiver() as receiver:
        plan = Plan(otlp=receiver.url)
        if not observe(plan, lambda text: None).delivered:
            raise RuntimeError("The demo's telemetry was not delivered whole.")
    requests = receiver.traces
    spans = len(list(spans_of(requests)))
    return Traffic(plan.runs, spans, sizes_of(requests), metrics_of(receiver.metrics[-1]))


def read() -> Traffic:
    """Return what was measured last."""
    return from_json(FILE.read_text(encoding="utf-8"))


def from_json(text: str) -> Traffic:
    """Return what is written there."""
    content = json.loads(text)
    sizes, metrics = SpanSizes(**content.pop("sizes")), ProcessMetrics(**content.pop("metrics"))
    return Traffic(**content, sizes=sizes, metrics=metrics)


def write(traffic: Traffic) -> None:
    """Keep it."""
    rounded = {
        name: value if value is None else round(value, 1) for name, value in asdict(traffic.sizes).items()
    }
    FILE.write_text(json.dumps({**asdict(traffic), "sizes": rounded}, indent=2) + "\n", encoding="utf-8")
