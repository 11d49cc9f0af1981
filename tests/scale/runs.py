"""Runs as spans: what real ones left, and which of them no sampling may drop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from litespan import semconv

Kind = Literal["ordinary", "failing", "dear", "slow"]


@dataclass(frozen=True)
class Limits:
    """From where on the gateways keep every run: USD, seconds. ``share`` of the rest is kept, from 0 to 1."""

    usd: float
    seconds: float
    share: float


@dataclass(frozen=True)
class Run:
    """The spans of one run, and what was sent around them."""

    resource: Resource
    scope: InstrumentationScope
    spans: Sequence[Span]

    @property
    def seconds(self) -> float:
        """The time from the first start to the last end."""
        begin = min(span.start_time_unix_nano for span in self.spans)
        return (max(span.end_time_unix_nano for span in self.spans) - begin) / 1e9

    @property
    def usd(self) -> float:
        """The cost of the run as its spans say it; 0 if they do not."""
        return max((_cost(span) for span in self.spans), default=0.0)

    @property
    def told_at_its_end(self) -> bool:
        """Whether nothing but the root span, which ends last, says what it cost."""
        return {bool(span.parent_span_id) for span in self.spans if _cost(span)} == {False}

    def kind(self, limits: Limits) -> Kind:
        """Say why the run must be kept; one reason is enough."""
        if any(span.status.code == Status.STATUS_CODE_ERROR for span in self.spans):
            return "failing"
        if self.usd > limits.usd:
            return "dear"
        return "slow" if self.seconds >= limits.seconds else "ordinary"


def read_runs(report: Path) -> Mapping[str, Run]:
    """Read what a program sent; return its runs by trace id."""
    request = ExportTraceServiceRequest.FromString(report.read_bytes())
    found: dict[str, list[Span]] = {}
    ((resource, scope),) = [
        (spans.resource, of_scope.scope) for spans in request.resource_spans for of_scope in spans.scope_spans
    ]
    for span in request.resource_spans[0].scope_spans[0].spans:
        found.setdefault(span.trace_id.hex(), []).append(span)
    return {trace_id: Run(resource, scope, spans) for trace_id, spans in found.items()}


def one_of_each(runs: Mapping[str, Run], limits: Limits) -> Mapping[Kind, Run]:
    """Return a run of each kind; the ordinary one is the quickest, far from the limit."""
    slowest_first = sorted(runs.values(), key=lambda run: -run.seconds)
    return {run.kind(limits): run for run in slowest_first}


def dear_at_its_end(run: Run) -> Run:
    """Return the run as if only its root span told of its cost: what it spent came last."""
    spans = [_without_cost(span) if span.parent_span_id else span for span in run.spans]
    return replace(run, spans=spans)


def _without_cost(span: Span) -> Span:
    plain = Span()
    plain.CopyFrom(span)
    del plain.attributes[:]
    plain.attributes.extend(pair for pair in span.attributes if pair.key != semconv.TOTAL_COST)
    return plain


def _cost(span: Span) -> float:
    costs = [pair.value.double_value for pair in span.attributes if pair.key == semconv.TOTAL_COST]
    return max(costs, default=0.0)
