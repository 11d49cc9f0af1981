"""Span names and attributes of each record type: pure functions from records to plain mappings.

A new span kind gets an entry in :data:`SPANS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from litespan import records, semconv
from litespan.records import (
    AgentRun,
    Guardrail,
    Handoff,
    ModelCall,
    Record,
    Run,
    Step,
    ToolCall,
    Totals,
    Turn,
    Usage,
    Workflow,
)

Attributes = dict[str, Any]

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


class SpanKindOf(NamedTuple):
    """How one record type becomes a span; ``renamed`` says that the name is known only at the end."""

    name: Callable[[Any], str]
    start: Callable[[Any], Attributes]
    end: Callable[[Any], Attributes]
    client: bool = False
    renamed: bool = False


def known(attributes: Mapping[str, Any]) -> Attributes:
    """Return only what is known: entries without ``None``."""
    return {name: value for name, value in attributes.items() if value is not None}


def _named(operation: str, name: str | None) -> str:
    return f"{operation} {name}" if name else operation


def _start(record: Record, attributes: Attributes) -> Attributes:
    """Add what every span of the Agents SDK's plane carries; what is not known is left out."""
    attributes[semconv.CONVERSATION_ID] = record.conversation_id
    attributes[semconv.OPENAI_AGENTS_TRACE_ID] = record.trace_id
    attributes[semconv.OPENAI_AGENTS_SPAN_ID] = record.span_id
    attributes[semconv.TURN] = record.turn
    return known(attributes)


def _start_workflow(workflow: Workflow) -> Attributes:
    return _start(
        workflow, {semconv.OPERATION_NAME: semconv.INVOKE_WORKFLOW, semconv.WORKFLOW_NAME: workflow.name}
    )


def _end_workflow(workflow: Workflow) -> Attributes:
    attributes = _totals(workflow.totals)
    attributes[semconv.COST_BAND] = cost_band(workflow.totals)
    if workflow.price_origin is not None:
        attributes[semconv.PRICE_ORIGIN] = workflow.price_origin
    return _end(workflow, attributes)


def _name_workflow(workflow: Workflow) -> str:
    return _named(semconv.INVOKE_WORKFLOW, workflow.name or workflow.first_agent)


def _start_agent(agent: AgentRun) -> Attributes:
    return _start(
        agent,
        {
            semconv.OPERATION_NAME: semconv.INVOKE_AGENT,
            semconv.AGENT_NAME: agent.name,
            semconv.WORKFLOW_NAME: agent.workflow_name,
        },
    )


def _end_agent(agent: AgentRun) -> Attributes:
    totals = agent.totals
    attributes = _totals(totals)
    if totals.reported_calls:
        attributes[semconv.USAGE_INPUT_TOKENS] = totals.input_tokens
        attributes[semconv.USAGE_OUTPUT_TOKENS] = totals.output_tokens
    return _end(agent, attributes)


def _totals(totals: Totals) -> Attributes:
    """Return sums; tokens and cost only where at least one call reported them, so that none is invented."""
    sums: Attributes = {
        semconv.TOTAL_MODEL_CALLS: totals.model_calls,
        semconv.TOTAL_TOOL_CALLS: totals.tool_calls,
    }
    if totals.reported_calls:
        sums[semconv.TOTAL_INPUT_TOKENS] = totals.input_tokens
        sums[semconv.TOTAL_OUTPUT_TOKENS] = totals.output_tokens
        sums[semconv.TOTAL_CACHE_READ_TOKENS] = totals.cache_read_tokens
        sums[semconv.TOTAL_REASONING_TOKENS] = totals.reasoning_tokens
    if totals.priced_calls:
        sums[semconv.TOTAL_COST] = totals.cost
    return sums


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


def _end(record: Record, attributes: Attributes) -> Attributes:
    """Add what every span carries at its end."""
    attributes[semconv.OUTCOME] = record.outcome
    if record.failure is not None:
        attributes[semconv.ERROR_TYPE] = record.failure.type
    return attributes


def _end_plain(record: Record) -> Attributes:
    return _end(record, {})


def _start_call(call: ModelCall) -> Attributes:
    attributes = {
        semconv.OPERATION_NAME: call.operation,
        semconv.PROVIDER_NAME: call.provider,
        semconv.REQUEST_MODEL: call.model,
        semconv.SERVER_ADDRESS: call.server_address,
        semconv.SERVER_PORT: call.server_port,
        semconv.AGENT_NAME: call.agent_name,
        semconv.WORKFLOW_NAME: call.workflow_name,
        semconv.REQUEST_STREAM: call.stream or None,
    }
    for name, value in call.parameters.items():
        attributes[PARAMETERS[name]] = value
    return _start(call, attributes)


def _end_call(call: ModelCall) -> Attributes:
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
    }
    if call.captures_content:
        attributes.update(_content(call))
    if call.cost is not None:
        attributes[semconv.USAGE_COST_AMOUNT] = call.cost.amount
        attributes[semconv.USAGE_COST_CURRENCY] = call.cost.currency
        attributes[semconv.USAGE_COST_SOURCE] = call.cost.source
    if not call.usage_elsewhere and not call.cache_hit:
        _add_usage(attributes, call.usage)
    return _end(call, known(attributes))


def _content(call: ModelCall) -> Attributes:
    return {
        semconv.SYSTEM_INSTRUCTIONS: call.system_instructions,
        semconv.INPUT_MESSAGES: call.input,
        semconv.OUTPUT_MESSAGES: call.output,
        semconv.TOOL_DEFINITIONS: call.tools,
    }


def _add_usage(attributes: Attributes, usage: Usage | None) -> None:
    if usage is None:
        attributes[semconv.USAGE_SOURCE] = records.MISSING
        return
    attributes[semconv.USAGE_SOURCE] = records.REPORTED
    attributes[semconv.USAGE_INCOMPLETE] = None if usage.complete else True
    attributes[semconv.USAGE_INPUT_TOKENS] = usage.input_tokens
    attributes[semconv.USAGE_OUTPUT_TOKENS] = usage.output_tokens
    attributes[semconv.USAGE_CACHE_READ_TOKENS] = usage.cache_read_tokens
    attributes[semconv.USAGE_CACHE_CREATION_TOKENS] = usage.cache_write_tokens
    attributes[semconv.USAGE_CACHE_WRITE_TOKENS] = usage.cache_write_tokens
    attributes[semconv.USAGE_REASONING_TOKENS] = usage.reasoning_tokens
    attributes[semconv.USAGE_AUDIO_INPUT_TOKENS] = usage.audio_input_tokens
    attributes[semconv.USAGE_AUDIO_OUTPUT_TOKENS] = usage.audio_output_tokens
    attributes[semconv.USAGE_IMAGE_INPUT_TOKENS] = usage.image_input_tokens


def _start_tool(tool: ToolCall) -> Attributes:
    return _start(
        tool,
        {
            semconv.OPERATION_NAME: semconv.EXECUTE_TOOL,
            semconv.TOOL_NAME: tool.name,
            semconv.AGENT_NAME: tool.agent_name,
        },
    )


def _end_tool(tool: ToolCall) -> Attributes:
    facts = {
        semconv.TOOL_TYPE: "extension" if tool.mcp_server else "function",
        semconv.TOOL_CALL_ID: tool.call_id,
        semconv.TOOL_CALL_ARGUMENTS: tool.arguments,
        semconv.TOOL_CALL_RESULT: tool.result,
        semconv.MCP_SERVER: tool.mcp_server,
    }
    return _end(tool, known(facts))


def _end_handoff(handoff: Handoff) -> Attributes:
    names = {semconv.HANDOFF_SOURCE: handoff.source, semconv.HANDOFF_TARGET: handoff.target}
    return _end(handoff, known(names))


def _start_guardrail(guardrail: Guardrail) -> Attributes:
    return {semconv.GUARDRAIL_NAME: guardrail.name, **_start_plain(guardrail)}


def _end_guardrail(guardrail: Guardrail) -> Attributes:
    return _end(guardrail, {semconv.GUARDRAIL_TRIGGERED: guardrail.triggered})


def _start_plain(record: Record) -> Attributes:
    return _start(record, {semconv.AGENT_NAME: record.agent_name})


def _name_handoff(handoff: Handoff) -> str:
    return f"handoff {handoff.source or 'unknown'} -> {handoff.target or 'unknown'}"


SPANS: Final[Mapping[type[Record], SpanKindOf]] = {
    Workflow: SpanKindOf(_name_workflow, _start_workflow, _end_workflow, renamed=True),
    AgentRun: SpanKindOf(lambda r: _named(semconv.INVOKE_AGENT, r.name), _start_agent, _end_agent),
    ModelCall: SpanKindOf(lambda r: _named(r.operation, r.model), _start_call, _end_call, client=True),
    ToolCall: SpanKindOf(lambda r: _named(semconv.EXECUTE_TOOL, r.name), _start_tool, _end_tool),
    Handoff: SpanKindOf(_name_handoff, _start_plain, _end_handoff, renamed=True),
    Guardrail: SpanKindOf(lambda r: _named("guardrail", r.name), _start_guardrail, _end_guardrail),
    Run: SpanKindOf(lambda r: _named("task", r.name), _start_plain, _end_plain),
    Turn: SpanKindOf(lambda r: _named("turn", str(r.turn)), _start_plain, _end_plain),
    Step: SpanKindOf(lambda r: _named(r.kind, r.name), _start_plain, _end_plain),
}
