"""Span names and attributes of each record type: pure functions from records to plain mappings.

A new span kind gets an entry in :func:`span_kinds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from litespan import records, semconv
from litespan.emit.side_spans import SIDE_SPANS, run_events
from litespan.emit.span_kind import (
    Attributes,
    SpanKindOf,
    end,
    end_plain,
    known,
    named,
    start,
    start_plain,
    totals_of,
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
    Usage,
    Workflow,
)
from litespan.semconv import Generation

PARAMETERS: Final[Mapping[str, str]] = {
    "max_tokens": semconv.REQUEST_MAX_TOKENS,
    "temperature": semconv.REQUEST_TEMPERATURE,
    "top_p": semconv.REQUEST_TOP_P,
    "top_k": semconv.REQUEST_TOP_K,
    "frequency_penalty": semconv.REQUEST_FREQUENCY_PENALTY,
    "presence_penalty": semconv.REQUEST_PRESENCE_PENALTY,
    "stop": semconv.REQUEST_STOP_SEQUENCES,
    "seed": semconv.REQUEST_SEED,
    "n": semconv.REQUEST_CHOICE_COUNT,
    "reasoning_effort": semconv.REQUEST_REASONING_LEVEL,
    "service_tier": semconv.OPENAI_REQUEST_SERVICE_TIER,
    "output_type": semconv.OUTPUT_TYPE,
    "encoding_formats": semconv.REQUEST_ENCODING_FORMATS,
    "dimensions": semconv.EMBEDDINGS_DIMENSION_COUNT,
}


def _start_workflow(workflow: Workflow) -> Attributes:
    return start(
        workflow, {semconv.OPERATION_NAME: semconv.INVOKE_WORKFLOW, semconv.WORKFLOW_NAME: workflow.name}
    )


def _end_workflow(workflow: Workflow) -> Attributes:
    attributes = totals_of(workflow.totals)
    attributes[semconv.RUN_COUNT] = max(workflow.runs, 1)
    attributes[semconv.COST_BAND] = cost_band(workflow.totals)
    if workflow.price_origin is not None:
        attributes[semconv.PRICE_ORIGIN] = workflow.price_origin
    return end(workflow, attributes)


def _name_workflow(workflow: Workflow) -> str:
    return named(semconv.INVOKE_WORKFLOW, workflow.name or workflow.first_agent)


def _start_agent(agent: AgentRun) -> Attributes:
    return start(
        agent,
        {
            semconv.OPERATION_NAME: semconv.INVOKE_AGENT,
            semconv.AGENT_NAME: agent.name,
            semconv.WORKFLOW_NAME: agent.workflow_name,
        },
    )


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


def _start_call(generation: Generation, call: ModelCall) -> Attributes:
    """Return what is known at the start; of a host's span, only what a call inside it can still correct.

    OpenTelemetry takes no attribute back.
    """
    attributes = _addressee(call)
    if not call.host_span:
        attributes.update(_request(generation, call))
    return start(call, attributes)


def _addressee(call: ModelCall) -> Attributes:
    return {
        semconv.OPERATION_NAME: call.operation,
        semconv.PROVIDER_NAME: call.provider,
        semconv.REQUEST_MODEL: call.model,
        semconv.SERVER_ADDRESS: call.server_address,
        semconv.SERVER_PORT: call.server_port,
        semconv.AGENT_NAME: call.agent_name,
        semconv.WORKFLOW_NAME: call.workflow_name,
    }


def _request(generation: Generation, call: ModelCall) -> Attributes:
    attributes: Attributes = {semconv.REQUEST_STREAM: call.stream or None}
    for name, value in call.parameters.items():
        attributes[PARAMETERS[name]] = value
    if generation.int_top_k:
        attributes[semconv.REQUEST_TOP_K] = _int(call.parameters.get("top_k"))
    return attributes


def _int(value: object) -> int | None:
    """Return a whole number as an integer; what is none is not known as one."""
    text = str(value).removesuffix(".0")
    return int(text) if text.isdecimal() else None


def _end_call(generation: Generation, call: ModelCall, *, content: bool) -> Attributes:
    attributes = {
        semconv.SERVER_ADDRESS: call.server_address,
        semconv.SERVER_PORT: call.server_port,
        semconv.RESPONSE_ID: call.response_id,
        semconv.RESPONSE_MODEL: call.response_model,
        semconv.RESPONSE_FINISH_REASONS: call.finish_reasons,
        semconv.OPENAI_RESPONSE_SERVICE_TIER: call.service_tier,
        semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT: call.system_fingerprint,
        semconv.RESPONSE_TIME_TO_FIRST_CHUNK: call.time_to_first_chunk,
        semconv.ATTEMPTS: call.attempts,
        semconv.CACHE_HIT: call.cache_hit or None,
        semconv.MOCKED: call.mocked or None,
    }
    if call.host_span:
        attributes.update({**_addressee(call), **_request(generation, call)})
    if content and call.captures_content:
        attributes.update(_content(call))
    if call.cost is not None:
        attributes[semconv.USAGE_COST_AMOUNT] = call.cost.amount
        attributes[semconv.USAGE_COST_CURRENCY] = call.cost.currency
        attributes[semconv.USAGE_COST_SOURCE] = call.cost.source
    if not (call.usage_elsewhere or call.cache_hit or call.mocked):
        _add_usage(attributes, call.usage, generation)
    return end(call, known(attributes))


def _content(call: ModelCall) -> Attributes:
    return {
        semconv.SYSTEM_INSTRUCTIONS: call.system_instructions,
        semconv.INPUT_MESSAGES: call.input,
        semconv.OUTPUT_MESSAGES: call.output,
        semconv.TOOL_DEFINITIONS: call.tools,
    }


def _add_usage(attributes: Attributes, usage: Usage | None, generation: Generation) -> None:
    if usage is None:
        attributes[semconv.USAGE_SOURCE] = records.MISSING
        return
    attributes[semconv.USAGE_SOURCE] = records.REPORTED
    attributes[semconv.USAGE_INCOMPLETE] = None if usage.complete else True
    attributes[semconv.USAGE_INPUT_TOKENS] = usage.input_tokens
    attributes[semconv.USAGE_OUTPUT_TOKENS] = usage.output_tokens
    attributes[semconv.USAGE_CACHE_READ_TOKENS] = usage.cache_read_tokens
    for name in generation.cache_writes:
        attributes[name] = usage.cache_write_tokens
    attributes[semconv.USAGE_REASONING_TOKENS] = usage.reasoning_tokens
    attributes[semconv.USAGE_AUDIO_INPUT_TOKENS] = usage.audio_input_tokens
    attributes[semconv.USAGE_AUDIO_OUTPUT_TOKENS] = usage.audio_output_tokens
    attributes[semconv.USAGE_IMAGE_INPUT_TOKENS] = usage.image_input_tokens


def _start_tool(tool: ToolCall) -> Attributes:
    return start(
        tool,
        {
            semconv.OPERATION_NAME: semconv.EXECUTE_TOOL,
            semconv.TOOL_NAME: tool.name,
            semconv.AGENT_NAME: tool.agent_name,
        },
    )


def _tool_type(tool: ToolCall) -> str | None:
    """Return the kind of a tool; of one that failed the SDK does not say whether an MCP server has it."""
    if tool.mcp_server:
        return "extension"
    return "function" if tool.outcome == records.OK else None


def _end_tool(tool: ToolCall) -> Attributes:
    facts = {
        semconv.TOOL_TYPE: _tool_type(tool),
        semconv.TOOL_CALL_ID: tool.call_id,
        semconv.TOOL_CALL_ARGUMENTS: tool.arguments,
        semconv.TOOL_CALL_RESULT: tool.result,
        semconv.MCP_SERVER: tool.mcp_server,
        semconv.MCP_METHOD_NAME: semconv.TOOLS_CALL if tool.mcp_server else None,
    }
    return end(tool, known(facts))


def _end_handoff(handoff: Handoff) -> Attributes:
    names = {semconv.HANDOFF_SOURCE: handoff.source, semconv.HANDOFF_TARGET: handoff.target}
    return end(handoff, known(names))


def _start_guardrail(guardrail: Guardrail) -> Attributes:
    return {semconv.GUARDRAIL_NAME: guardrail.name, **start_plain(guardrail)}


def _end_guardrail(guardrail: Guardrail) -> Attributes:
    return end(guardrail, {semconv.GUARDRAIL_TRIGGERED: guardrail.triggered})


def _name_handoff(handoff: Handoff) -> str:
    return f"handoff {handoff.source or 'unknown'} -> {handoff.target or 'unknown'}"


def call_kind(generation: Generation, *, content: bool) -> SpanKindOf:
    """Return how a model call is told: with its ``content``, where it may be captured, or without."""
    return SpanKindOf(
        lambda call: named(call.operation, call.model),
        partial(_start_call, generation),
        partial(_end_call, generation, content=content),
        client=True,
        renamed=True,
    )


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
