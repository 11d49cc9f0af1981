"""Span names and attributes of each record type: pure functions from records to plain mappings.

A new span kind gets an entry in ``_SPANS``, or in that of :mod:`litespan.emit.side_spans`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from litespan import records, semconv
from litespan.emit.call_attributes import call_kind
from litespan.emit.side_spans import SIDE_SPANS, run_events
from litespan.emit.span_kind import (
    COMMON,
    Attributes,
    Fields,
    SpanKindOf,
    end,
    end_plain,
    known,
    named,
    start,
    start_plain,
    totals_of,
    with_said,
)
from litespan.records import (
    AgentRun,
    Guardrail,
    Handoff,
    ModelCall,
    Record,
    ToolCall,
    Totals,
    Turn,
    Workflow,
)
from litespan.semconv import Generation


def _start_workflow(workflow: Workflow) -> Attributes:
    return start(
        workflow, {semconv.OPERATION_NAME: semconv.INVOKE_WORKFLOW, semconv.WORKFLOW_NAME: workflow.name}
    )


def _end_workflow(workflow: Workflow) -> Attributes:
    attributes = totals_of(workflow.totals)
    attributes[semconv.RUN_COUNT] = workflow.run_count
    attributes[semconv.COST_BAND] = cost_band(workflow.totals)
    if workflow.price_origin is not None:
        attributes[semconv.PRICE_ORIGIN] = workflow.price_origin
    return end(workflow, attributes)


def _name_workflow(workflow: Workflow) -> str:
    return named(semconv.INVOKE_WORKFLOW, workflow.name or workflow.first_agent)


_AGENT: Final = Fields({semconv.AGENT_NAME: "name", semconv.WORKFLOW_NAME: "workflow_name", **COMMON})


def _start_agent(agent: AgentRun) -> Attributes:
    attributes = _AGENT.known(agent)
    attributes[semconv.OPERATION_NAME] = semconv.INVOKE_AGENT
    return with_said(agent, attributes)


def _end_agent(agent: AgentRun) -> Attributes:
    totals = agent.totals
    attributes = totals_of(totals)
    if totals.reported_calls:
        attributes[semconv.USAGE_INPUT_TOKENS] = totals.input_tokens
        attributes[semconv.USAGE_OUTPUT_TOKENS] = totals.output_tokens
    return end(agent, attributes)


def cost_band(totals: Totals) -> str:
    """Return the cost class of a run in USD, as text: trace searches know equality only."""
    if totals.model_calls and not totals.priced_calls:
        return "unknown"
    if totals.cost == 0:
        return "0"
    for limit, band in ((0.01, "<0.01"), (0.1, "0.01-0.1"), (1.0, "0.1-1"), (10.0, "1-10")):
        if totals.cost < limit:
            return band
    return ">10"


def _tool_type(tool: ToolCall) -> str | None:
    """Return the kind of a tool; of one that failed the SDK does not say whether an MCP server has it."""
    if tool.mcp_server:
        return "extension"
    return "function" if tool.outcome == records.OK else None


_TOOL: Final = Fields({semconv.TOOL_NAME: "name", semconv.AGENT_NAME: "agent_name", **COMMON})


def _start_tool(tool: ToolCall) -> Attributes:
    attributes = _TOOL.known(tool)
    attributes[semconv.OPERATION_NAME] = semconv.EXECUTE_TOOL
    return with_said(tool, attributes)


_TOOL_RESULT: Final = Fields(
    {
        semconv.TOOL_CALL_ID: "call_id",
        semconv.TOOL_CALL_ARGUMENTS: "arguments",
        semconv.TOOL_CALL_RESULT: "result",
        semconv.MCP_SERVER: "mcp_server",
    }
)


def _end_tool(tool: ToolCall) -> Attributes:
    attributes = _TOOL_RESULT.known(tool)
    tool_type = _tool_type(tool)
    if tool_type is not None:
        attributes[semconv.TOOL_TYPE] = tool_type
    if tool.mcp_server:
        attributes[semconv.MCP_METHOD_NAME] = semconv.TOOLS_CALL
    return end(tool, attributes)


def _end_handoff(handoff: Handoff) -> Attributes:
    names = {semconv.HANDOFF_SOURCE: handoff.source, semconv.HANDOFF_TARGET: handoff.target}
    return end(handoff, known(names))


def _start_guardrail(guardrail: Guardrail) -> Attributes:
    return {semconv.GUARDRAIL_NAME: guardrail.name, **start_plain(guardrail)}


def _end_guardrail(guardrail: Guardrail) -> Attributes:
    return end(guardrail, {semconv.GUARDRAIL_TRIGGERED: guardrail.triggered})


def _name_handoff(handoff: Handoff) -> str:
    return f"handoff {handoff.source or 'unknown'} -> {handoff.target or 'unknown'}"


def span_kinds(generation: Generation, *, content: bool) -> Mapping[type[Record], SpanKindOf]:
    """Return how each record type becomes a span in a generation of the conventions."""
    return {**_SPANS, ModelCall: call_kind(generation, content=content)}


_SPANS: Final[Mapping[type[Record], SpanKindOf]] = {
    Workflow: SpanKindOf(_name_workflow, _start_workflow, _end_workflow, renamed=True, events=run_events),
    AgentRun: SpanKindOf(lambda r: named(semconv.INVOKE_AGENT, r.name), _start_agent, _end_agent),
    ToolCall: SpanKindOf(lambda r: named(semconv.EXECUTE_TOOL, r.name), _start_tool, _end_tool),
    Handoff: SpanKindOf(_name_handoff, start_plain, _end_handoff, renamed=True),
    Guardrail: SpanKindOf(lambda r: named("guardrail", r.name), _start_guardrail, _end_guardrail),
    Turn: SpanKindOf(lambda r: named("turn", str(r.turn)), start_plain, end_plain),
    **SIDE_SPANS,
}
