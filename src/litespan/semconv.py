"""Every name that litespan emits: attributes, metrics, units and bucket boundaries.

No other module spells a ``gen_ai.`` or ``litespan.`` name. The ``gen_ai.*`` names are the OpenTelemetry
conventions for generative AI; names that the conventions do not have yet start with ``litespan.``. The cost
names follow the convention that is proposed upstream (``gen_ai.usage.cost.*``).

Two generations of the conventions are in use: v1.41, which released instrumentations and backends read today,
and what has replaced it upstream. All that differs stands in :data:`GENERATIONS`; emitters ask that table.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

SCOPE: Final = "litespan"

# -- operations --------------------------------------------------------------------------------------------
CHAT: Final = "chat"
TEXT_COMPLETION: Final = "text_completion"
EMBEDDINGS: Final = "embeddings"
INVOKE_AGENT: Final = "invoke_agent"
INVOKE_WORKFLOW: Final = "invoke_workflow"
EXECUTE_TOOL: Final = "execute_tool"

# -- attributes of the conventions -------------------------------------------------------------------------
OPERATION_NAME: Final = "gen_ai.operation.name"
PROVIDER_NAME: Final = "gen_ai.provider.name"
CONVERSATION_ID: Final = "gen_ai.conversation.id"
AGENT_NAME: Final = "gen_ai.agent.name"
WORKFLOW_NAME: Final = "gen_ai.workflow.name"
OUTPUT_TYPE: Final = "gen_ai.output.type"

REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_STREAM: Final = "gen_ai.request.stream"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
REQUEST_TOP_P: Final = "gen_ai.request.top_p"
REQUEST_TOP_K: Final = "gen_ai.request.top_k"
REQUEST_FREQUENCY_PENALTY: Final = "gen_ai.request.frequency_penalty"
REQUEST_PRESENCE_PENALTY: Final = "gen_ai.request.presence_penalty"
REQUEST_STOP_SEQUENCES: Final = "gen_ai.request.stop_sequences"
REQUEST_SEED: Final = "gen_ai.request.seed"
REQUEST_CHOICE_COUNT: Final = "gen_ai.request.choice.count"
REQUEST_REASONING_LEVEL: Final = "gen_ai.request.reasoning.level"
REQUEST_ENCODING_FORMATS: Final = "gen_ai.request.encoding_formats"
EMBEDDINGS_DIMENSION_COUNT: Final = "gen_ai.embeddings.dimension.count"
OPENAI_REQUEST_SERVICE_TIER: Final = "openai.request.service_tier"

RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
RESPONSE_TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
OPENAI_RESPONSE_SERVICE_TIER: Final = "openai.response.service_tier"
OPENAI_RESPONSE_SYSTEM_FINGERPRINT: Final = "openai.response.system_fingerprint"

USAGE_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
USAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
USAGE_CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
USAGE_CACHE_CREATION_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
USAGE_CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_write.input_tokens"
USAGE_REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
USAGE_AUDIO_INPUT_TOKENS: Final = "gen_ai.usage.audio.input_tokens"
USAGE_AUDIO_OUTPUT_TOKENS: Final = "gen_ai.usage.audio.output_tokens"
USAGE_IMAGE_INPUT_TOKENS: Final = "gen_ai.usage.image.input_tokens"
USAGE_COST_AMOUNT: Final = "gen_ai.usage.cost.amount"
USAGE_COST_CURRENCY: Final = "gen_ai.usage.cost.currency"
USAGE_COST_SOURCE: Final = "gen_ai.usage.cost.source"

SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"

TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_TYPE: Final = "gen_ai.tool.type"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
TOOL_CALL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_CALL_RESULT: Final = "gen_ai.tool.call.result"

HANDOFF_SOURCE: Final = "gen_ai.agent.handoff.source.name"
HANDOFF_TARGET: Final = "gen_ai.agent.handoff.target.name"

TOKEN_TYPE: Final = "gen_ai.token.type"  # noqa: S105 - an attribute name, not a password
TOKEN_MODALITY: Final = "gen_ai.token.modality"  # noqa: S105
MODALITY_UNKNOWN: Final = "unknown"

MCP_METHOD_NAME: Final = "mcp.method.name"
TOOLS_CALL: Final = "tools/call"

OUTPUT_SPEECH: Final = "speech"
OUTPUT_TEXT: Final = "text"

ERROR_TYPE: Final = "error.type"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"

USER_ID: Final = "user.id"
SESSION_ID: Final = "session.id"

# -- attributes of litespan's own --------------------------------------------------------------------------
OUTCOME: Final = "litespan.outcome"
USAGE_SOURCE: Final = "litespan.usage.source"
USAGE_INCOMPLETE: Final = "litespan.usage.incomplete"
USAGE_MISSING_REASON: Final = "litespan.usage.missing_reason"
SENT: Final = "litespan.sent"
ATTEMPTS: Final = "litespan.attempts"
CACHE_HIT: Final = "litespan.cache_hit"
MOCKED: Final = "litespan.mocked"
RUN: Final = "litespan.run"
RUN_COUNT: Final = "litespan.run.count"
TURN: Final = "litespan.turn"
MCP_SERVER: Final = "litespan.mcp.server"
MCP_TOOL_COUNT: Final = "litespan.mcp.tool_count"
SPEECH_VOICE: Final = "litespan.speech.voice"
SPEECH_SPEED: Final = "litespan.speech.speed"
TRANSCRIPTION_LANGUAGES: Final = "litespan.transcription.languages"
STEP_DATA: Final = "litespan.step.data"
GUARDRAIL_NAME: Final = "litespan.guardrail.name"
GUARDRAIL_TRIGGERED: Final = "litespan.guardrail.triggered"
COST_BAND: Final = "litespan.cost.band"
PRICE_ORIGIN: Final = "litespan.price.origin"
TOKEN_CLASS: Final = "litespan.token.class"  # noqa: S105
TOTAL_COST: Final = "litespan.total.cost"
TOTAL_INPUT_TOKENS: Final = "litespan.total.input_tokens"
TOTAL_OUTPUT_TOKENS: Final = "litespan.total.output_tokens"
TOTAL_CACHE_READ_TOKENS: Final = "litespan.total.cache_read_tokens"
TOTAL_REASONING_TOKENS: Final = "litespan.total.reasoning_tokens"
TOTAL_MODEL_CALLS: Final = "litespan.total.model_calls"
TOTAL_TOOL_CALLS: Final = "litespan.total.tool_calls"
TAGS: Final = "litespan.tags"
REASON: Final = "reason"
PLACE: Final = "place"
SIGNAL: Final = "signal"

# Ids of the Agents SDK's own plane, so that a span is found again in an SDK trace.
OPENAI_AGENTS_TRACE_ID: Final = "openai_agents.trace_id"
OPENAI_AGENTS_SPAN_ID: Final = "openai_agents.span_id"

# What stands for names that a metric no longer tells apart; of errors, the conventions' own word.
OTHER: Final = "other"
OTHER_ERROR: Final = "_OTHER"

# -- events ------------------------------------------------------------------------------------------------
INFERENCE_DETAILS: Final = "gen_ai.client.inference.operation.details"

# -- metrics -----------------------------------------------------------------------------------------------
_DURATION_BUCKETS: Final = (
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
)  # fmt: skip
_TOKEN_BUCKETS: Final = (
    1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864,
)  # fmt: skip
_COST_BUCKETS: Final = (0.001, 0.004, 0.016, 0.064, 0.256, 1.024, 4.096, 16.384, 65.536)
_AGENT_BUCKETS: Final = (
    0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6,
)  # fmt: skip
_WORKFLOW_BUCKETS: Final = (1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)
_COUNT_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64, 128)


class Metric(NamedTuple):
    """One instrument: its name, kind, unit (UCUM), what it says, and bucket boundaries of a histogram."""

    name: str
    kind: str
    unit: str
    description: str
    attributes: tuple[str, ...]
    buckets: tuple[float, ...] = ()


_CALL: Final = (OPERATION_NAME, PROVIDER_NAME, REQUEST_MODEL)
_SPENDER: Final = (*_CALL, AGENT_NAME, WORKFLOW_NAME)
_CURRENCY: Final = (USAGE_COST_CURRENCY, USAGE_COST_SOURCE)

OPERATION_DURATION: Final = Metric(
    "gen_ai.client.operation.duration", "histogram", "s",
    "Time of one model call, from the request to the last chunk.",
    (*_CALL, ERROR_TYPE), _DURATION_BUCKETS,
)  # fmt: skip
TOKEN_USAGE: Final = Metric(
    "gen_ai.client.token.usage", "histogram", "{token}",
    "Tokens of one call that reported its usage and did not fail.",
    (*_CALL, TOKEN_TYPE), _TOKEN_BUCKETS,
)  # fmt: skip
TIME_TO_FIRST_CHUNK: Final = Metric(
    "gen_ai.client.operation.time_to_first_chunk", "histogram", "s",
    "Time from a streaming request to its first chunk.",
    _CALL, _DURATION_BUCKETS,
)  # fmt: skip
INFERENCE_DURATION: Final = OPERATION_DURATION._replace(name="gen_ai.client.inference.duration")
INFERENCE_TIME_TO_FIRST_CHUNK: Final = TIME_TO_FIRST_CHUNK._replace(
    name="gen_ai.client.inference.time_to_first_chunk"
)
INFERENCE_INPUT_TOKENS: Final = Metric(
    "gen_ai.client.inference.operation.input_tokens", "histogram", "{token}",
    "Input tokens of one call that reported its usage and did not fail.", _CALL, _TOKEN_BUCKETS,
)  # fmt: skip
INFERENCE_OUTPUT_TOKENS: Final = Metric(
    "gen_ai.client.inference.operation.output_tokens", "histogram", "{token}",
    "Output tokens of one call that reported its usage and did not fail.", _CALL, _TOKEN_BUCKETS,
)  # fmt: skip
EMBEDDINGS_DURATION: Final = OPERATION_DURATION._replace(name="gen_ai.client.embeddings.duration")
EMBEDDINGS_INPUT_TOKENS: Final = INFERENCE_INPUT_TOKENS._replace(
    name="gen_ai.client.embeddings.operation.input_tokens"
)
OPERATION_COST: Final = Metric(
    "gen_ai.client.operation.cost", "histogram", "{cost}",
    "Cost of one call, in the currency of the attribute.",
    (*_CALL, *_CURRENCY), _COST_BUCKETS,
)  # fmt: skip
INPUT_TOKENS: Final = Metric(
    "gen_ai.client.inference.usage.input_tokens", "counter", "{token}",
    "Input tokens that providers reported, cache reads and writes included.",
    (*_SPENDER, TOKEN_MODALITY),
)  # fmt: skip
OUTPUT_TOKENS: Final = Metric(
    "gen_ai.client.inference.usage.output_tokens", "counter", "{token}",
    "Output tokens that providers reported, reasoning included.",
    (*_SPENDER, TOKEN_MODALITY),
)  # fmt: skip
CACHE_READ_TOKENS: Final = Metric(
    "gen_ai.client.inference.usage.cache_read.input_tokens", "counter", "{token}",
    "Input tokens read from the provider's prompt cache; part of the input tokens.",
    (*_SPENDER, TOKEN_MODALITY),
)  # fmt: skip
CACHE_WRITE_TOKENS: Final = Metric(
    "gen_ai.client.inference.usage.cache_write.input_tokens", "counter", "{token}",
    "Input tokens written to the provider's prompt cache; part of the input tokens.",
    (*_SPENDER, TOKEN_MODALITY),
)  # fmt: skip
REASONING_TOKENS: Final = Metric(
    "gen_ai.client.inference.usage.reasoning.output_tokens", "counter", "{token}",
    "Output tokens spent on reasoning; part of the output tokens.",
    (*_SPENDER, TOKEN_MODALITY),
)  # fmt: skip
COST: Final = Metric(
    "litespan.cost", "counter", "{cost}",
    "Cost by token class; the classes do not overlap.",
    (*_SPENDER, USAGE_COST_CURRENCY, TOKEN_CLASS),
)  # fmt: skip
CACHE_SAVINGS: Final = Metric(
    "litespan.cache.savings", "updowncounter", "{cost}",
    "What the prompt cache saved: the full input price minus what was paid (write surcharges count against).",
    (*_SPENDER, USAGE_COST_CURRENCY),
)  # fmt: skip
CALLS: Final = Metric(
    "litespan.calls", "counter", "{call}", "Model calls by outcome.", (*_SPENDER, OUTCOME),
)  # fmt: skip
CALL_ATTEMPTS: Final = Metric(
    "litespan.call.attempts", "counter", "{attempt}",
    "HTTP requests made for model calls, where the number is known.", _CALL,
)  # fmt: skip
CALLS_USAGE_MISSING: Final = Metric(
    "litespan.calls.usage_missing", "counter", "{call}",
    "Calls of which the provider's usage did not arrive, or not whole.", (*_CALL, REASON),
)  # fmt: skip
CALLS_UNPRICED: Final = Metric(
    "litespan.calls.unpriced", "counter", "{call}", "Calls with usage but without a known price.", _CALL,
)  # fmt: skip
CALLS_ACTIVE: Final = Metric(
    "litespan.calls.active", "updowncounter", "{call}", "Model calls in flight.", _CALL,
)  # fmt: skip
AGENT_DURATION: Final = Metric(
    "gen_ai.invoke_agent.duration", "histogram", "s", "Time of one agent invocation.",
    (AGENT_NAME, ERROR_TYPE), _AGENT_BUCKETS,
)  # fmt: skip
AGENT_INFERENCE_CALLS: Final = Metric(
    "gen_ai.invoke_agent.inference_calls", "histogram", "{inference_call}",
    "Model calls of one agent invocation, sub-agents not included.", (AGENT_NAME,), _COUNT_BUCKETS,
)  # fmt: skip
AGENT_TOOL_CALLS: Final = Metric(
    "gen_ai.invoke_agent.tool_calls", "histogram", "{tool_call}",
    "Tool calls of one agent invocation, sub-agents not included.", (AGENT_NAME,), _COUNT_BUCKETS,
)  # fmt: skip
WORKFLOW_DURATION: Final = Metric(
    "gen_ai.invoke_workflow.duration", "histogram", "s", "Time of one workflow (a trace of the Agents SDK).",
    (WORKFLOW_NAME, ERROR_TYPE), _WORKFLOW_BUCKETS,
)  # fmt: skip
RUNS: Final = Metric(
    "litespan.runs", "counter", "{run}", "Runs (one Runner.run each) by outcome.", (WORKFLOW_NAME, OUTCOME),
)  # fmt: skip
RUN_DURATION: Final = Metric(
    "litespan.run.duration", "histogram", "s", "Time of one run.",
    (WORKFLOW_NAME, OUTCOME), _AGENT_BUCKETS,
)  # fmt: skip
RUN_COST: Final = Metric(
    "litespan.run.cost", "histogram", "{cost}",
    "Cost of one run in USD, with its sub-agents; runs without a known price are left out.",
    (WORKFLOW_NAME, OUTCOME), _COST_BUCKETS,
)  # fmt: skip
TOOL_DURATION: Final = Metric(
    "gen_ai.execute_tool.duration", "histogram", "s", "Time of one tool call.",
    (TOOL_NAME, AGENT_NAME, ERROR_TYPE), _DURATION_BUCKETS,
)  # fmt: skip
HANDOFFS: Final = Metric(
    "litespan.handoffs", "counter", "{handoff}", "Handoffs between agents.", (HANDOFF_SOURCE, HANDOFF_TARGET),
)  # fmt: skip
GUARDRAILS: Final = Metric(
    "litespan.guardrails", "counter", "{check}", "Guardrail checks.", (GUARDRAIL_NAME, GUARDRAIL_TRIGGERED),
)  # fmt: skip
DROPPED: Final = Metric(
    "litespan.dropped", "counter", "{item}", "Telemetry that was lost, by reason.", (SIGNAL, REASON),
)  # fmt: skip
INTERNAL_ERRORS: Final = Metric(
    "litespan.internal_errors", "counter", "{error}", "Faults of litespan itself, by place.", (PLACE,),
)  # fmt: skip
RECORDS_OPEN: Final = Metric(
    "litespan.records.open", "gauge", "{record}", "Records that began and have not ended.", (),
)  # fmt: skip
EXPORT_QUEUE_SIZE: Final = Metric(
    "litespan.export.queue.size", "gauge", "{span}", "Ended spans that no exporter has taken yet.", (),
)  # fmt: skip
EXPORT_FAILURES: Final = Metric(
    "litespan.export.failures", "counter", "{failure}", "Failed exports by signal.", (SIGNAL, ERROR_TYPE),
)  # fmt: skip

_COMMON_METRICS: Final = (
    OPERATION_COST, INPUT_TOKENS, OUTPUT_TOKENS,
    CACHE_READ_TOKENS, CACHE_WRITE_TOKENS, REASONING_TOKENS, COST, CACHE_SAVINGS, CALLS, CALL_ATTEMPTS,
    CALLS_USAGE_MISSING, CALLS_UNPRICED, CALLS_ACTIVE, AGENT_DURATION, AGENT_INFERENCE_CALLS,
    AGENT_TOOL_CALLS, WORKFLOW_DURATION, RUNS, RUN_DURATION, RUN_COST, TOOL_DURATION, HANDOFFS, GUARDRAILS,
    DROPPED, INTERNAL_ERRORS, RECORDS_OPEN, EXPORT_QUEUE_SIZE, EXPORT_FAILURES,
)  # fmt: skip


# -- generations -------------------------------------------------------------------------------------------
class CallMetrics(NamedTuple):
    """The histograms of one kind of model call; ``None`` where the conventions have none.

    Where both token counts go to one histogram, its attribute ``gen_ai.token.type`` tells them apart.
    """

    duration: Metric
    input_tokens: Metric
    time_to_first_chunk: Metric | None = None
    output_tokens: Metric | None = None


class Generation(NamedTuple):
    """One generation of the conventions, as far as it differs from the other.

    ``cache_writes`` are the attributes of a call's span for the tokens written to the prompt cache.
    ``int_top_k``: ``gen_ai.request.top_k`` is an integer. ``text_instructions``: system instructions have
    text parts only. ``message_finish_reason``: each message of an answer repeats its finish reason.
    """

    schema_url: str
    inference: CallMetrics
    embeddings: CallMetrics
    cache_writes: tuple[str, ...]
    int_top_k: bool
    text_instructions: bool
    message_finish_reason: bool

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """All metrics of the generation, litespan's own among them; each once."""
        of_calls = (*self.inference, *self.embeddings)
        return tuple(dict.fromkeys([*(metric for metric in of_calls if metric), *_COMMON_METRICS]))


_ONE_CALL: Final = CallMetrics(OPERATION_DURATION, TOKEN_USAGE, TIME_TO_FIRST_CHUNK, TOKEN_USAGE)

GENERATIONS: Final[Mapping[str, Generation]] = MappingProxyType(
    {
        "gen1": Generation(
            schema_url="https://opentelemetry.io/schemas/1.41.0",
            inference=_ONE_CALL,
            embeddings=_ONE_CALL,
            cache_writes=(USAGE_CACHE_CREATION_TOKENS, USAGE_CACHE_WRITE_TOKENS),
            int_top_k=False,
            text_instructions=False,
            message_finish_reason=True,
        ),
        "latest": Generation(
            # The upstream registry names itself so; it has no release yet.
            schema_url="https://opentelemetry.io/schemas/gen-ai-dev/1.42.0-dev",
            inference=CallMetrics(
                INFERENCE_DURATION,
                INFERENCE_INPUT_TOKENS,
                INFERENCE_TIME_TO_FIRST_CHUNK,
                INFERENCE_OUTPUT_TOKENS,
            ),
            embeddings=CallMetrics(EMBEDDINGS_DURATION, EMBEDDINGS_INPUT_TOKENS),
            cache_writes=(USAGE_CACHE_WRITE_TOKENS,),
            int_top_k=True,
            text_instructions=True,
            message_finish_reason=False,
        ),
    }
)
GEN1: Final = GENERATIONS["gen1"]
METRICS: Final = GEN1.metrics
