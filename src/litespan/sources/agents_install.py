"""Putting litespan's processor among those of the Agents SDK, and taking it out again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from agents import set_trace_processors, set_tracing_disabled
from agents.tracing import TracingProcessor, add_trace_processor, get_current_span, get_trace_provider
from agents.tracing.processors import default_processor

from litespan.guard import guarded
from litespan.labels import as_name
from litespan.recorder import Recorder
from litespan.records import ToolCall
from litespan.sources.agents_processor import AgentsProcessor
from litespan.sources.others import Place, Sight
from litespan.sources.patching import Patches

logger = logging.getLogger("litespan")


def registered() -> tuple[TracingProcessor, ...] | None:
    """Return the SDK's processors, or ``None`` where they cannot be read.

    The SDK has no getter, so this is private access (tried with openai-agents 0.24.0). It can go when there
    is one.
    """
    processors = getattr(getattr(get_trace_provider(), "_multi_processor", None), "_processors", None)
    return processors if isinstance(processors, tuple) else None


class AgentsSource:
    """Watches the Agents SDK for one recorder."""

    def __init__(self, recorder: Recorder, processor: AgentsProcessor) -> None:
        self._recorder = recorder
        self._processor = processor
        self._patches = Patches()
        self._dropped: TracingProcessor | None = None

    def install(self, *, keep_openai_exporter: bool) -> None:
        """Put the processor first, so that others see spans complete, and drop the exporter to OpenAI."""
        others = registered()
        if others is None:
            add_trace_processor(self._processor)
        else:
            kept = [p for p in others if p is not self._processor]
            exporter = default_processor()
            if not keep_openai_exporter and exporter in kept:
                kept.remove(exporter)
                self._dropped = exporter
                logger.info(
                    "litespan has removed the Agents SDK's exporter to OpenAI, so that prompts do not leave "
                    "for a third party unasked. openai_traces=True keeps it."
                )
            set_trace_processors([self._processor, *kept])
        self._recorder.locate = self._processor.locate
        if self._recorder.settings.enable_agents_tracing:
            set_tracing_disabled(False)
        self._watch_tool_call_ids()

    def uninstall(self) -> None:
        """Take the processor out, and put the exporter to OpenAI back if it was dropped."""
        self._patches.undo()
        self._recorder.locate = lambda: None
        # Where the processors cannot be read, ours stays among them and records nothing more.
        self._recorder.suppressed = lambda: True
        others = registered()
        if others is not None and self._processor in others:
            kept = [p for p in others if p is not self._processor]
            set_trace_processors([*kept, self._dropped] if self._dropped is not None else kept)

    def sights(self) -> Iterator[Sight]:
        """Return what else traces the runs."""
        yield Sight(Place.PROVIDER, type(get_trace_provider()).__module__)
        for processor in registered() or ():
            yield Sight(Place.PROCESSOR, type(processor).__module__)

    def removed(self) -> bool:
        """Say whether somebody has removed the processor since; who asks tells the user."""
        removed = self._processor not in (registered() or (self._processor,))
        self._processor.removal_told = removed
        return removed

    def _watch_tool_call_ids(self) -> None:
        """Learn the id of a tool call, which the SDK's span does not hold.

        The SDK makes the tool's context inside its span, and gives it the id. Private in spirit though
        importable (tried with openai-agents 0.24.0); without it the id is unknown. It can go when
        ``FunctionSpanData`` holds the id.
        """
        from agents.tool_context import ToolContext

        if "from_agent_context" in vars(ToolContext):
            self._patches.wrap(ToolContext, "from_agent_context", self._made_tool_context)

    def _made_tool_context(self, wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        context = wrapped(*args, **kwargs)
        self._note_tool_call_id(context)
        return context

    @guarded("agents source")
    def _note_tool_call_id(self, context: Any) -> None:
        span = get_current_span()
        record = self._recorder.table.span(span.span_id) if span is not None else None
        if isinstance(record, ToolCall):
            record.call_id = as_name(getattr(context, "tool_call_id", None))
