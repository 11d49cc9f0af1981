"""The metrics emitter: measurements are taken when a record ends.

Metrics never depend on sampling: every record is counted. Histograms get its span for exemplars.
Attributes are an allow-list; a user, session, conversation or text is never among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.trace import SpanContext, get_current_span

from litespan.emit.call_measurements import CallMeasurements
from litespan.emit.extra_keys import ExtraKeys
from litespan.emit.instruments import Instruments
from litespan.emit.run_measurements import RunMeasurements
from litespan.emit.spans import SpanInContext
from litespan.records import (
    AgentRun,
    Guardrail,
    Handoff,
    ModelCall,
    Record,
    Run,
    Standing,
    ToolCall,
    Workflow,
)
from litespan.semconv import Generation


class MetricsEmitter:
    """Takes the measurements of calls, agents, tools and runs."""

    def __init__(
        self,
        instruments: Instruments,
        generation: Generation,
        standing: Callable[[ModelCall], Standing],
        extra_keys: ExtraKeys,
    ) -> None:
        self._calls = CallMeasurements(instruments, generation, standing, extra_keys)
        runs = RunMeasurements(instruments, extra_keys)
        self._takers: Mapping[type[Record], Callable[[Any, SpanContext], None]] = {
            ModelCall: self._calls.ended,
            AgentRun: runs.agent_ended,
            Workflow: runs.workflow_ended,
            Run: runs.run_ended,
            ToolCall: runs.tool_ended,
            Handoff: runs.handoff_ended,
            Guardrail: runs.guardrail_ended,
        }

    def began(self, record: Record) -> None:
        """Count a model call as in flight."""
        if isinstance(record, ModelCall):
            self._calls.began(record)

    def ended(self, record: Record) -> None:
        """Take everything that is measured of this record."""
        take = self._takers.get(type(record))
        if take is not None:
            handle = record.handle
            if isinstance(handle, SpanInContext):
                take(record, handle.span_context)
            else:
                take(record, get_current_span().get_span_context())

    def hears_began(self, kind: type[Record]) -> bool:
        """Say whether anything is measured when a record of this type begins."""
        return kind is ModelCall

    def hears_ended(self, kind: type[Record]) -> bool:
        """Say whether anything is measured when a record of this type ends."""
        return kind in self._takers
