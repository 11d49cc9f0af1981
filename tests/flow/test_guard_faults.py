"""Faults of litespan and of what it is given: the program's result is the same, and each fault is counted."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import litellm
import pytest
from agents import Agent, Runner, function_tool
from openai import OpenAIError
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

import litespan
from litespan import guard
from litespan.emit.metrics import MetricsEmitter
from litespan.emit.spans import SpanEmitter, SpanInContext
from litespan.testing import Capture, Provider, Reply, ToolCall
from tests.fakes.litellm_calls import API_KEY, MODELS, chat, target
from tests.fakes.ports import free_port
from tests.flow import figures
from tests.flow.tools import weather

CALLS = 14
"""Model calls that :func:`run` makes."""

NOBODY = f"http://127.0.0.1:{free_port()}/v1"
"""A base URL where no server listens."""

pytestmark = pytest.mark.internal_errors_expected


class FaultError(Exception):
    """Raised on purpose; its text must not be logged."""

    def __str__(self) -> str:
        return "secret text"


def fail(*_: Any, **__: Any) -> Any:
    """Fail, whatever it is called with."""
    raise FaultError


async def run(provider: Provider) -> list[Any]:
    """Do everything once, streamed and not, good and failing; return all that the program sees."""
    provider.reset()
    model = litespan.LitellmModel(MODELS["openai"], provider.url("openai"), API_KEY)
    agent = Agent(name="A", model=model, tools=[weather])
    provider.script("*", *[Reply.calls(ToolCall("weather", {"city": "Rome"})), Reply.says("Sunny")] * 2)
    result = await Runner.run(agent, "Hi")
    streamed = Runner.run_streamed(agent, "Hi")
    events = [event.type async for event in streamed.stream_events()]
    answer = await litellm.acompletion(**chat(provider))
    chunks = [
        c.choices[0].delta.content async for c in await litellm.acompletion(**chat(provider, stream=True))
    ]
    blocking = [c.choices[0].delta.content for c in litellm.completion(**chat(provider, stream=True))]
    two = [c.choices[0].index async for c in await litellm.acompletion(**chat(provider, stream=True, n=2))]
    abandoned = await anext(await litellm.acompletion(**chat(provider, stream=True)))
    whole = answer.choices[0].message.content
    failed = [await fails(provider, stream=False), await fails(provider, stream=True)]
    google = [c async for c in await litellm.acompletion(**chat(provider, "gemini", stream=True))]
    translated = await litellm.aresponses(input="Hi", **target(provider, "gemini"))
    with pytest.raises(OpenAIError):
        await litellm.acompletion(**chat(provider, max_retries=0) | {"api_base": NOBODY})
    seen = [result.final_output, events, streamed.final_output, whole, chunks, blocking, two, failed]
    return [*seen, len(google), translated.status, abandoned.choices[0].delta.content]


async def fails(provider: Provider, *, stream: bool) -> Any:
    """Make a call that fails, a stream half way; return what the program sees."""
    provider.script("*", Reply.fails(400, message="no", text="Hello", error_after=2 if stream else None))
    chunks: list[Any] = []
    try:
        response = await litellm.acompletion(**chat(provider, stream=stream))
        async for chunk in response:
            chunks += [chunk.choices[0].delta.content]
    except Exception as error:  # noqa: BLE001 - what the program sees is compared
        return [chunks, type(error)]
    return chunks


@pytest.fixture
async def bare(provider: Provider) -> list[Any]:
    """Return what the program sees without litespan."""
    return await run(provider)


async def check(
    provider: Provider, bare: list[Any], places: set[str], log: pytest.LogCaptureFixture
) -> Capture:
    """Run with litespan broken; check results, counts, and one log line for each place."""
    guard.reset()
    log.clear()
    with Capture() as capture, log.at_level(logging.INFO, "litespan"):
        assert bare == await run(provider)
        errors = litespan.stats()["internal_errors"]

    assert places == set(errors)
    lines = [r.getMessage() for r in log.records if r.name == "litespan" and "failed in" in r.getMessage()]
    assert sorted(places) == sorted(line.split("failed in ")[1].split(" (")[0] for line in lines)
    assert all(f" ({FaultError.__name__} at {__file__}:" in line for line in lines), lines
    assert "secret text" not in "".join(lines)
    return capture


@pytest.fixture(params=[(e, m) for e in (SpanEmitter, MetricsEmitter) for m in ("began", "ended")], ids=str)
def broken_emitter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[type, str]:
    """Break one method of one emitter; return both."""
    owner, name = request.param
    monkeypatch.setattr(owner, name, fail)
    return owner, name


async def test_an_emitter_that_raises(
    provider: Provider, bare: list[Any], broken_emitter: tuple[type, str], caplog: pytest.LogCaptureFixture
) -> None:
    """A broken emitter costs its own telemetry only: the other emitter goes on."""
    owner, name = broken_emitter
    capture = await check(provider, bare, {f"{owner.__name__}.{name}"}, caplog)

    if owner is SpanEmitter:
        assert CALLS == figures.calls(capture)
    else:
        assert CALLS == len(capture.named("chat"))


async def test_a_span_that_cannot_be_made_current(
    provider: Provider, bare: list[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A broken context runtime costs the program's own children their parent, and nothing else."""
    monkeypatch.setattr(SpanInContext, "attach", fail)
    capture = await check(provider, bare, {"call source", "agents processor"}, caplog)

    assert CALLS == len(capture.named("chat"))
    assert CALLS == figures.calls(capture)


class Broken(SpanProcessor, SpanExporter):
    """A span processor and exporter that always raises."""

    def on_end(self, span: Any) -> None:
        """Raise."""
        raise FaultError

    def export(self, spans: Any) -> SpanExportResult:
        """Raise."""
        raise FaultError


@pytest.mark.parametrize(
    "make", [Broken, lambda: SimpleSpanProcessor(Broken())], ids=["processor", "exporter"]
)
async def test_an_exporter_that_raises(
    provider: Provider, bare: list[Any], make: Callable[[], SpanProcessor]
) -> None:
    """A processor or exporter of the application that raises does not reach the run; metrics go on."""
    capture = Capture()
    capture.tracer_provider.add_span_processor(make())
    with capture:
        assert bare == await run(provider)

    assert CALLS == figures.calls(capture)


async def test_texts_are_in_no_log(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """At level DEBUG the log says where it failed, without the texts of a failure or of what it came with."""

    def hook(*_: Any) -> None:
        try:
            fail()
        except FaultError as cause:
            raise LookupError("secret as well") from cause

    with Capture(price_hook=hook, redact=fail, capture_content="SPAN_ONLY") as capture:
        with caplog.at_level(logging.DEBUG, "litespan"):
            try:
                fail()
            except FaultError:
                await litellm.acompletion(**{**chat(provider), "model": "openai/our-own"})
        assert {"content": 2, "price_hook": 1} == litespan.stats()["internal_errors"]

    assert 1 == len(capture.named("chat"))
    assert ", in hook\n" in caplog.text
    assert "secret" not in caplog.text


async def test_a_log_filter_that_raises(provider: Provider) -> None:
    """A broken filter of the program's log keeps no call from being made, also where litespan fails."""
    log = logging.getLogger("litespan")
    log.addFilter(fail)
    try:
        with Capture(price_hook=fail) as capture:
            await litellm.acompletion(**{**chat(provider), "model": "openai/our-own"})
    finally:
        log.removeFilter(fail)

    assert 1 == provider.calls_served() == len(capture.named("chat"))


async def test_a_price_hook_that_raises(provider: Provider) -> None:
    """A broken price hook leaves calls unpriced or priced by the table, and is counted at each call."""
    with Capture(price_hook=fail) as capture:
        await litellm.acompletion(**{**chat(provider), "model": "openai/our-own"})
        await litellm.acompletion(**chat(provider))
        errors = litespan.stats()["internal_errors"]

    assert [2] == list(errors.values())
    assert 24 == capture.total("gen_ai.client.inference.usage.input_tokens")


class Hostile:
    """An object on which everything raises."""

    def __repr__(self) -> str:
        raise FaultError

    __str__ = __bool__ = __len__ = __iter__ = __eq__ = __hash__ = __repr__  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        raise FaultError


@pytest.mark.parametrize("mode", ["NO_CONTENT", "SPAN_ONLY"])
@pytest.mark.parametrize(
    "value",
    [
        "x" * 10_000_000,
        "half \ud83d of a pair",
        "\x00\x1b[31m",
        10**5000,
        float("nan"),
        b"\xff",
        object(),
        Hostile(),
    ],
    ids=["10 MB", "lone surrogate", "control", "large number", "nan", "bytes", "object", "hostile"],
)
async def test_hostile_tool_results(provider: Provider, mode: str, value: Any) -> None:
    """Whatever a tool returns, the run ends as it does without litespan."""

    @function_tool
    def odd() -> Any:
        """Return something odd."""
        return value

    async def attempt() -> Any:
        provider.script("*", Reply.calls(ToolCall("odd")), Reply.says("done"))
        model = litespan.LitellmModel(MODELS["openai"], provider.url("openai"), API_KEY)
        try:
            return (await Runner.run(Agent(name="A", model=model, tools=[odd]), "Hi")).final_output
        except Exception as error:  # noqa: BLE001 - the program's own failure is compared
            return type(error)

    bare = await attempt()
    provider.reset()
    with Capture(capture_content=mode) as capture:
        seen = await attempt()

    assert bare == seen
    assert 1 == len(capture.named("invoke_agent"))


@pytest.mark.parametrize(
    "name", ["temperature", "stop", "seed", "metadata", "user", "stream_options", "tools"]
)
@pytest.mark.parametrize(
    "value", [object(), Hostile(), {"a": object()}, [Hostile()]], ids=["o", "h", "do", "lh"]
)
async def test_odd_arguments(provider: Provider, name: str, value: Any) -> None:
    """An argument of an odd type ends in LiteLLM's own result or exception, never in one of litespan's."""

    async def attempt() -> Any:
        try:
            response = await litellm.acompletion(**chat(provider, **{name: value}, max_retries=0))
            return response.choices[0].message.content
        except Exception as error:  # noqa: BLE001 - the program's own failure is compared
            return type(error)

    bare = await attempt()
    with Capture() as capture:
        seen = await attempt()

    assert bare == seen
    assert len(capture.named("chat")) in (0, 1)
    assert 0 == capture.total("litespan.calls.active")
