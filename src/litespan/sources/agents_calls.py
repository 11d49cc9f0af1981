"""The Agents SDK's model spans -> model calls. Whoever comes first opens the record of one.

For spans of the SDK's LiteLLM adapter that is the LiteLLM call. For every other model it is the span, and a
LiteLLM call that the program makes inside it tells the record the rest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from litespan import records
from litespan.position import Position
from litespan.providers import provider_name, split_model
from litespan.recorder import Recorder
from litespan.records import ModelCall, Record
from litespan.sources import agents_caller, agents_models, agents_outcome, span_facts
from litespan.sources import litellm_failures as failures
from litespan.sources.model_names import model_name


@dataclass(slots=True, eq=False, repr=False)
class _InSpan(Position):
    """In a model span of the SDK that nobody has claimed; ``data`` is what it holds."""

    data: Any = None

    def annotate(self, facts: Mapping[str, Any]) -> None:
        """Add facts to the span."""
        annotate(self.data, facts)


class ModelSpans:
    """Begins and ends the records of the SDK's model spans for one recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def begin(self, span: Any, parent: Record | None) -> None:
        """Begin the call of a span; that of the LiteLLM adapter waits for the call that it is for."""
        if agents_models.is_litellm(span.span_data):
            return
        caller = agents_caller.find()
        call = agents_models.begin(span.span_data, caller)
        call.trace_id, call.span_id = span.trace_id, span.span_id
        call.handling = agents_outcome.handled_now()
        self._recorder.begin(call, parent)
        if caller.known and not caller.streams and call.handle is not None:
            # For spans of HTTP clients. A stream yields to the program, where this would be wrong.
            call.attached = call.handle.attach()

    def end(self, span: Any, call: Record | None, parent_of: Callable[[Any], Record | None]) -> None:
        """End the call of a span; ``parent_of`` finds the parent of one that has no record yet."""
        if agents_models.is_litellm(span.span_data):
            if call is None and not self._recorder.suppressed():
                self._never_sent(span, parent_of(span))
            return
        if not isinstance(call, ModelCall):
            return
        data = span.span_data
        try:
            self._settle(call, span)
            agents_models.complete(call, data)
            if self._recorder.captures_content(allowed=allows_content(data, call)):
                agents_models.keep_content(call, data)
        finally:
            self._recorder.end(call)
        annotate(data, span_facts.of_call(call))

    def _settle(self, call: ModelCall, span: Any) -> None:
        agents_outcome.settle(call, span.error)
        error = sys.exc_info()[1]
        if call.outcome == records.ABANDONED and agents_models.arrived_whole(span.span_data):
            call.outcome = records.OK  # the program took the last event and did not ask for more
        elif call.outcome == records.ERROR and error is not None and id(error) != call.handling:
            cut = call.stream and failures.was_cut(error)
            call.failure = failures.failure_from(error, with_message=False, cut=cut)
            call.attempts = failures.attempts_from(error)
            if cut:
                call.outcome = records.INCOMPLETE

    def _never_sent(self, span: Any, parent: Record | None) -> None:
        """Write a LiteLLM generation that failed before any call as a failed call that was not sent.

        In a trace that is closed already nothing is known of the calls any more.
        """
        if self._recorder.table.trace(span.trace_id) is None:
            return
        name = model_name(span.span_data.model) or ""
        provider, model = split_model(name, name.split("/", 1)[:1], None)
        call = ModelCall(
            operation="chat",
            provider=provider_name(provider),
            model=model,
            trace_id=span.trace_id,
            span_id=span.span_id,
            sent=False,
            usage_elsewhere=True,
        )
        agents_outcome.settle(call, span.error)
        if call.failure is not None:
            self._recorder.begin(call, parent)
            self._recorder.end(call)

    def position(self, span: Any, call: Record | None, parent: Record | None) -> Position:
        """Say where a call made right now in a model span belongs: the first one is that generation."""
        data = span.span_data
        allows = allows_content(data, call)
        if not isinstance(call, ModelCall):
            return _InSpan(parent, span.trace_id, span.span_id, allows_content=allows, data=data)
        # The span of a stream that the program leaves unread stays the current one, also after its end. So of
        # streams of the SDK's models the stack is asked whether they are being read right now. A model of the
        # program's own may make its calls in other tasks. In a span of the LiteLLM adapter, which is no
        # `host_span`, nothing but its own call makes calls.
        runs = call.host_span and span.ended_at is None and (not call.stream or agents_caller.is_running())
        whole = call if runs else None
        return Position(call, span.trace_id, call=whole, beside=not runs, allows_content=allows)


def allows_content(data: Any, call: Record | None) -> bool:
    """Say whether the run allows content: as the model was told, else as its span shows."""
    told = call.host_allows_content if isinstance(call, ModelCall) else None
    return data.input is not None if told is None else told


def annotate(data: Any, facts: Mapping[str, Any]) -> None:
    """Add facts to a generation span; a response span has no place for them."""
    config = agents_models.config_of(data)
    if facts and isinstance(config, dict) and data.type == agents_models.GENERATION:
        config["litespan"] = dict(facts)
