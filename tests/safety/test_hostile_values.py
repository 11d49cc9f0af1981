"""Values that nobody expects: no export fails of them, no foreign object is asked to print itself."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import threading
import time
import weakref
from typing import Any

import litellm
import pytest
from agents import Agent, Runner, custom_span, trace
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

import litespan
from litespan import semconv
from litespan.emit.cardinality import LIMIT
from litespan.export.otlp_json import spans_to_json
from litespan.labels import MAX_TEXT
from litespan.testing import Capture, Provider, Reply, ToolCall
from tests.fakes.litellm_calls import chat
from tests.flow.tools import weather

NAMES = {
    "newlines": 'a\nb\r\n"c"{d="e"} 1\n# HELP',
    "half a pair": "half \ud83d of a pair",
    "control": "\x00\x1b[31mred",
    "long": "x" * 1_000_000,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=list(NAMES))
async def test_names_from_anywhere(provider: Provider, name: str) -> None:
    """Names of models, agents, answers and finish reasons of any kind are bounded and can be exported."""
    wire_name = name.encode("utf-8", "replace").decode()[:10_000]
    provider.default = Reply.says("Hi", model=wire_name, service_tier=wire_name, system_fingerprint=wire_name)
    with Capture() as capture:
        model = litespan.LitellmModel(f"openai/{wire_name}", provider.url(), "k")
        await Runner.run(Agent(name=name, model=model), "Hi")
        for stream in (False, True):
            response = await litellm.acompletion(
                **{**chat(provider, stream=stream), "model": f"openai/{wire_name}"}
            )
            if stream:
                async for _ in response:
                    pass
        with trace(name, group_id=name), custom_span(name):
            pass
        data = capture._reader.get_metrics_data()

    assert 7 == len(capture.spans)
    for span in capture.spans:
        written = encode_spans([span]).resource_spans[0].scope_spans[0].spans[0]
        assert len(span.attributes or {}) == len(written.attributes)
        assert len(span.name) <= MAX_TEXT + 50
        assert all(len(str(value)) <= MAX_TEXT + 10 for value in (span.attributes or {}).values())
    assert json.loads(spans_to_json(capture.spans))
    assert data is not None
    encode_metrics(data).SerializeToString()


async def test_a_scrape_survives_names(provider: Provider) -> None:
    """A model's name with newlines and quotes is one label value to Prometheus, and nothing else."""
    from prometheus_client import CollectorRegistry

    from litespan import _api
    from litespan.export import pipeline as pipelines
    from litespan.settings import load_settings

    registry = CollectorRegistry()
    settings = load_settings(
        {}, traces_exporter="none", metrics_exporter="prometheus", prometheus_registry=registry
    )
    _api.install(settings, pipelines.build(settings, use_globals=False))
    try:
        await litellm.acompletion(**{**chat(provider), "model": f"openai/{NAMES['newlines']}"})
        text = generate_latest(registry).decode()
    finally:
        litespan.shutdown(5)
    models = {
        sample.labels.get("gen_ai_request_model")
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }

    assert NAMES["newlines"] in models


@pytest.mark.parametrize("value", [2**70, float("nan"), float("inf"), -(2**80)], ids=repr)
async def test_numbers_of_requests(provider: Provider, value: float) -> None:
    """Numbers that OTLP cannot carry are left out; those that it can are there, and the call is whole."""
    with Capture() as capture:
        for name in ("seed", "temperature", "max_tokens"):
            with contextlib.suppress(Exception):  # LiteLLM's word on such numbers
                options: dict[str, Any] = {name: value, "max_retries": 0}
                await litellm.acompletion(**chat(provider, **options))

    assert 3 == len(capture.named("chat"))
    for span in capture.spans:
        written = encode_spans([span]).resource_spans[0].scope_spans[0].spans[0]
        assert len(span.attributes or {}) == len(written.attributes)


class Blocks:
    """An object that never returns from being printed or compared."""

    def __str__(self) -> str:
        threading.Event().wait()
        raise AssertionError

    __repr__ = __eq__ = __hash__ = __bool__ = __len__ = __str__  # type: ignore[assignment]


@pytest.mark.parametrize("mode", ["NO_CONTENT", "SPAN_AND_EVENT"])
@pytest.mark.timeout(20)
def test_objects_that_block(mode: str) -> None:
    """An object that blocks whoever prints it stops nobody: it is named by its class."""
    from litespan.sources import litellm_answer
    from litespan.sources.litellm_mapping import parameters

    with Capture(capture_content=mode) as capture:
        odd = Blocks()
        assert {} == parameters({"temperature": odd, "stop": [odd], "seed": odd, "n": odd})
        assert odd is (litellm_answer.messages({"messages": [odd]}) or [None])[0]
        with trace("t"), custom_span("s", {"odd": odd}):
            pass
        with litespan.using(user=odd, attribute=odd):
            pass

    shown = [(span.attributes or {}).get(semconv.STEP_DATA) for span in capture.named("custom")]
    assert [None if mode == "NO_CONTENT" else '{"odd":"<Blocks>"}'] == shown


async def test_metric_values_that_explode(provider: Provider) -> None:
    """Thousands of models and agents make no more than the allowed number of series of each metric."""
    from litespan import _api
    from litespan.records import ModelCall

    with Capture() as capture:
        recorder = _api._installed.recorder  # type: ignore[union-attr]
        for number in range(3 * LIMIT):
            call = ModelCall(
                operation="chat", provider=f"p{number}", model=f"m{number}", agent_name=f"a{number}"
            )
            recorder.begin(call, None)
            recorder.end(call)
        sizes = {name: len(capture.points(name)) for name in capture.metric_names()}

    assert 3 * LIMIT == capture.total("litespan.calls")
    assert max(sizes.values()) <= LIMIT


class Prompt(str):
    """A text that can be referred to weakly."""

    __slots__ = ("__weakref__",)


@pytest.mark.parametrize("mode", ["NO_CONTENT", "SPAN_AND_EVENT"])
@pytest.mark.parametrize("streamed", [False, True])
async def test_prompts_are_let_go(provider: Provider, mode: str, *, streamed: bool) -> None:
    """When a call has ended, what was said in it is let go as soon as it is without litespan."""
    bare = await _prompt_is_let_go(provider, 1.0, streamed=streamed)
    with Capture(capture_content=mode):
        assert not bare or await _prompt_is_let_go(provider, 30.0, streamed=streamed)


async def _prompt_is_let_go(provider: Provider, seconds: float, *, streamed: bool) -> bool:
    prompt = Prompt("What is the weather in Rome?")
    gone = weakref.ref(prompt)
    message = {"role": "user", "content": prompt}
    given: dict[str, Any] = {**chat(provider, stream=streamed), "messages": [message]}
    response = await litellm.acompletion(**given)
    if streamed:
        async for _ in response:
            pass
    assert [] == [type(h).__name__ for h in gc.get_referrers(message) if _is_ours(h)]
    del prompt, message, given, response
    return await _collected(gone, seconds)


@pytest.mark.parametrize("mode", ["NO_CONTENT", "SPAN_AND_EVENT"])
async def test_results_of_tools_are_let_go(provider: Provider, mode: str) -> None:
    """When a run has ended, no record of litespan is alive that holds arguments, results or messages."""
    from litespan.records import ModelCall
    from litespan.records import ToolCall as ToolRecord

    provider.script("*", Reply.calls(ToolCall("weather", {"city": "Rome"})), Reply.says("Sunny"))
    with Capture(capture_content=mode):
        model = litespan.LitellmModel("openai/gpt-4o-mini", provider.url(), "k")
        await Runner.run(Agent(name="A", model=model, tools=[weather]), "Hi")
        await asyncio.sleep(0)
        gc.collect()
        kept = [o for o in gc.get_objects() if isinstance(o, (ModelCall, ToolRecord))]

        assert not [call for call in kept if isinstance(call, ModelCall) and (call.input or call.output)]
        assert not [tool for tool in kept if isinstance(tool, ToolRecord) and (tool.arguments or tool.result)]


def _is_ours(holder: object) -> bool:
    return type(holder).__module__.startswith("litespan")


async def _collected(gone: weakref.ref[Any], seconds: float) -> bool:
    """Wait until the hosts have let go, too: LiteLLM logs calls in tasks of its own."""
    deadline = time.monotonic() + seconds
    while gone() is not None and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
        gc.collect()
    return gone() is None
