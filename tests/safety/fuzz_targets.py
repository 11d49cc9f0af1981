"""What is fuzzed: one target for each place where litespan reads what others wrote."""

from __future__ import annotations

import asyncio
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any

import litellm
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

import litespan
from litespan import _api, content, guard
from litespan.charging import charge
from litespan.cli.sums.names import DIMENSIONS
from litespan.cli.sums.spans import BrokenLineError, read_line
from litespan.cli.sums.summary import Summary
from litespan.export.otlp.from_json import NoRequestError, request_from_json
from litespan.export.spool.segment import Segment
from litespan.price_table import table_price
from litespan.records import ModelCall, Usage
from litespan.setting_checks import ConfigurationError
from litespan.settings import Settings, load_settings
from litespan.sources import agents_models
from litespan.sources.agents_mapping import BEGIN
from litespan.sources.agents_processor import AgentsProcessor
from litespan.sources.litellm_calls import CallSource
from litespan.sources.litellm_entrances import ENTRANCES
from litespan.sources.lookout import Lookout
from litespan.testing import Capture
from tests.safety import odd_values as odd


@dataclass(frozen=True)
class Target:
    """One place: what it is given, and what it is done with it."""

    values: st.SearchStrategy[Any]
    try_it: Callable[[Any], None]


# -- what hosts hand over ------------------------------------------------------------------------------------
@contextmanager
def observing() -> Iterator[None]:
    """Switch litespan on for many examples."""
    with Capture(capture_content="SPAN_AND_EVENT") as capture:
        _captures.append(capture)
        yield
        _captures.clear()


_captures: list[Capture] = []


@contextmanager
def observed() -> Iterator[None]:
    """Look at what one example makes; afterwards everything has ended, and can be exported."""
    capture = _captures[0]
    capture.clear()
    yield
    assert 0 == litespan.stats()["records_open"]
    for span in capture.spans:
        message = encode_spans([span])
        message.SerializeToString()
        written = message.resource_spans[0].scope_spans[0].spans[0]
        assert len(span.attributes or {}) == len(written.attributes)
        assert all(len(text) <= 20_000 for text in map(str, (span.attributes or {}).values()))
    for record in capture._records.get_finished_logs():
        encode_logs([record]).SerializeToString()


@contextmanager
def faults_allowed(*values: Any) -> Iterator[None]:
    """Let the guard catch what objects raise that fail on purpose; anything else is a fault of litespan."""
    yield
    hostile = any("Hostile" in type(leaf).__name__ for value in values for leaf in leaves(value))
    faults = guard.internal_errors()
    guard.reset()
    assert hostile or not faults, faults


def leaves(value: Any) -> Iterator[Any]:
    """Yield all that is in a value."""
    if isinstance(value, (SimpleNamespace, Exception)):
        value = vars(value)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def call(name: str, arguments: dict[str, Any], answer: Any) -> None:
    """Make a call of LiteLLM's that answers with anything, or raises it."""

    async def answering(*args: Any, **kwargs: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    with faults_allowed(arguments, answer), observed():
        source = CallSource(litellm, _api._installed.recorder, Lookout(lambda: True))  # type: ignore[union-attr]
        try:
            assert answer is asyncio.run(source._acall(ENTRANCES[name], answering, (), arguments))
        except Exception as error:
            if error is not answer:
                raise


class Chunks:
    """A stream of anything."""

    def __init__(self, chunks: list[Any], facts: dict[str, Any]) -> None:
        self.__dict__.update(facts)
        self.chunks = chunks
        self._left = iter(chunks)

    def __aiter__(self) -> Chunks:
        return self

    async def __anext__(self) -> Any:
        for chunk in self._left:
            return chunk
        raise StopAsyncIteration


def stream(name: str, chunks: list[Any], facts: dict[str, Any]) -> None:
    """Read a stream of anything through litespan: the chunks that come out are those that went in."""
    inner = Chunks(chunks, facts)

    async def answering(*args: Any, **kwargs: Any) -> Any:
        return inner

    async def read() -> list[Any]:
        source = CallSource(litellm, _api._installed.recorder, Lookout(lambda: True))  # type: ignore[union-attr]
        arguments = {"model": "gpt-4o-mini", "stream": True, "stream_options": {"include_usage": True}}
        return [chunk async for chunk in await source._acall(ENTRANCES[name], answering, (), arguments)]

    with faults_allowed(chunks, facts), observed():
        assert [id(chunk) for chunk in chunks] == [id(chunk) for chunk in asyncio.run(read())]


def fail(facts: dict[str, Any], kind: type[Exception], cause: Any) -> None:
    """Let a call fail with an exception that carries anything."""
    error = kind("text")
    for name, value in facts.items():
        with suppress(AttributeError):
            setattr(error, name, value)
    error.__cause__ = cause if isinstance(cause, Exception) else None
    call("acompletion", {"model": "gpt-4o-mini", "messages": []}, error)


def trace_span(kind: str, facts: dict[str, Any]) -> None:
    """Begin and end a span of the Agents SDK whose data are anything."""
    names = (
        "name",
        "from_agent",
        "to_agent",
        "server",
        "model",
        "model_config",
        "input",
        "output",
        "turn",
        "usage",
        "triggered",
        "mcp_data",
        "result",
        "first_content_at",
        "data",
        "response",
    )
    data = SimpleNamespace(**{**dict.fromkeys(names), **facts, "type": kind, "export": dict})
    span = SimpleNamespace(
        span_data=data,
        span_id="span_1",
        trace_id="trace_1",
        parent_id=None,
        error=facts.get("status"),
        started_at=None,
        ended_at=None,
    )
    trace = SimpleNamespace(
        name=facts.get("name"), trace_id="trace_1", group_id=facts.get("id"), metadata=facts.get("metadata")
    )
    with faults_allowed(facts), observed():
        processor = AgentsProcessor(_api._installed.recorder, lambda: None)  # type: ignore[union-attr]
        processor.on_trace_start(trace)
        processor.on_span_start(span)
        processor.on_span_end(span)
        processor.on_trace_end(trace)
        litespan.flush(0)


def encode(value: Any, most: int) -> None:
    """Write anything as content, which stays valid JSON and within its limit."""
    for shape in (content.output_messages, lambda v: content.input_messages(v)[1], content.tool_definitions):
        with suppress(odd.HostileError):
            text = content.encode(shape(value), most)
            assert text is None or len(text.encode()) <= most
            assert text is None or json.loads(text) is not NotImplemented


# -- what stands in files and settings -----------------------------------------------------------------------
def summarize(line: bytes) -> None:
    """Read a line of a file as `litespan summary` does."""
    with suppress(BrokenLineError):
        summary = Summary(DIMENSIONS, 10, None)
        summary.add(read_line(line))


def send(line: bytes) -> None:
    """Read a line as `litespan send` does."""
    with suppress(NoRequestError):
        request_from_json(line)


def unspool(data: bytes) -> None:
    """Read a file of a spool."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        with open(path, "wb") as file:
            file.write(data)
        segment = Segment(path)
        place = segment.sent
        while found := segment.next(place):
            assert found.end > place
            place = found.end
        segment.close()


def set_up(environ: dict[str, str], arguments: dict[str, Any]) -> None:
    """Load settings."""
    with suppress(ConfigurationError, odd.HostileError):
        try:
            load_settings(environ, **arguments)
        except ValueError as error:
            if "for integer string conversion" not in str(error):  # Python's word when the value is quoted
                raise


def price_file(name: str, data: bytes) -> None:
    """Load prices from a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(data)
        with suppress(ConfigurationError):
            load_settings({}, prices=path)


def price(entry: dict[str, Any], tier: Any, usage: Usage) -> None:
    """Price a call by an entry of LiteLLM's table."""
    found = table_price("gpt-4o-mini", entry, tier)
    cost = charge(found, usage) if found is not None else None
    assert cost is None or 0 <= cost.amount < math.inf


def label(user: Any, tags: Any, attributes: dict[str, Any]) -> None:
    """Say anything in a block."""
    with (
        observed(),
        faults_allowed(user, tags, attributes),
        # The last is what tags raise that fail as they are read.
        suppress(ConfigurationError, TypeError, odd.HostileError),
        litespan.using(user=user, tags=tags, **attributes),
    ):
        recorder = _api._installed.recorder  # type: ignore[union-attr]
        made = ModelCall(operation="chat", provider="openai", model="m")
        recorder.begin(made, None)
        recorder.end(made)


def as_line(value: Any) -> bytes:
    """Write a value as a line of JSON, as far as JSON has it."""
    try:
        return json.dumps(value, default=lambda _: None, skipkeys=True).encode()
    except ValueError:  # a number of too many digits
        return b'{"resourceSpans":%b}' % (b"9" * 5000)


OTLP_NAMES = (
    "resourceSpans",
    "resourceMetrics",
    "resourceLogs",
    "scopeSpans",
    "scopeMetrics",
    "scope",
    "spans",
    "name",
    "metrics",
    "attributes",
    "key",
    "value",
    "stringValue",
    "intValue",
    "doubleValue",
    "boolValue",
    "traceId",
    "spanId",
    "parentSpanId",
    "startTimeUnixNano",
    "endTimeUnixNano",
    "status",
    "code",
    "kind",
    "resource",
)
OTLP_WORDS = ("litespan", "gen_ai.operation.name", "chat", "litespan.outcome", "a" * 32, "b" * 16, "12", "-1")
otlp_values = st.recursive(
    odd.scalars | st.sampled_from(OTLP_WORDS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(OTLP_NAMES), inner, max_size=5)
    ),
    max_leaves=15,
)


def _request(spans: list[Any]) -> dict[str, Any]:
    return {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "litespan"}, "spans": spans}]}]}


otlp_spans = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(OTLP_NAMES, otlp_values),
            "attributes": st.lists(
                st.fixed_dictionaries(
                    {
                        "key": st.sampled_from(
                            (
                                "gen_ai.operation.name",
                                "litespan.outcome",
                                "gen_ai.request.model",
                                "gen_ai.usage.input_tokens",
                                "gen_ai.usage.cost.amount",
                            )
                        )
                    },
                    optional={"value": otlp_values},
                ),
                max_size=5,
            )
            | otlp_values,
        },
    ),
    max_size=2,
)
lines = (
    st.binary(max_size=60) | otlp_values.map(as_line) | otlp_spans.map(_request).map(as_line)
) | st.sampled_from([b"[" * 100_000, b'{"resourceSpans":' + b"[" * 100_000, b"\xff\xfe", b"9" * 5000])
settings_names = [spec.name for spec in fields(Settings)]
variables = [spec.metadata["env"] for spec in fields(Settings) if spec.metadata["env"]]
price_entries = st.dictionaries(
    st.sampled_from(
        (
            "input_cost_per_token",
            "output_cost_per_token",
            "cache_read_input_token_cost",
            "litellm_provider",
            "input_cost_per_token_above_200k_tokens",
            "output_cost_per_token_priority",
            "tiered_pricing",
            "input_cost_per_audio_token",
            "output_cost_per_reasoning_token",
            "input_cost_per_request",
            "range",
        )
    ),
    odd.plain,
)
usages = st.builds(
    Usage, **{f.name: st.none() | st.integers(0, 2**53) for f in fields(Usage) if f.type == "int | None"}
)
entrances = st.sampled_from(
    ["acompletion", "atext_completion", "aembedding", "aresponses", "anthropic_messages"]
)
span_kinds = st.sampled_from([*BEGIN, "custom", agents_models.GENERATION, agents_models.RESPONSE])
requests = odd.any_mappings.map(lambda found: {**found, "stream": False})

TARGETS = {
    "requests of LiteLLM": Target(
        st.tuples(entrances, requests), lambda v: call(v[0], {**v[1], "litellm_call_id": "x"}, None)
    ),
    "answers of LiteLLM": Target(
        st.tuples(entrances, odd.any_shaped), lambda v: call(v[0], {"model": "gpt-4o-mini"}, v[1])
    ),
    "streams of LiteLLM": Target(
        st.tuples(entrances, st.lists(odd.any_shaped | st.binary(max_size=30), max_size=4), odd.any_mappings),
        lambda v: stream(*v),
    ),
    "exceptions": Target(
        st.tuples(
            st.dictionaries(
                st.sampled_from(
                    ("status_code", "code", "body", "request", "message", "original_exception", "response")
                ),
                odd.any_values | odd.odd,
            ),
            st.sampled_from((Exception, ValueError, TimeoutError, litellm.exceptions.OpenAIError)),
            st.just(None) | st.builds(OSError, odd.texts),
        ),
        lambda v: fail(*v),
    ),
    "spans of the Agents SDK": Target(st.tuples(span_kinds, odd.any_mappings), lambda v: trace_span(*v)),
    "content": Target(st.tuples(odd.any_values, st.integers(1, 300)), lambda v: encode(*v)),
    "using": Target(
        st.tuples(
            odd.any_values | odd.odd,
            odd.any_values,
            st.dictionaries(st.sampled_from(("team", "plan", "a.b")), odd.any_values | odd.odd),
        ),
        lambda v: label(*v),
    ),
    "litespan summary": Target(lines, summarize),
    "litespan send": Target(lines, send),
    "spool files": Target(st.binary(max_size=200), unspool),
    "settings": Target(
        st.tuples(
            st.dictionaries(st.sampled_from(variables), odd.texts, max_size=3),
            st.dictionaries(st.sampled_from(settings_names), odd.any_values | odd.odd, max_size=3),
        ),
        lambda v: set_up(*v),
    ),
    "price files": Target(
        st.tuples(
            st.sampled_from(["p.json", "p.toml", "p.yaml"]), st.binary(max_size=40) | odd.plain.map(as_line)
        ),
        lambda v: price_file(*v),
    ),
    "price table": Target(
        st.tuples(price_entries, st.none() | st.sampled_from(["priority", "flex", "odd"]), usages),
        lambda v: price(*v),
    ),
}
