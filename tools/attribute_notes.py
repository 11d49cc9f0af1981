"""What each span attribute says, for the table in the README. Names come from the code, words from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from litespan import semconv

_CONTENT: Final = "Only where content is captured."

NOTES: Final[Mapping[str, str]] = {
    semconv.OPERATION_NAME: (
        "`chat`, `text_completion`, `embeddings`, `invoke_agent`, `invoke_workflow` or `execute_tool`."
    ),
    semconv.PROVIDER_NAME: "Who answers, in the conventions' words: `openai`, `anthropic`, `gcp.gemini`, …",
    semconv.CONVERSATION_ID: "The trace's `group_id`, else its metadata's, else the session of `using(…)`.",
    semconv.USER_ID: "The user of `using(user=…)`, else of the baggage.",
    semconv.SESSION_ID: "The session of `using(session=…)`, else of the baggage.",
    semconv.TAGS: "The tags of `using(tags=…)`.",
    semconv.AGENT_NAME: "The agent that this belongs to.",
    semconv.WORKFLOW_NAME: "The workflow's name; absent for the SDK's default name.",
    semconv.OUTPUT_TYPE: "`json` where structured output was asked for; `speech` or `text` of a voice model.",
    semconv.REQUEST_MODEL: "The model that was asked for, without LiteLLM's provider prefix.",
    semconv.REQUEST_STREAM: "`true` for a streaming call.",
    semconv.REQUEST_MAX_TOKENS: "As sent.",
    semconv.REQUEST_TEMPERATURE: "As sent.",
    semconv.REQUEST_TOP_P: "As sent.",
    semconv.REQUEST_TOP_K: "As sent.",
    semconv.REQUEST_FREQUENCY_PENALTY: "As sent.",
    semconv.REQUEST_PRESENCE_PENALTY: "As sent.",
    semconv.REQUEST_STOP_SEQUENCES: "As sent.",
    semconv.REQUEST_SEED: "As sent.",
    semconv.REQUEST_CHOICE_COUNT: "As sent (`n`).",
    semconv.REQUEST_REASONING_LEVEL: "As sent (`reasoning_effort`).",
    semconv.REQUEST_ENCODING_FORMATS: "As sent, for embeddings.",
    semconv.EMBEDDINGS_DIMENSION_COUNT: "As sent, for embeddings.",
    semconv.OPENAI_REQUEST_SERVICE_TIER: "As sent.",
    semconv.RESPONSE_ID: "The provider's id of the answer.",
    semconv.RESPONSE_MODEL: "The model that answered, as it names itself.",
    semconv.RESPONSE_FINISH_REASONS: "Why the model stopped, one for each choice.",
    semconv.RESPONSE_TIME_TO_FIRST_CHUNK: "Seconds from the request to the first chunk of a stream.",
    semconv.OPENAI_RESPONSE_SERVICE_TIER: "The tier that served the call.",
    semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT: "The provider's fingerprint of its configuration.",
    semconv.USAGE_INPUT_TOKENS: "Input tokens, cache reads and writes included. On an agent: the sum.",
    semconv.USAGE_OUTPUT_TOKENS: "Output tokens, reasoning included. On an agent: the sum.",
    semconv.USAGE_CACHE_READ_TOKENS: "Part of the input: read from the provider's prompt cache.",
    semconv.USAGE_CACHE_CREATION_TOKENS: "Part of the input: written to the prompt cache (the older name).",
    semconv.USAGE_CACHE_WRITE_TOKENS: "Part of the input: written to the prompt cache.",
    semconv.USAGE_REASONING_TOKENS: "Part of the output: spent on reasoning.",
    semconv.USAGE_AUDIO_INPUT_TOKENS: "Part of the input: audio.",
    semconv.USAGE_AUDIO_OUTPUT_TOKENS: "Part of the output: audio.",
    semconv.USAGE_IMAGE_INPUT_TOKENS: "Part of the input: images.",
    semconv.USAGE_COST_AMOUNT: "Cost of the call; absent where no price is known.",
    semconv.USAGE_COST_CURRENCY: "`USD`.",
    semconv.USAGE_COST_SOURCE: "Who worked out the cost: the provider or litespan.",
    semconv.SYSTEM_INSTRUCTIONS: _CONTENT,
    semconv.INPUT_MESSAGES: _CONTENT,
    semconv.OUTPUT_MESSAGES: _CONTENT,
    semconv.TOOL_DEFINITIONS: _CONTENT,
    semconv.TOOL_NAME: "The tool's name.",
    semconv.TOOL_TYPE: "`function`, or `extension` for a tool of an MCP server; absent where it failed.",
    semconv.TOOL_CALL_ID: "The id under which the model asked for it.",
    semconv.TOOL_CALL_ARGUMENTS: _CONTENT,
    semconv.TOOL_CALL_RESULT: _CONTENT,
    semconv.HANDOFF_SOURCE: "The agent that hands over.",
    semconv.HANDOFF_TARGET: "The agent that takes over.",
    semconv.ERROR_TYPE: "The provider's error code or the exception's class.",
    semconv.SERVER_ADDRESS: "Host of the endpoint that was called.",
    semconv.SERVER_PORT: "Port of that endpoint.",
    semconv.OUTCOME: "`ok`, `error`, `cancelled`, `abandoned`, `incomplete` or `blocked` (see above).",
    semconv.USAGE_SOURCE: "`reported` by the provider, or `missing`.",
    semconv.USAGE_INCOMPLETE: "`true` where the call stopped before the provider's last word on its usage.",
    semconv.USAGE_MISSING_REASON: (
        "Why the provider's usage is missing, or a part: the `reason` of `litespan.calls.usage_missing`."
    ),
    semconv.SENT: (
        "`false` for a span that is no call: the Agents SDK failed before it asked LiteLLM, or it only "
        "stands for the calls inside it."
    ),
    semconv.ATTEMPTS: "HTTP requests made for the call; absent where not known.",
    semconv.CACHE_HIT: "`true` where LiteLLM's own cache answered: no cost, no provider tokens.",
    semconv.MOCKED: "`true` where LiteLLM made the answer up (`mock_response`): no cost, no provider tokens.",
    semconv.RUN: "The number of the run within its trace, from 1.",
    semconv.RUN_COUNT: "How many runs the trace held.",
    semconv.TURN: "The turn of the agent's loop.",
    semconv.MCP_SERVER: "The MCP server, without user, password and query of its URL.",
    semconv.MCP_TOOL_COUNT: "How many tools the server listed.",
    semconv.MCP_METHOD_NAME: "`tools/call` for a tool of an MCP server.",
    semconv.SPEECH_VOICE: "As asked for.",
    semconv.SPEECH_SPEED: "As asked for.",
    semconv.TRANSCRIPTION_LANGUAGES: "As asked for.",
    semconv.STEP_DATA: "The data of a custom span, as JSON. Only where content is captured.",
    semconv.GUARDRAIL_NAME: "The guardrail's name.",
    semconv.GUARDRAIL_TRIGGERED: "Whether it tripped.",
    semconv.COST_BAND: (
        "Cost of the trace in USD, as a class to search by: `0`, `<0.01`, `0.01-0.1`, "
        "`0.1-1`, `1-10`, `>10` or `unknown`."
    ),
    semconv.PRICE_ORIGIN: "Where the price table comes from.",
    semconv.TOTAL_COST: "Sum over the model calls, in USD; an agent's own, without its sub-agents'.",
    semconv.TOTAL_INPUT_TOKENS: "Sum over the model calls; an agent's own, without its sub-agents'.",
    semconv.TOTAL_OUTPUT_TOKENS: "Sum over the model calls; an agent's own, without its sub-agents'.",
    semconv.TOTAL_CACHE_READ_TOKENS: "Sum over the model calls; an agent's own, without its sub-agents'.",
    semconv.TOTAL_REASONING_TOKENS: "Sum over the model calls; an agent's own, without its sub-agents'.",
    semconv.TOTAL_MODEL_CALLS: "Number of model calls; an agent's own.",
    semconv.TOTAL_TOOL_CALLS: "Number of tool calls; an agent's own.",
    semconv.OPENAI_AGENTS_TRACE_ID: "The id of the same trace in the Agents SDK's own tracing.",
    semconv.OPENAI_AGENTS_SPAN_ID: "The id of the same span in the Agents SDK's own tracing.",
}
