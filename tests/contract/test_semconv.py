"""What a real run emits, against the conventions themselves.

The tables here are written from the conventions for generative AI (v1.41, and what has replaced it upstream),
with nothing taken from the list of names in litespan: a constant that is renamed by mistake is seen.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import litellm
import pytest
from agents import Agent, GuardrailFunctionOutput, ModelSettings, RunConfig, input_guardrail
from opentelemetry.trace import SpanKind

import litespan
from litespan.testing import Capture, Provider, Reply, ServedUsage, ToolCall
from tests.fakes.litellm_calls import API_KEY, MODELS, chat, target
from tests.flow.running import run_to_end
from tests.flow.tools import weather

GENERATIONS: Final = ("gen1", "latest")
SCHEMAS: Final = {
    "gen1": "https://opentelemetry.io/schemas/1.41.0",
    "latest": "https://opentelemetry.io/schemas/gen-ai-dev/1.42.0-dev",
}
CONVENTIONS_PAGE: Final = Path(__file__).parents[2] / "docs" / "conventions.md"

# -- the conventions: attributes ---------------------------------------------------------------------------
STRING, INT, DOUBLE, BOOLEAN, STRINGS = "string", "int", "double", "boolean", "string[]"
CALL: Final = {
    "gen_ai.operation.name": STRING,
    "gen_ai.provider.name": STRING,
    "gen_ai.request.model": STRING,
    "gen_ai.response.model": STRING,
    "gen_ai.usage.input_tokens": INT,
    "server.address": STRING,
    "server.port": INT,
    "error.type": STRING,
    "gen_ai.conversation.id": STRING,
}
CONTENT: Final = {
    "gen_ai.system_instructions": STRING,
    "gen_ai.input.messages": STRING,
    "gen_ai.output.messages": STRING,
    "gen_ai.tool.definitions": STRING,
}
INFERENCE: Final = CALL | CONTENT | {
    "gen_ai.output.type": STRING,
    "gen_ai.request.choice.count": INT,
    "gen_ai.request.seed": INT,
    "gen_ai.request.stream": BOOLEAN,
    "gen_ai.request.max_tokens": INT,
    "gen_ai.request.temperature": DOUBLE,
    "gen_ai.request.top_p": DOUBLE,
    "gen_ai.request.frequency_penalty": DOUBLE,
    "gen_ai.request.presence_penalty": DOUBLE,
    "gen_ai.request.stop_sequences": STRINGS,
    "gen_ai.request.reasoning.level": STRING,
    "gen_ai.response.id": STRING,
    "gen_ai.response.finish_reasons": STRINGS,
    "gen_ai.response.time_to_first_chunk": DOUBLE,
    "gen_ai.usage.output_tokens": INT,
    "gen_ai.usage.cache_read.input_tokens": INT,
    "gen_ai.usage.cache_write.input_tokens": INT,
    "gen_ai.usage.reasoning.output_tokens": INT,
    "gen_ai.usage.text.input_tokens": INT,
    "gen_ai.usage.image.input_tokens": INT,
    "gen_ai.usage.audio.input_tokens": INT,
    "gen_ai.usage.text.output_tokens": INT,
    "gen_ai.usage.audio.output_tokens": INT,
    "openai.request.service_tier": STRING,
    "openai.response.service_tier": STRING,
    "openai.response.system_fingerprint": STRING,
    # Proposed upstream; the same in both generations.
    "gen_ai.usage.cost.amount": DOUBLE,
    "gen_ai.usage.cost.currency": STRING,
    "gen_ai.usage.cost.source": STRING,
    # Of the spans around it, so that a call can be found by them.
    "gen_ai.agent.name": STRING,
    "gen_ai.workflow.name": STRING,
}  # fmt: skip
OF_GENERATION: Final = {
    # v1.41 has a double; litespan sends the number as the program gave it.
    "gen1": {"gen_ai.request.top_k": INT, "gen_ai.usage.cache_creation.input_tokens": INT},
    "latest": {"gen_ai.request.top_k": INT},
}


class SpanType(NamedTuple):
    """What the conventions say of a type of span."""

    kind: SpanKind
    required: frozenset[str]
    attributes: Mapping[str, str]


def span_types(generation: str) -> dict[str, SpanType]:
    """Return the span types by operation; attributes that are no convention are not among them."""
    named = frozenset({"gen_ai.operation.name"})
    called = named | {"gen_ai.provider.name", "gen_ai.request.model", "server.address", "server.port"}
    inference = SpanType(SpanKind.CLIENT, called, INFERENCE | OF_GENERATION[generation])
    around = {"gen_ai.operation.name": STRING, "gen_ai.conversation.id": STRING, "error.type": STRING}
    return {
        "chat": inference,
        "text_completion": inference,
        "embeddings": SpanType(
            SpanKind.CLIENT,
            called | {"gen_ai.usage.input_tokens"},
            CALL
            | {name: INFERENCE[name] for name in INFERENCE if name.startswith("gen_ai.usage.cost.")}
            | {
                "gen_ai.request.encoding_formats": STRINGS,
                "gen_ai.embeddings.dimension.count": INT,
                # Providers report zero of them.
                "gen_ai.usage.output_tokens": INT,
            },
        ),
        "execute_tool": SpanType(
            SpanKind.INTERNAL,
            named | {"gen_ai.tool.name", "gen_ai.tool.type", "gen_ai.tool.call.id", "gen_ai.agent.name"},
            around | dict.fromkeys(
                (
                    "gen_ai.tool.name", "gen_ai.tool.type", "gen_ai.tool.call.id", "gen_ai.agent.name",
                    "gen_ai.tool.call.arguments", "gen_ai.tool.call.result",
                ), STRING,
            ),
        ),
        "invoke_agent": SpanType(
            SpanKind.INTERNAL,
            named | {"gen_ai.agent.name", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"},
            around | {
                "gen_ai.agent.name": STRING, "gen_ai.workflow.name": STRING, "gen_ai.request.model": STRING,
                "gen_ai.usage.input_tokens": INT, "gen_ai.usage.output_tokens": INT,
            },
        ),
        "invoke_workflow": SpanType(
            SpanKind.INTERNAL, named | {"gen_ai.workflow.name"}, around | {"gen_ai.workflow.name": STRING}
        ),
    }  # fmt: skip


# -- the conventions: metrics ------------------------------------------------------------------------------
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
COUNTS = (1, 2, 4, 8, 16, 32, 64, 128)
BASE = frozenset({"gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model"})


class MetricType(NamedTuple):
    """What the conventions say of a metric. A histogram has ``buckets``; a counter has none."""

    unit: str
    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    buckets: tuple[float, ...] = ()


ERROR = frozenset({"error.type"})
COUNTER = MetricType(
    "{token}",
    BASE | {"gen_ai.token.modality"},
    # Who spent them: litespan's addition.
    frozenset({"gen_ai.agent.name", "gen_ai.workflow.name"}),
)
COMMON: Final = {
    "gen_ai.client.inference.usage.input_tokens": COUNTER,
    "gen_ai.client.inference.usage.output_tokens": COUNTER,
    "gen_ai.client.inference.usage.cache_read.input_tokens": COUNTER,
    "gen_ai.client.inference.usage.cache_write.input_tokens": COUNTER,
    "gen_ai.client.inference.usage.reasoning.output_tokens": COUNTER,
    "gen_ai.client.operation.cost": MetricType(
        "{cost}",
        BASE | {"gen_ai.usage.cost.currency", "gen_ai.usage.cost.source"},
        buckets=(0.001, 0.004, 0.016, 0.064, 0.256, 1.024, 4.096, 16.384, 65.536),
    ),
    "gen_ai.invoke_workflow.duration": MetricType(
        "s",
        frozenset(),
        ERROR | {"gen_ai.workflow.name"},
        (1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200),
    ),
    "gen_ai.invoke_agent.duration": MetricType(
        "s",
        frozenset({"gen_ai.agent.name"}),
        ERROR,
        (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6),
    ),
    "gen_ai.invoke_agent.inference_calls": MetricType(
        "{inference_call}", frozenset({"gen_ai.agent.name"}), buckets=COUNTS
    ),
    "gen_ai.invoke_agent.tool_calls": MetricType(
        "{tool_call}", frozenset({"gen_ai.agent.name"}), buckets=COUNTS
    ),
    "gen_ai.execute_tool.duration": MetricType(
        "s", frozenset({"gen_ai.tool.name"}), ERROR | {"gen_ai.agent.name"}, SECONDS
    ),
}
METRICS: Final = {
    "gen1": COMMON
    | {
        "gen_ai.client.operation.duration": MetricType("s", BASE, ERROR, SECONDS),
        "gen_ai.client.operation.time_to_first_chunk": MetricType("s", BASE, buckets=SECONDS),
        "gen_ai.client.token.usage": MetricType("{token}", BASE | {"gen_ai.token.type"}, buckets=TOKENS),
    },
    "latest": COMMON
    | {
        "gen_ai.client.inference.duration": MetricType("s", BASE, ERROR, SECONDS),
        "gen_ai.client.inference.time_to_first_chunk": MetricType("s", BASE, buckets=SECONDS),
        "gen_ai.client.inference.operation.input_tokens": MetricType("{token}", BASE, buckets=TOKENS),
        "gen_ai.client.inference.operation.output_tokens": MetricType("{token}", BASE, buckets=TOKENS),
        "gen_ai.client.embeddings.duration": MetricType("s", BASE, ERROR, SECONDS),
        "gen_ai.client.embeddings.operation.input_tokens": MetricType("{token}", BASE, buckets=TOKENS),
    },
}
# Names outside the conventions' own space, which litespan owns or the SDK gives.
OWN: Final = ("litespan.", "openai_agents.", "user.", "session.")


# -- a run with everything on ------------------------------------------------------------------------------
@input_guardrail
async def polite(context: object, agent: object, text: object) -> GuardrailFunctionOutput:
    """Let everything pass."""
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)


PARAMETERS: Final = ModelSettings(
    temperature=0.5, top_p=0.5, frequency_penalty=0.5, presence_penalty=0.5, max_tokens=100,
    extra_args={"seed": 1, "stop": ["!"], "service_tier": "default", "top_k": 40},
)  # fmt: skip
USAGE: Final = ServedUsage(
    input_tokens=50, output_tokens=9, cache_read_tokens=20, cache_write_tokens=10, reasoning_tokens=4
)


async def run_everything(provider: Provider) -> None:
    """Run agents with tools, a guardrail and a handoff, streamed and not; calls of each kind; a failure."""
    model = litespan.LitellmModel(MODELS["openai"], provider.url("openai"), API_KEY)
    expert = Agent(name="Expert", model=model)
    agent = Agent(
        name="A", instructions="Be brief.", model=model, model_settings=PARAMETERS, tools=[weather],
        handoffs=[expert], input_guardrails=[polite],
    )  # fmt: skip
    config = RunConfig(workflow_name="Desk", group_id="thread-1")
    script = (
        Reply.calls(ToolCall("weather", {"city": "Rome"}), usage=USAGE),
        Reply.calls(ToolCall("transfer_to_expert")),
        Reply.says("Sunny.", usage=USAGE, service_tier="default", system_fingerprint="fp"),
    )
    for stream in (False, True):
        provider.script("*", *script)
        await run_to_end(agent, "Hi", stream=stream, run_config=config)
    await plain_calls(provider)


async def plain_calls(provider: Provider) -> None:
    """Make calls without agents, one of them in vain."""
    provider.default = Reply.says("Yes.", usage=USAGE)
    await litellm.atext_completion(**target(provider), prompt="Hi")
    await litellm.acompletion(**chat(provider, n=2, response_format={"type": "json_object"}))
    await litellm.acompletion(**chat(provider, "anthropic", top_k=40))
    for sent in ("float", "base64"):
        await litellm.aembedding(
            **{**target(provider), "model": "openai/text-embedding-3-small"},
            input="Hi", dimensions=8, encoding_format=sent,
        )  # fmt: skip
    provider.script("*", Reply.fails(400, code="invalid_value"))
    with pytest.raises(litellm.BadRequestError):
        await litellm.acompletion(**chat(provider))


class Emitted(NamedTuple):
    """A capture and the generation that it was made with."""

    generation: str
    capture: Capture


@pytest.fixture(scope="module", params=GENERATIONS)
def emitted(request: pytest.FixtureRequest) -> Iterator[Emitted]:
    """Return everything that one run emits, in each generation."""
    from tests.fakes import all_wires_provider

    with all_wires_provider() as provider:
        capture = Capture(semconv=request.param, capture_content="SPAN_AND_EVENT", turn_spans=True)
        with capture:
            asyncio.run(run_everything(provider))
        yield Emitted(request.param, capture)


# -- checks ------------------------------------------------------------------------------------------------
def type_of(value: object) -> str:
    """Return the conventions' name of a value's type."""
    if isinstance(value, (tuple, list)):
        return STRINGS if all(isinstance(item, str) for item in value) else "other"
    names = {str: STRING, bool: BOOLEAN, int: INT, float: DOUBLE}
    return names.get(type(value), "other")


def is_own(name: str) -> bool:
    """Say whether a name is outside the conventions."""
    return name.startswith(OWN)


def problems_of(span: Any, types: Mapping[str, SpanType]) -> list[str]:
    """Return what is wrong with a span, by the table."""
    attributes = {name: value for name, value in span.attributes.items() if not is_own(name)}
    found = types.get(str(attributes.get("gen_ai.operation.name")))
    if found is None:
        return [] if "gen_ai.operation.name" not in attributes else [f"unknown operation of {span.name}"]
    problems = [f"{name} is missing" for name in found.required if name not in attributes]
    problems += [] if span.kind is found.kind else [f"kind is {span.kind}"]
    for name, value in attributes.items():
        wanted = found.attributes.get(name)
        if wanted is None:
            problems.append(f"{name} is not in the table")
        elif type_of(value) != wanted:
            problems.append(f"{name} is {type_of(value)}, not {wanted}")
    return [f"{span.name}: {problem}" for problem in problems]


def test_spans(emitted: Emitted) -> None:
    """Every span has the kind of its type, what is required of it, and only known names of right types."""
    types = span_types(emitted.generation)
    spans = emitted.capture.spans

    assert any("error.type" in (span.attributes or {}) for span in spans)
    assert set(types) <= {str((span.attributes or {}).get("gen_ai.operation.name")) for span in spans}
    assert [] == [problem for span in spans for problem in problems_of(span, types)]


def test_the_run_shows_what_differs(emitted: Emitted) -> None:
    """All attributes in which the generations differ were emitted, so the check of names saw them."""
    names = {name for span in emitted.capture.spans for name in span.attributes or {}}
    expected = {"gen_ai.usage.cache_write.input_tokens", *OF_GENERATION[emitted.generation]}

    assert expected <= names
    assert ("gen_ai.usage.cache_creation.input_tokens" in names) is (emitted.generation == "gen1")


def test_other_spans_use_known_names(emitted: Emitted) -> None:
    """Spans of no type of the conventions (handoff, guardrail, turn) use names of the conventions."""
    known = {name for kind in span_types(emitted.generation).values() for name in kind.attributes}
    known |= {"gen_ai.agent.handoff.source.name", "gen_ai.agent.handoff.target.name"}
    others = [s for s in emitted.capture.spans if "gen_ai.operation.name" not in (s.attributes or {})]

    assert {"handoff", "guardrail", "turn"} <= {span.name.split()[0] for span in others}
    assert set() == {n for span in others for n in span.attributes or {} if not is_own(n)} - known


def test_metrics(emitted: Emitted) -> None:
    """The conventions' metrics are emitted with their units, boundaries and attributes, and no others are."""
    table = METRICS[emitted.generation]
    metrics = {m.name: m for m in emitted.capture._metrics() if m.name.startswith("gen_ai.")}

    assert set(table) == set(metrics)
    for name, wanted in table.items():
        points = metrics[name].data.data_points
        assert (name, wanted.unit) == (name, metrics[name].unit)
        assert (name, wanted.buckets) == (name, tuple(getattr(points[0], "explicit_bounds", ())))
        for point in points:
            keys = set(point.attributes)
            assert (name, []) == (name, sorted(wanted.required - keys))
            assert (name, []) == (name, sorted(keys - wanted.required - wanted.optional))


def test_other_metrics_are_litespans_own(emitted: Emitted) -> None:
    """What is no convention has litespan's prefix."""
    assert [] == [n for n in emitted.capture.metric_names() if not n.startswith(("gen_ai.", "litespan."))]


def test_operations_of_the_call_metrics(emitted: Emitted) -> None:
    """In `latest`, inference and embeddings have metrics of their own; before, they share them."""
    shared = {
        name: {point.attributes["gen_ai.operation.name"] for point in emitted.capture.points(name)}
        for name in METRICS[emitted.generation]
        if name.endswith(("operation.duration", "inference.duration", "embeddings.duration"))
    }
    expected = {
        "gen1": {"gen_ai.client.operation.duration": {"chat", "text_completion", "embeddings"}},
        "latest": {
            "gen_ai.client.inference.duration": {"chat", "text_completion"},
            "gen_ai.client.embeddings.duration": {"embeddings"},
        },
    }
    assert expected[emitted.generation] == shared


def test_token_histograms_hold_the_same(emitted: Emitted) -> None:
    """The same run has the same tokens in both generations, wherever they are told."""
    names = {
        "gen1": ["gen_ai.client.token.usage"],
        "latest": [
            "gen_ai.client.inference.operation.input_tokens",
            "gen_ai.client.inference.operation.output_tokens",
            "gen_ai.client.embeddings.operation.input_tokens",
        ],
    }
    counted = sum(
        emitted.capture.total(f"gen_ai.client.inference.usage.{kind}_tokens") for kind in ("input", "output")
    )
    assert counted == sum(emitted.capture.total(name) for name in names[emitted.generation])


def test_scope_and_schema(emitted: Emitted) -> None:
    """Spans, metrics and events name the schema of their generation."""
    schema = SCHEMAS[emitted.generation]
    scopes = {span.instrumentation_scope for span in emitted.capture.spans}
    data = emitted.capture._reader.get_metrics_data()
    assert data is not None
    scopes |= {scope.scope for resource in data.resource_metrics for scope in resource.scope_metrics}
    scopes |= {record.instrumentation_scope for record in emitted.capture._records.get_finished_logs()}

    assert {("litespan", schema)} == {(scope.name, scope.schema_url) for scope in scopes if scope is not None}


def test_events(emitted: Emitted) -> None:
    """Each inference call has its event, under the conventions' name and with the names of its span."""
    types = span_types(emitted.generation)
    operations = ("chat", "text_completion")
    calls = [
        s for s in emitted.capture.spans if (s.attributes or {}).get("gen_ai.operation.name") in operations
    ]
    events = emitted.capture.events

    assert len(calls) == len(events)
    assert {("gen_ai.client.inference.operation.details", 5)} == {
        (event.event_name, event.severity_number.value if event.severity_number else 0) for event in events
    }
    names = {name for event in events for name in event.attributes or {} if not is_own(name)}
    assert names <= set(types["chat"].attributes)
    assert set(CONTENT) <= names


def test_finish_reasons_of_messages(emitted: Emitted) -> None:
    """`latest` tells finish reasons once, on the call; before, each message repeats its own."""
    told = [
        "finish_reason" in message
        for span in emitted.capture.named("chat")
        for message in json.loads(str((span.attributes or {}).get("gen_ai.output.messages", "[]")))
    ]
    assert told
    assert {emitted.generation == "gen1"} == set(told)


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_system_instructions(generation: str) -> None:
    """`latest` has text parts only in the instructions."""
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    system = {"role": "system", "content": [{"type": "text", "text": "Be brief."}, image]}
    with Provider() as provider, Capture(semconv=generation, capture_content="SPAN_ONLY") as capture:
        await litellm.acompletion(
            **{**chat(provider), "messages": [system, {"role": "user", "content": "Hi"}]}
        )

    parts = json.loads(str((capture.spans[0].attributes or {})["gen_ai.system_instructions"]))
    assert ["text", "uri"][: 2 if generation == "gen1" else 1] == [part["type"] for part in parts]


@pytest.mark.parametrize(("sent", "told"), [(40, 40), (40.0, 40), ("40", 40), (0.5, None)])
async def test_top_k_is_an_integer(sent: Any, told: int | None) -> None:
    """In `latest` a whole number is told as an integer; what is none is not told."""
    with Provider() as provider, Capture(semconv="latest") as capture:
        await litellm.acompletion(**chat(provider, top_k=sent, drop_params=True))

    value = (capture.spans[0].attributes or {}).get("gen_ai.request.top_k")
    assert (told, type(told)) == (value, type(value))


async def test_the_obsolete_variable_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """`OTEL_SEMCONV_STABILITY_OPT_IN` is accepted and ignored; `LITESPAN_SEMCONV` decides."""
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "gen_ai_latest_experimental")
    from litespan.settings import load_settings

    assert "gen1" == load_settings().semconv
    monkeypatch.setenv("LITESPAN_SEMCONV", "latest")
    assert "latest" == load_settings().semconv


def test_the_page_names_every_difference() -> None:
    """docs/conventions.md names each metric and attribute that only one generation has."""
    page = CONVENTIONS_PAGE.read_text(encoding="utf-8")
    metrics = set(METRICS["gen1"]) ^ set(METRICS["latest"])
    attributes = {"gen_ai.usage.cache_creation.input_tokens", "gen_ai.request.top_k", "gen_ai.token.type"}

    assert [] == [name for name in sorted(metrics | attributes) if f"`{name}`" not in page]
    assert [] == [schema for schema in SCHEMAS.values() if schema not in page]
