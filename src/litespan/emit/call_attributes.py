"""The name and the attributes of a model call's span: pure functions from its record to plain mappings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from litespan import records, semconv
from litespan.emit.span_kind import COMMON, Attributes, Fields, SpanKindOf, end, named, with_said
from litespan.records import ModelCall, Usage
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
_ADDRESSEE: Final[Mapping[str, str]] = {
    semconv.OPERATION_NAME: "operation",
    semconv.PROVIDER_NAME: "provider",
    semconv.REQUEST_MODEL: "model",
    semconv.SERVER_ADDRESS: "server_address",
    semconv.SERVER_PORT: "server_port",
    semconv.AGENT_NAME: "agent_name",
    semconv.WORKFLOW_NAME: "workflow_name",
}
_CALL: Final = Fields({**_ADDRESSEE, **COMMON})
_CALL_IN_HOST_SPAN: Final = Fields(_ADDRESSEE)
_ANSWER: Final = Fields(
    {
        semconv.RESPONSE_ID: "response_id",
        semconv.RESPONSE_MODEL: "response_model",
        semconv.RESPONSE_FINISH_REASONS: "finish_reasons",
        semconv.OPENAI_RESPONSE_SERVICE_TIER: "service_tier",
        semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT: "system_fingerprint",
        semconv.RESPONSE_TIME_TO_FIRST_CHUNK: "time_to_first_chunk",
        semconv.ATTEMPTS: "attempts",
        semconv.USAGE_MISSING_REASON: "usage_missing_reason",
    }
)
_SERVER: Final = Fields({semconv.SERVER_ADDRESS: "server_address", semconv.SERVER_PORT: "server_port"})
_CONTENT: Final = Fields(
    {
        semconv.SYSTEM_INSTRUCTIONS: "system_instructions",
        semconv.INPUT_MESSAGES: "input",
        semconv.OUTPUT_MESSAGES: "output",
        semconv.TOOL_DEFINITIONS: "tools",
    }
)


def call_kind(generation: Generation, *, content: bool) -> SpanKindOf:
    """Return how a model call is told: with its ``content``, where it may be captured, or without."""
    return SpanKindOf(
        lambda call: named(call.operation, call.model),
        partial(_start_call, generation),
        partial(_end_call, generation, _usage_fields(generation), content=content),
        client=True,
        renamed=True,
    )


def _start_call(generation: Generation, call: ModelCall) -> Attributes:
    """Return what is known at the start; of a host's span, only what a call inside it can still correct.

    OpenTelemetry takes no attribute back.
    """
    attributes = _CALL.known(call)
    if not call.host_span and (call.stream or call.parameters):
        _add_request(attributes, generation, call)
    return with_said(call, attributes)


def _add_request(attributes: Attributes, generation: Generation, call: ModelCall) -> None:
    if call.stream:
        attributes[semconv.REQUEST_STREAM] = True
    for name, value in call.parameters.items():
        if value is not None:
            attributes[PARAMETERS[name]] = value
    if generation.int_top_k and "top_k" in call.parameters:
        top_k = _int(call.parameters["top_k"])
        if top_k is None:
            attributes.pop(semconv.REQUEST_TOP_K, None)
        else:
            attributes[semconv.REQUEST_TOP_K] = top_k


def _int(value: object) -> int | None:
    """Return a whole number as an integer; what is none is not known as one."""
    text = str(value).removesuffix(".0")
    return int(text) if text.isdecimal() else None


def _end_call(generation: Generation, usage: Fields, call: ModelCall, *, content: bool) -> Attributes:
    attributes = _ANSWER.known(call)
    if call.host_span or call.asked_another:
        attributes.update(_CALL_IN_HOST_SPAN.known(call))
        _add_request(attributes, generation, call)
    elif call.server_learned:
        attributes.update(_SERVER.known(call))
    if call.cache_hit:
        attributes[semconv.CACHE_HIT] = True
    if call.mocked:
        attributes[semconv.MOCKED] = True
    if not call.sent:
        attributes[semconv.SENT] = False
    if content and call.captures_content:
        attributes.update(_CONTENT.known(call))
    cost = call.cost
    if cost is not None:
        attributes[semconv.USAGE_COST_AMOUNT] = cost.amount
        attributes[semconv.USAGE_COST_CURRENCY] = cost.currency
        attributes[semconv.USAGE_COST_SOURCE] = cost.source
    if not (call.usage_elsewhere or call.cache_hit or call.mocked):
        attributes.update(_usage(call.usage, usage))
    return end(call, attributes)


def _usage_fields(generation: Generation) -> Fields:
    return Fields(
        {
            semconv.USAGE_INPUT_TOKENS: "input_tokens",
            semconv.USAGE_OUTPUT_TOKENS: "output_tokens",
            semconv.USAGE_CACHE_READ_TOKENS: "cache_read_tokens",
            **dict.fromkeys(generation.cache_writes, "cache_write_tokens"),
            semconv.USAGE_REASONING_TOKENS: "reasoning_tokens",
            semconv.USAGE_AUDIO_INPUT_TOKENS: "audio_input_tokens",
            semconv.USAGE_AUDIO_OUTPUT_TOKENS: "audio_output_tokens",
            semconv.USAGE_IMAGE_INPUT_TOKENS: "image_input_tokens",
        }
    )


def _usage(usage: Usage | None, fields: Fields) -> Attributes:
    if usage is None:
        return {semconv.USAGE_SOURCE: records.MISSING}
    attributes = fields.known(usage)
    attributes[semconv.USAGE_SOURCE] = records.REPORTED
    if not usage.complete:
        attributes[semconv.USAGE_INCOMPLETE] = True
    return attributes
