"""A sender for volume: copies of real runs at a rate, in requests as OpenTelemetry's SDK makes them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from tests.integration.poster import Poster
from tests.integration.servers.server import wait_for
from tests.scale.copies import Copy, copy_run
from tests.scale.runs import Run

SERVICE: Final = "driver"

BATCH: Final = 512
"""Spans of a request, as the SDK's processor makes them under load."""


@dataclass(frozen=True)
class Sent:
    """A run that the Collector accepted: its first span after ``begin``, its last one before ``end``.

    Both are readings of `time.monotonic`, in seconds.
    """

    copy: Copy
    begin: float
    end: float


@dataclass(frozen=True)
class _Open:
    """A run of which all was accepted but the root, which has not ended yet."""

    copy: Copy
    begin: float
    root: Span


class Driver(Poster):
    """Sends until the block ends. Every run travels in two requests, the root in the second one.

    Of a run that was refused in part, or got no answer, nothing is claimed.

    Attributes:
        rate: spans a second, at most; may be changed at any time.
        go: cleared, it sends nothing.
        runs: the accepted runs by trace id.
        spans: spans of requests that were accepted.
        size: bytes of those requests.
    """

    def __init__(self, otlp: str, templates: Sequence[Run], rate: float, batch: int = BATCH) -> None:
        super().__init__(otlp, timeout=30.0)
        self.rate = rate
        self.runs: dict[str, Sent] = {}
        self.spans = 0
        self.size = 0
        self._draw = Random(1)  # noqa: S311 - ids, not secrets
        self._batch = batch
        self._templates = templates
        self._resource = _named(templates[0].resource)
        self._turn = 0

    def run(self) -> None:
        """Send requests at the rate: the roots of the runs before, and all else of new runs."""
        open_runs: list[_Open] = []
        due = time.monotonic()
        while not self._done.wait(due - time.monotonic()):
            new = [(copy, copy.spans()) for copy in self._new_copies()]
            begin = time.monotonic()
            roots = [run.root for run in open_runs]
            accepted = self._accepts([*roots, *(span for _, spans in new for span in spans[:-1])])
            self._claim(open_runs if accepted else [])
            open_runs = [_Open(copy, begin, spans[-1]) for copy, spans in new] if accepted else []
            # Who was late does not hurry afterwards: that would be another rate.
            due = max(due, time.monotonic() - 1.0) + self._batch / self.rate
        self._claim(open_runs if self._accepts([run.root for run in open_runs]) else [])

    def wait_for_more(self, count: int = 100) -> None:
        """Wait until so many further runs are accepted."""
        runs = len(self.runs) + count
        wait_for(lambda: len(self.runs) >= runs, "more was accepted")

    def wait_for_refusal(self) -> None:
        """Wait until a further request is refused."""
        refused = self.refused
        wait_for(lambda: self.refused > refused, "a refused request")

    def _new_copies(self) -> Iterator[Copy]:
        spans = 0
        while spans < self._batch:
            run = self._templates[self._turn % len(self._templates)]
            self._turn += 1
            spans += len(run.spans)
            yield copy_run(run, self._draw, time.time_ns())

    def _claim(self, ended: Sequence[_Open]) -> None:
        end = time.monotonic()
        self.runs.update({run.copy.trace_id.hex(): Sent(run.copy, run.begin, end) for run in ended})

    def _accepts(self, spans: Sequence[Span]) -> bool:
        scope = ScopeSpans(scope=self._templates[0].scope, spans=spans)
        message = ExportTraceServiceRequest(
            resource_spans=[ResourceSpans(resource=self._resource, scope_spans=[scope])]
        )
        content = message.SerializeToString()
        accepted = self._accepted("/v1/traces", content)
        self.spans += len(spans) if accepted else 0
        self.size += len(content) if accepted else 0
        return accepted


def _named(resource: Resource) -> Resource:
    named = Resource()
    named.CopyFrom(resource)
    for pair in named.attributes:
        if pair.key == "service.name":
            pair.value.string_value = SERVICE
    return named
