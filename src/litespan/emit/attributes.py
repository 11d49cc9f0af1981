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

_PARAMETERS: Final[Mapping[str, str]] = {
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
    """How one record type becomes a span."""

    name: Callable[[Any], str]
    start: Callable[[Any], Attributes]
    end: Callable[[Any], Attributes]
    client: bool = False


def known(attributes: Mapping[str, Any]) -> Attributes:
    """Return only what is known: entries without ``None``."""
    return {name: value for name, value in attributes.items() if value is not None}


def _named(operation: str, name: str | None) -> str:
    return f"{operation} {name}" if name else operation


def common(record: Record) -> Attributes:
    """Return what every span of the Agents SDK's plane carries."""
    return known(
        {
            semconv.CONVERSATION_ID: record.conversation_id,
            semconv.OPENAI_AGENTS_TRACE_ID: record.trace_id,
            semconv.OPENAI_AGENTS_SPAN_ID: record.span_id,
            semconv.TURN: record.turn,
        }
    )


def _start_workflow(workflow: Workflow) -> Attributes:
    return {
        semconv.OPERATION_NAME: semconv.INVOKE_WORKFLOW,
        **known({semconv.WORKFLOW_NAME: workflow.name}),
        **common(workflow),
    }


def _end_workflow(workflow: Workflow) -> Attributes:
    return {
        **_totals(workflow.totals),
        semconv.COST_BAND: cost_band(workflow.totals),
        **known({semconv.PRICE_ORIGIN: workflow.price_origin}),
        **_ended(workflow),
    }


def _name_workflow(workflow: Workflow) -> str:
    return _named(semconv.INVOKE_WORKFLOW, workflow.name or workflow.first_agent)


def _start_agent(agent: AgentRun) -> Attributes:
    return {
        semconv.OPERATION_NAME: semconv.INVOKE_AGENT,
        semconv.AGENT_NAME: agent.name,
        **known({semconv.WORKFLOW_NAME: agent.workflow_name}),
        **common(agent),
    }


def _end_agent(agent: AgentRun) -> Attributes:
    totals = agent.totals
    reported = {
        semconv.USAGE_INPUT_TOKENS: totals.input_tokens,
        semconv.USAGE_OUTPUT_TOKENS: totals.output_tokens,
    }
    return {**_totals(totals), **(reported if totals.reported_calls else {}), **_ended(agent)}


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


def _ended(record: Record) -> Attributes:
    outcome: Attributes = {semconv.OUTCOME: record.outcome}
    if record.failure is not None:
        outcome[semconv.ERROR_TYPE] = record.failure.type
    return outcome


def _start_call(call: ModelCall) -> Attributes:
    attributes = {
        semconv.OPERATION_NAME: call.operation,
        semconv.PROVIDER_NAME: call.provider,
        semconv.REQUEST_MODEL: call.model,
        semconv.SERVER_ADDRESS: call.server_address,
        semconv.SERVER_PORT: call.server_port,
        semconv.AGENT_NAME: call.agent_name,
        semconv.WORKFLOW_NAME: call.workflow_name,
        semconv.CONVERSATION_ID: call.conversation_id,
        semconv.OPENAI_AGENTS_TRACE_ID: call.trace_id,
        semconv.OPENAI_AGENTS_SPAN_ID: call.span_id,
        semconv.TURN: call.turn,
        semconv.REQUEST_STREAM: call.stream or None,
    }
    for name, value in call.parameters.items():
        attributes[_PARAMETERS[name]] = value
    return known(attributes)


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
        semconv.SYSTEM_INSTRUCTIONS: call.system_instructions,
        semconv.INPUT_MESSAGES: call.input,
        semconv.OUTPUT_MESSAGES: call.output,
        semconv.TOOL_DEFINITIONS: call.tools,
    }
    if call.cost is not None:
        attributes[semconv.USAGE_COST_AMOUNT] = call.cost.amount
        attributes[semconv.USAGE_COST_CURRENCY] = call.cost.currency
        attributes[semconv.USAGE_COST_SOURCE] = call.cost.source
    if not call.usage_elsewhere and not call.cache_hit:
        attributes.update(_usage(call.usage))
    return {**known(attributes), **_ended(call)}


def _usage(usage: Usage | None) -> Attributes:
    if usage is None:
        return {semconv.USAGE_SOURCE: records.MISSING}
    return {
        semconv.USAGE_SOURCE: records.REPORTED,
        semconv.USAGE_INCOMPLETE: None if usage.complete else True,
        semconv.USAGE_INPUT_TOKENS: usage.input_tokens,
        semconv.USAGE_OUTPUT_TOKENS: usage.output_tokens,
        semconv.USAGE_CACHE_READ_TOKENS: usage.cache_read_tokens,
        semconv.USAGE_CACHE_CREATION_TOKENS: usage.cache_write_tokens,
        semconv.USAGE_CACHE_WRITE_TOKENS: usage.cache_write_tokens,
        semconv.USAGE_REASONING_TOKENS: usage.reasoning_tokens,
        semconv.USAGE_AUDIO_INPUT_TOKENS: usage.audio_input_tokens,
        semconv.USAGE_AUDIO_OUTPUT_TOKENS: usage.audio_output_tokens,
        semconv.USAGE_IMAGE_INPUT_TOKENS: usage.image_input_tokens,
    }


def _start_tool(tool: ToolCall) -> Attributes:
    return {
        semconv.OPERATION_NAME: semconv.EXECUTE_TOOL,
        semconv.TOOL_NAME: tool.name,
        **known({semconv.AGENT_NAME: tool.agent_name}),
        **common(tool),
    }


def _end_tool(tool: ToolCall) -> Attributes:
    facts = {
        semconv.TOOL_TYPE: "extension" if tool.mcp_server else "function",
        semconv.TOOL_CALL_ID: tool.call_id,
        semconv.TOOL_CALL_ARGUMENTS: tool.arguments,
        semconv.TOOL_CALL_RESULT: tool.result,
        semconv.MCP_SERVER: tool.mcp_server,
    }
    return {**known(facts), **_ended(tool)}


def _end_handoff(handoff: Handoff) -> Attributes:
    names = {semconv.HANDOFF_SOURCE: handoff.source, semconv.HANDOFF_TARGET: handoff.target}
    return {**known(names), **_ended(handoff)}


def _start_guardrail(guardrail: Guardrail) -> Attributes:
    return {semconv.GUARDRAIL_NAME: guardrail.name, **_start_plain(guardrail)}


def _end_guardrail(guardrail: Guardrail) -> Attributes:
    return {semconv.GUARDRAIL_TRIGGERED: guardrail.triggered, **_ended(guardrail)}


def _start_plain(record: Record) -> Attributes:
    return {**known({semconv.AGENT_NAME: record.agent_name}), **common(record)}


SPANS: Final[Mapping[type[Record], SpanKindOf]] = {
    Workflow: SpanKindOf(_name_workflow, _start_workflow, _end_workflow),
    AgentRun: SpanKindOf(lambda r: _named(semconv.INVOKE_AGENT, r.name), _start_agent, _end_agent),
    ModelCall: SpanKindOf(lambda r: _named(r.operation, r.model), _start_call, _end_call, client=True),
    ToolCall: SpanKindOf(lambda r: _named(semconv.EXECUTE_TOOL, r.name), _start_tool, _end_tool),
    Handoff: SpanKindOf(
        lambda r: f"handoff {r.source or 'unknown'} -> {r.target or 'unknown'}", _start_plain, _end_handoff
    ),
    Guardrail: SpanKindOf(lambda r: _named("guardrail", r.name), _start_guardrail, _end_guardrail),
    Run: SpanKindOf(lambda r: _named("task", r.name), _start_plain, _ended),
    Turn: SpanKindOf(lambda r: _named("turn", str(r.turn)), _start_plain, _ended),
    Step: SpanKindOf(lambda r: _named(r.kind, r.name), _start_plain, _ended),
}
