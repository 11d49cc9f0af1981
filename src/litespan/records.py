"""Plain records of what happened: the language between the sources that see a host and the emitters.

Sources fill them, the recorder keeps and ends them, emitters read them. They know neither the Agents SDK,
LiteLLM nor OpenTelemetry. Times are nanoseconds since the Unix epoch, token counts are whole tokens, money
is in the currency that the record names (USD unless it says otherwise). ``None`` means "not known", never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from operator import attrgetter
from typing import Any, Final, Protocol

from litespan.labels import Labels

# Outcomes of calls, agents and runs.
OK: Final = "ok"
ERROR: Final = "error"
CANCELLED: Final = "cancelled"  # the program stopped it
ABANDONED: Final = "abandoned"  # a stream that nobody read to its end
INCOMPLETE: Final = "incomplete"  # the connection was cut
BLOCKED: Final = "blocked"  # a guardrail tripped

# The type of a failure that has no better one, in the conventions' own word.
OTHER_FAILURE: Final = "_OTHER"

# Where a usage comes from.
REPORTED: Final = "reported"
MISSING: Final = "missing"

# Why the provider's usage of a call did not arrive, or not whole. A call that stopped early has its outcome
# for a reason: cancelled, abandoned, incomplete, blocked, or error where no better word is known.
NOT_REPORTED: Final = "not_reported"  # the provider answered and said nothing of it
BACKGROUND: Final = "background"  # the provider queued the call; its answer is fetched later
TIMEOUT: Final = "timeout"
CONNECTION: Final = "connection"  # lost, or never made
LOST_ATTEMPT: Final = "lost_attempt"  # an attempt was sent, got no answer, and was repeated
MISSING_REASONS: Final = frozenset(
    {
        *(ERROR, CANCELLED, ABANDONED, INCOMPLETE, BLOCKED),
        *(NOT_REPORTED, BACKGROUND, TIMEOUT, CONNECTION, LOST_ATTEMPT),
    }
)


class Standing(IntEnum):
    """How well a model is known; a metric with too many models gives up the least known ones first."""

    UNKNOWN = 0
    PRICED = 1  # by the price table
    CONFIGURED = 2  # the program gave its price


class SpanHandle(Protocol):
    """What an emitter leaves on a record so that a source can make its span current around host code."""

    def attach(self) -> object:
        """Make the span current in this context; return what :meth:`detach` needs."""
        ...

    def detach(self, token: object) -> None:
        """Undo :meth:`attach`; does nothing in a context that did not attach it."""
        ...


@dataclass(slots=True)
class Usage:
    """Tokens of one call as the provider reported them.

    ``input_tokens`` includes cache reads and writes, ``output_tokens`` includes reasoning. ``complete`` is
    false when the call stopped before the provider's last word. ``unrated``: the bill has a part that rates
    per token do not give, such as a fee for each search, or the report contradicted itself.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    image_input_tokens: int | None = None
    complete: bool = True
    unrated: bool = False


_parts: Final = attrgetter(
    *("cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens"),
    *("audio_input_tokens", "audio_output_tokens", "image_input_tokens"),
)


def has_parts(usage: Usage) -> bool:
    """Say whether a usage tells of anything but plain input and output; most do not, which is seen fast."""
    return any(_parts(usage))


@dataclass(slots=True)
class Cost:
    """Cost of one call; ``by_class`` holds disjoint parts whose sum is ``amount``."""

    amount: float
    source: str
    currency: str = "USD"
    by_class: Mapping[str, float] = field(default_factory=dict)
    cache_savings: float | None = None


@dataclass(slots=True)
class Failure:
    """Why something failed. ``message`` may quote content; everything else is safe to emit."""

    type: str
    exception: str | None = None
    status: int | None = None
    code: str | None = None
    message: str | None = None


def exception_type(kind: type[BaseException]) -> str:
    """Return an exception's class name with its module, as ``error.type`` wants it; builtins go without."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


@dataclass(slots=True, eq=False)
class Totals:
    """Sums over the model and tool calls below an agent or a workflow."""

    cost: float = 0.0
    priced_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    reasoning_tokens: int = 0
    reported_calls: int = 0
    model_calls: int = 0
    tool_calls: int = 0


# What holds for whatever has no calls below it, or none yet. Never written to: one of its own replaces it.
NO_TOTALS: Final = Totals()


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Record:
    """Something that begins and ends. Compared by identity; shown without its fields: some are content.

    ``trace_id`` and ``span_id`` are the Agents SDK's ids. ``run`` is the number of the run within its trace,
    from 1. ``attached`` is what :meth:`SpanHandle.detach` needs, where the span was made current for the
    host's code. ``handling`` is the ``id()`` of the exception that the host was already handling when the
    record began. ``settle`` is called when the record has to be ended from outside, so that its source can
    write down what had arrived. ``labels`` and ``baggage`` are what the program says about it: in ``using``
    blocks, and in OpenTelemetry's baggage.
    """

    parent: Record | None = None
    trace_id: str | None = None
    span_id: str | None = None
    run: int | None = None
    turn: int | None = None
    start_ns: int = 0
    end_ns: int | None = None
    outcome: str = OK
    failure: Failure | None = None
    agent_name: str | None = None
    workflow_name: str | None = None
    conversation_id: str | None = None
    labels: Labels | None = None
    baggage: Mapping[str, str] | None = None
    handle: SpanHandle | None = None
    attached: object = None
    handling: int | None = None
    settle: Callable[[], None] | None = None


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Scope(Record):
    """Something that holds others and ends as the last of them did, unless it has an outcome of its own.

    ``failed_check`` is the failure of a guardrail in it, with which the host fails.
    """

    inner_outcome: str = OK
    inner_failure: Failure | None = None
    failed_check: Failure | None = None


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Workflow(Scope):
    """One trace of the Agents SDK. ``name`` is ``None`` for the SDK's default workflow name.

    ``runs`` counts the runs that have begun in it, ``ended_runs`` keeps the first ones that have ended.
    ``resumed``: the SDK does not tell when it ends, so it ends with the run that goes on in it.
    """

    name: str | None = None
    resumed: bool = False
    first_agent: str | None = None
    runs: int = 0
    ended_runs: Sequence[Run] = ()
    price_origin: str | None = None
    totals: Totals = NO_TOTALS

    @property
    def run_count(self) -> int:
        """Runs in it. With task spans switched off in the SDK, a trace with agents stands for its one run."""
        return self.runs or int(self.first_agent is not None)


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Run(Scope):
    """One ``Runner.run``; emitted as a span of its own only when turn spans are asked for.

    ``totals`` hold everything below it. ``nested``: it is part of another run, of which a tool started it.
    """

    name: str = ""
    nested: bool = False
    totals: Totals = NO_TOTALS


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Turn(Record):
    """One turn of an agent; emitted as a span of its own only when turn spans are asked for."""


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class AgentRun(Scope):
    """One agent invocation. ``totals`` are its own calls, without those of sub-agents."""

    name: str = ""
    totals: Totals = NO_TOTALS


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class ModelCall(Record):
    """One model call, however many HTTP attempts it took.

    Who is asked, and for what:
        provider, litellm_provider: the provider's name in the conventions, and in LiteLLM.
        server_learned: the server is another one than was known when the call began.
        asked_another: the host has asked another model than was known then, or in another place.
        price: what the program gave for this model, in USD per million tokens by class.
        table_entry: prices that came with the call, in the shape of an entry of LiteLLM's table.
        long_cache_writes: the request asks for cache entries that live longer and cost more, and LiteLLM will
            not tell them from others.
        offers_billed_tools: the model may use tools for which its provider takes a fee.

    What came of it:
        time_to_first_chunk: seconds.
        sent: false when it has sent nothing itself: it failed before, or only surrounds other calls.
        mocked: LiteLLM made the answer up, as the program asked it to; no provider was asked.
        traffic: how Google says that it served the call.

    How its HTTP requests went:
        attempts: their number; ``None`` where it is not known.
        lost_attempts: those that reached the provider, brought no answer, and were followed by another one; 0
            where nobody could see it.
        refused: the call failed, and the provider is known to have answered the last one with an HTTP error.
        cut: the body of the last answer is known to have broken off.
        timed_out: that answer, or the rest of it, is known not to have come in time.

    What is around it and inside it:
        host_span: a model span of the host's own tracing opened the record, so whatever the call inside knows
            better may still change.
        part, whole: of such a record, the call inside; of that one, the record.
        left: the host's span has ended and the part has not.
        inner_calls, inner_tokens: the calls made inside this one, and what they reported.
        usage_elsewhere: therefore this one carries no usage.
        counted_as: what an emitter counted the call as while it was in flight.
        told_elsewhere: an instrumentation around the program's call has a span of it, and its measurements.

    What was said:
        captures_content: it may be kept.
        system_instructions, input, output, tools: what the host passed; once the call has ended, JSON text.
        host_allows_content: what the host said of content when the span began, if it did.
    """

    operation: str = ""
    provider: str = ""
    litellm_provider: str | None = None
    model: str | None = None
    stream: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    server_address: str | None = None
    server_port: int | None = None
    server_learned: bool = False
    asked_another: bool = False
    response_id: str | None = None
    response_model: str | None = None
    finish_reasons: Sequence[str] | None = None
    service_tier: str | None = None
    system_fingerprint: str | None = None
    time_to_first_chunk: float | None = None
    attempts: int | None = None
    cache_hit: bool = False
    mocked: bool = False
    usage: Usage | None = None
    usage_missing_reason: str | None = None
    inner_calls: int = 0
    inner_tokens: int = 0
    usage_elsewhere: bool = False
    cost: Cost | None = None
    provider_cost: float | None = None
    price: Mapping[str, float] | None = None
    sent: bool = True
    captures_content: bool = False
    system_instructions: Any = None
    input: Any = None
    output: Any = None
    tools: Any = None
    host_span: bool = False
    host_allows_content: bool | None = None
    offers_billed_tools: bool = False
    part: ModelCall | None = None
    whole: ModelCall | None = None
    left: bool = False
    counted_as: tuple[Any, ...] | None = None
    told_elsewhere: bool = False
    long_cache_writes: bool = False
    lost_attempts: int = 0
    refused: bool = False
    cut: bool = False
    timed_out: bool = False
    traffic: str | None = None
    table_entry: Mapping[str, Any] | None = None


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class ToolCall(Record):
    """One tool call; ``arguments`` and ``result`` are set only where content may be captured."""

    name: str = ""
    call_id: str | None = None
    mcp_server: str | None = None
    arguments: Any = None
    result: Any = None


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Handoff(Record):
    """A handoff; the target is known at its end."""

    source: str | None = None
    target: str | None = None


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Guardrail(Record):
    """One guardrail check."""

    name: str = ""
    triggered: bool = False


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class McpTools(Record):
    """A list of tools that was asked of an MCP server; the Agents SDK may have had it already."""

    server: str | None = None
    count: int | None = None


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Speech(Record):
    """One text that was spoken; never its audio. ``text`` is set only where content may be captured.

    ``time_to_first_chunk`` is in seconds, ``speed`` a factor.
    """

    model: str | None = None
    voice: str | None = None
    speed: float | None = None
    time_to_first_chunk: float | None = None
    text: Any = None


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Transcription(Record):
    """One stretch of speech as it was understood; never its audio. ``text`` only where it may be captured."""

    model: str | None = None
    languages: Sequence[str] | None = None
    temperature: float | None = None
    text: Any = None


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Step(Record):
    """Any other span of the Agents SDK, under the SDK's own type and name.

    ``data`` is what the program put on a custom span, only where content may be captured.
    """

    kind: str = ""
    name: str = ""
    allows_content: bool = False
    data: Any = None
