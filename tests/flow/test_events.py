"""Events: each model call as a log record, with what it was asked and what it answered as values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import litellm
import pytest
from agents import Agent, RunConfig, Runner
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NoOpTracerProvider

import litespan
from litespan.testing import Capture, Provider, Reply, ToolCall
from tests.fakes.litellm_calls import API_KEY, MODELS, WIRES, chat, target
from tests.flow.everything import emitted, on_spans
from tests.flow.running import run_to_end
from tests.flow.tools import weather

ASKED, TOLD, ANSWER = "What is the weather in Rome?", "Be brief, please.", "Sunny it is."
EVENT = "gen_ai.client.inference.operation.details"
CONTENT = (
    "gen_ai.system_instructions", "gen_ai.input.messages",
    "gen_ai.output.messages", "gen_ai.tool.definitions",
)  # fmt: skip
CALL = ToolCall("weather", {"city": "Rome"}, id="call_1")
MODES = ("EVENT_ONLY", "SPAN_AND_EVENT")


def attributes(record: LogRecord) -> dict[str, Any]:
    """Return the attributes of an event, sequences as lists."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(record.attributes or {})))
    return plain


def of_span(span: Any) -> dict[str, Any]:
    """Return the attributes of a span, sequences as lists and content as values."""
    plain = json.loads(json.dumps(dict(span.attributes)))
    return {name: json.loads(value) if name in CONTENT else value for name, value in plain.items()}


def without_content(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that are no content."""
    return {name: value for name, value in values.items() if name not in CONTENT}


def text(value: str) -> dict[str, str]:
    """Return a text part."""
    return {"type": "text", "content": value}


async def run(provider: Provider, *, streamed: bool, **config: Any) -> None:
    """Run an agent that asks a tool and answers."""
    provider.script("*", Reply.calls(CALL), Reply.says(ANSWER))
    model = litespan.LitellmModel(MODELS["openai"], provider.url("openai"), API_KEY)
    agent = Agent(name="A", instructions=TOLD, tools=[weather], model=model)
    await run_to_end(agent, ASKED, stream=streamed, run_config=RunConfig(**config))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("streamed", [False, True])
async def test_an_event_tells_what_its_span_tells(provider: Provider, mode: str, *, streamed: bool) -> None:
    """Each call has one event at DEBUG, at its end, in its span's context, with its span's attributes."""
    said = litespan.using(user="u-1", session="s-1", tags=["beta"])
    with Capture(capture_content=mode, extra_attributes={"stage": "test"}) as capture, said:
        await run(provider, streamed=streamed)

    spans = capture.named("chat")
    assert 2 == len(spans) == len(capture.events)
    for span, event in zip(spans, capture.events, strict=True):
        assert (EVENT, SeverityNumber.DEBUG) == (event.event_name, event.severity_number)
        assert (event.body, event.timestamp) == (None, span.end_time)
        assert (span.context.trace_id, span.context.span_id) == (event.trace_id, event.span_id)
        assert without_content(of_span(span)) == without_content(attributes(event))
        on_span = {name: value for name, value in of_span(span).items() if name in CONTENT}
        in_event = {name: value for name, value in attributes(event).items() if name in CONTENT}
        assert on_span == (in_event if mode == "SPAN_AND_EVENT" else {})


@pytest.mark.parametrize("streamed", [False, True])
async def test_content_is_values(provider: Provider, *, streamed: bool) -> None:
    """Instructions, history, answer and tools are lists and mappings in the conventions' shape, not JSON."""
    with Capture(capture_content="EVENT_ONLY") as capture:
        await run(provider, streamed=streamed)

    first, second = map(attributes, capture.events)
    asked = {"role": "user", "parts": [text(ASKED)]}
    called = {"type": "tool_call", "name": "weather", "id": "call_1", "arguments": {"city": "Rome"}}
    answered = {"type": "tool_call_response", "id": "call_1", "response": "It is sunny in Rome."}
    assert [text(TOLD)] == first["gen_ai.system_instructions"]
    assert [asked] == first["gen_ai.input.messages"]
    assert [{"role": "assistant", "parts": [called], "finish_reason": "tool_calls"}] == first[
        "gen_ai.output.messages"
    ]
    assert [{"type": "function", "name": "weather"}] == first["gen_ai.tool.definitions"]
    assert {"role": "tool", "parts": [answered]} == second["gen_ai.input.messages"][-1]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("streamed", [False, True])
async def test_plain_calls_on_all_wires(provider: Provider, wire: str, *, streamed: bool) -> None:
    """A call without agents has an event too."""
    provider.default = Reply.says(ANSWER)
    with Capture(capture_content="EVENT_ONLY") as capture:
        response = await litellm.acompletion(**chat(provider, wire, ASKED, stream=streamed))
        if streamed:
            async for _ in response:
                pass

    (event,) = map(attributes, capture.events)
    assert [text(ANSWER)] == event["gen_ai.output.messages"][0]["parts"]
    assert streamed is event.get("gen_ai.request.stream", False)
    assert ASKED not in on_spans(capture)


@pytest.mark.parametrize("mode", ["NO_CONTENT", "SPAN_ONLY"])
async def test_other_modes_have_no_events(provider: Provider, mode: str) -> None:
    """Without a mode that names events there is none."""
    with Capture(capture_content=mode) as capture:
        await run(provider, streamed=False)

    assert [] == capture.events


async def test_a_failed_call(provider: Provider) -> None:
    """The event of a failed call says how it failed, and what was asked; the error's text is nowhere."""
    provider.default = Reply.fails(400, code="invalid_value", message=f"You asked: {ASKED} (quoted)")
    with Capture(capture_content="EVENT_ONLY") as capture, pytest.raises(litellm.BadRequestError):
        await litellm.acompletion(**chat(provider, text=ASKED))

    (event,) = map(attributes, capture.events)
    assert ("invalid_value", "error") == (event["error.type"], event["litespan.outcome"])
    assert [text(ASKED)] == event["gen_ai.input.messages"][0]["parts"]
    assert "gen_ai.output.messages" not in event
    assert "(quoted)" not in emitted(capture)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_run_that_forbids_content(provider: Provider, mode: str, *, streamed: bool) -> None:
    """`trace_include_sensitive_data=False` wins: the events are there, and nothing of the content is."""
    with Capture(capture_content=mode) as capture:
        await run(provider, streamed=streamed, trace_include_sensitive_data=False)

    assert 2 == len(capture.events)
    for canary in (ASKED, TOLD, ANSWER, "Rome"):
        assert canary not in emitted(capture)


async def test_a_model_can_forbid_it(provider: Provider) -> None:
    """`capture_content=False` of one model keeps its content out of events."""
    quiet = litespan.LitellmModel(MODELS["openai"], provider.url("openai"), API_KEY, capture_content=False)
    with Capture(capture_content="EVENT_ONLY") as capture:
        await Runner.run(Agent(name="A", model=quiet), ASKED)

    assert 1 == len(capture.events)
    assert ASKED not in emitted(capture)


async def test_tools_have_no_event(provider: Provider) -> None:
    """With `EVENT_ONLY` what a tool was given and gave is on no span, and only in the calls that carry it."""
    with Capture(capture_content="EVENT_ONLY") as capture:
        await run(provider, streamed=False)

    (tool,) = capture.named("execute_tool")
    assert not {"gen_ai.tool.call.arguments", "gen_ai.tool.call.result"} & set(tool.attributes or {})
    assert "Rome" not in on_spans(capture)
    assert "It is sunny in Rome." in emitted(capture)


async def test_embeddings_have_no_event(provider: Provider) -> None:
    """The event tells of inference; embeddings are none."""
    with Capture(capture_content="EVENT_ONLY") as capture:
        await litellm.aembedding(
            **{**target(provider), "model": "openai/text-embedding-3-small"}, input=ASKED
        )

    assert (1, []) == (len(capture.named("embeddings")), capture.events)


async def test_text_completions_have_one(provider: Provider) -> None:
    """A text completion is inference."""
    provider.default = Reply.says(ANSWER)
    with Capture(capture_content="EVENT_ONLY") as capture:
        await litellm.atext_completion(**target(provider), prompt=ASKED)

    assert ["text_completion"] == [attributes(event)["gen_ai.operation.name"] for event in capture.events]


async def test_calls_that_are_not_sampled(provider: Provider) -> None:
    """Events do not depend on the sampler; they name the trace all the same."""
    with Capture(capture_content="EVENT_ONLY", sampler=ALWAYS_OFF) as capture:
        await run(provider, streamed=True)

    assert ((), 2) == (capture.spans, len(capture.events))
    assert ASKED in emitted(capture)
    assert all(event.trace_id and not (event.trace_flags or 0) & 1 for event in capture.events)


async def test_without_a_tracer_provider(provider: Provider) -> None:
    """`instrument(logger_provider=…)` uses it, also where the program has no traces at all."""
    memory = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    mine = LoggerProvider(shutdown_on_exit=False)
    mine.add_log_record_processor(SimpleLogRecordProcessor(memory))
    litespan.instrument(NoOpTracerProvider(), logger_provider=mine, capture_content="EVENT_ONLY")
    try:
        await run(provider, streamed=False)
        assert litespan.flush()
    finally:
        litespan.uninstrument()

    records = memory.get_finished_logs()
    assert [EVENT, EVENT] == [record.log_record.event_name for record in records]
    assert [0, 0] == [record.log_record.trace_id for record in records]
    scope = records[0].instrumentation_scope
    assert scope is not None
    assert ("litespan", "https://opentelemetry.io/schemas/1.41.0") == (scope.name, scope.schema_url)


async def test_every_text_passes_redaction(provider: Provider) -> None:
    """The redaction hook changes events as it changes spans."""
    with Capture(capture_content="EVENT_ONLY", redact=lambda text: text.replace("Rome", "***")) as capture:
        await run(provider, streamed=False)

    assert "Rome" not in emitted(capture)
    assert "What is the weather in ***?" in emitted(capture)


@pytest.mark.internal_errors_expected
async def test_content_that_cannot_be_redacted_is_dropped(provider: Provider) -> None:
    """If the redaction hook raises, the event goes without content."""

    def broken(_: str) -> str:
        raise KeyError(ASKED)

    with Capture(capture_content="EVENT_ONLY", redact=broken) as capture:
        await litellm.acompletion(**chat(provider, text=ASKED))

    (event,) = map(attributes, capture.events)
    assert without_content(event) == event
    assert ASKED not in emitted(capture)


async def test_large_content_is_cut(provider: Provider) -> None:
    """`content_max_bytes` bounds each attribute of an event, by part."""
    provider.default = Reply.says("y" * 50_000)
    with Capture(capture_content="EVENT_ONLY", content_max_bytes=1000) as capture:
        await litellm.acompletion(**chat(provider, text="é" * 50_000))

    (event,) = map(attributes, capture.events)
    for name in ("gen_ai.input.messages", "gen_ai.output.messages"):
        assert len(json.dumps(event[name], ensure_ascii=False).encode()) <= 1000 + 20
        assert "[cut " in event[name][0]["parts"][0]["content"]


async def test_values_that_otlp_cannot_hold(provider: Provider) -> None:
    """Integers beyond 64 bits become text, and mappings without end are cut where receivers stop to read."""
    deep: dict[str, Any] = {}
    for _ in range(60):
        deep = {"deeper": deep}
    arguments = {"big": 2**80, "least": -(2**63), "deep": deep, "nothing": None, "flag": True}
    provider.default = Reply.calls(ToolCall("weather", arguments, id="call_1"))
    with Capture(capture_content="EVENT_ONLY") as capture:
        await litellm.acompletion(**chat(provider))

    given = attributes(capture.events[0])["gen_ai.output.messages"][0]["parts"][0]["arguments"]
    assert (str(2**80), -(2**63), None, True) == tuple(
        given[name] for name in ("big", "least", "nothing", "flag")
    )
    records = capture._records.get_finished_logs()
    request = encode_logs(records)
    # Readers of protobuf stop at 100 nested messages, and each level of a mapping takes three.
    assert ExportLogsServiceRequest.FromString(request.SerializeToString()) == request
    assert "[cut" in json.dumps(given["deep"])
