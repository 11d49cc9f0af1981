"""Secrets and content: by default nothing of either is in anything that litespan emits."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import litellm
import pytest
from agents import Agent, ModelSettings, RunConfig, Runner, function_tool, handoff
from pydantic import BaseModel

import litespan
from litespan import _api
from litespan.export import pipeline as pipelines
from litespan.settings import load_settings
from litespan.testing import Capture, Provider, Reply, ToolCall
from tests.fakes.litellm_calls import MODELS, WIRES
from tests.flow.everything import emitted, on_spans

PLACES = (
    "api_key", "header", "extra_header", "body", "query", "url_user", "url_password", "url_query",
    "provider_error", "tool_error", "tool_cause", "tool_arguments", "tool_result", "metadata",
    "system_prompt",
    "user_prompt", "handoff_input", "answer", "user_id", "reasoning",
)  # fmt: skip
# `stop` and other parameters that the conventions name are no secrets; they are on spans as they were sent.
CANARIES = {place: f"canary-{number:02d}-{place.replace('_', '-')}" for number, place in enumerate(PLACES)}
NEVER = (
    "api_key", "header", "extra_header", "body", "query", "url_user", "url_password", "url_query", "metadata",
    "user_id",
)  # fmt: skip


class Reason(BaseModel):
    """Why a handoff is made."""

    why: str


@function_tool(failure_error_function=None)
def breaks(secret: str) -> str:
    """Raise an error that quotes secrets, with a cause that quotes another one."""
    raise RuntimeError(CANARIES["tool_error"]) from KeyError(CANARIES["tool_cause"])


@function_tool
def look_up(secret: str) -> str:
    """Return something secret."""
    return CANARIES["tool_result"]


def with_user(url: str) -> str:
    """Return a URL with user-info in it."""
    return url.replace("://", f"://{CANARIES['url_user']}:{CANARIES['url_password']}@")


def team(provider: Provider, wire: str, tool: Any) -> Agent[Any]:
    """Return an agent with a tool and a handoff, whose calls carry a canary in every place."""
    settings = ModelSettings(
        extra_headers={"x-secret": CANARIES["extra_header"]},
        extra_body={"secret": CANARIES["body"]},
        extra_query={"token": CANARIES["query"]},
        metadata={"secret": CANARIES["metadata"]},
        extra_args={"user": CANARIES["user_id"], "headers": {"x-other": CANARIES["header"]}},
    )
    model = litespan.LitellmModel(MODELS[wire], provider.url(wire), CANARIES["api_key"])
    expert = Agent(
        name="Expert", instructions=CANARIES["system_prompt"], model=model, model_settings=settings
    )
    to_expert = handoff(expert, on_handoff=lambda context, reason: None, input_type=Reason)
    return Agent(
        name="A", instructions=CANARIES["system_prompt"], model=model, model_settings=settings,
        tools=[tool], handoffs=[to_expert],
    )  # fmt: skip


async def run_everything(provider: Provider, wire: str) -> None:
    """Run good and failing agents, streamed and not, and plain calls; errors are the program's own."""
    arguments = {"secret": CANARIES["tool_arguments"]}
    handing_off = Reply.calls(ToolCall("transfer_to_expert", {"why": CANARIES["handoff_input"]}))
    failing = Reply.fails(400, code="invalid_value", message=CANARIES["provider_error"])
    answer = Reply.says(CANARIES["answer"], reasoning=CANARIES["reasoning"])
    for script, tool in (
        ([Reply.calls(ToolCall("look_up", arguments)), handing_off, answer], look_up),
        ([Reply.calls(ToolCall("breaks", arguments))], breaks),
        ([failing], look_up),
    ):
        for streamed in (False, True):
            provider.script("*", *script)
            await run_once(team(provider, wire, tool), streamed=streamed)
    for reply in (answer, failing):
        provider.script("*", reply)
        await plain_call(provider.url(wire), wire)
    with_secrets = f"{with_user(provider.url(wire))}?key={CANARIES['url_query']}"
    await plain_call(with_secrets, wire)
    await plain_call(with_user(provider.url(wire)), wire, blocking=True)


async def run_once(agent: Agent[Any], *, streamed: bool) -> None:
    """Run an agent; its failure is expected."""
    config = RunConfig(trace_metadata={"secret": CANARIES["metadata"]})
    try:
        if streamed:
            result = Runner.run_streamed(agent, CANARIES["user_prompt"], run_config=config)
            async for _ in result.stream_events():
                pass
        else:
            await Runner.run(agent, CANARIES["user_prompt"], run_config=config)
    except Exception:  # noqa: BLE001 - whatever the program would see, the telemetry is looked at
        logging.getLogger("program").debug("a run failed")


async def plain_call(url: str, wire: str, *, blocking: bool = False) -> None:
    """Make a call without agents, with canaries in LiteLLM's own arguments."""
    arguments: dict[str, Any] = {
        "model": MODELS[wire],
        "api_base": url,
        "api_key": CANARIES["api_key"],
        "messages": [{"role": "user", "content": CANARIES["user_prompt"]}],
        "user": CANARIES["user_id"],
        "metadata": {"secret": CANARIES["metadata"]},
        "headers": {"x-secret": CANARIES["header"]},
    }
    try:
        if blocking:
            litellm.completion(**arguments)
        else:
            await litellm.acompletion(**arguments)
    except Exception:  # noqa: BLE001 - a URL with secrets makes some wires fail, which is the program's
        logging.getLogger("program").debug("a call failed")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that litespan logs, down to DEBUG."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    logger = logging.getLogger("litespan")
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    yield text
    logger.setLevel(level)
    logger.removeHandler(handler)


def leaks(text: str, places: tuple[str, ...] = PLACES) -> list[str]:
    """Return the places whose canary is in a text."""
    return [place for place in places if CANARIES[place] in text]


@pytest.mark.parametrize("wire", WIRES)
async def test_no_canary_in_spans_metrics_and_logs(provider: Provider, wire: str, log: io.StringIO) -> None:
    """Keys, headers, bodies, URLs, errors, prompts, tools: none is in a span, a metric or a log record."""
    with Capture() as capture:
        await run_everything(provider, wire)

    requests = " ".join(str([s.request.headers, s.request.json, s.request.query]) for s in provider.served)
    assert CANARIES["user_prompt"] in requests
    assert CANARIES["api_key"] in requests or wire == "gemini"
    assert 8 <= len(capture.named("chat"))
    assert {"ok", "error"} <= {str((s.attributes or {})["litespan.outcome"]) for s in capture.named("chat")}
    assert [] == leaks(emitted(capture))
    assert [] == leaks(log.getvalue())


@pytest.mark.parametrize("mode", ["SPAN_ONLY", "EVENT_ONLY"])
@pytest.mark.parametrize("wire", WIRES)
async def test_transport_secrets_stay_out_with_content_on(provider: Provider, wire: str, mode: str) -> None:
    """With content on, prompts are there, and what authenticates or steers the request is not."""
    with Capture(capture_content=mode) as capture:
        await run_everything(provider, wire)

    assert [] == leaks(emitted(capture), NEVER)
    assert {"user_prompt", "answer", "tool_arguments"} <= set(leaks(emitted(capture)))
    if mode == "EVENT_ONLY":
        assert [] == leaks(on_spans(capture))


def texts_in(folder: Path) -> str:
    """Return the texts of all files in a folder."""
    return "".join(path.read_text() for path in folder.iterdir())


@pytest.mark.parametrize("way_out", ["console", "litespan_file"])
async def test_no_canary_on_the_way_out(
    provider: Provider, tmp_path: Path, capsys: pytest.CaptureFixture[str], way_out: str
) -> None:
    """Console output and file lines have no canary either."""
    settings = load_settings(
        {},
        traces_exporter=way_out,
        metrics_exporter=way_out,
        traces_file=tmp_path / "traces.jsonl",
        metrics_file=tmp_path / "metrics.jsonl",
    )
    pipeline = pipelines.build(settings)
    _api.install(settings, pipeline)
    try:
        await run_everything(provider, "openai")
    finally:
        assert litespan.shutdown(10)
    captured = capsys.readouterr()
    files = texts_in(tmp_path)
    text = files if way_out == "litespan_file" else captured.out + captured.err

    assert "gpt-4o-mini" in text
    assert [] == leaks(files)
    assert [] == leaks(captured.err + (captured.out if way_out == "console" else ""))


@pytest.mark.parametrize("way_out", ["console", "litespan_file"])
async def test_no_canary_on_the_way_out_of_events(
    provider: Provider, tmp_path: Path, capsys: pytest.CaptureFixture[str], way_out: str
) -> None:
    """With events, prompts are where the events go; keys, headers and URLs are not there either."""
    settings = load_settings(
        {},
        capture_content="EVENT_ONLY",
        traces_exporter="litespan_file",
        metrics_exporter="litespan_file",
        logs_exporter=way_out,
        traces_file=tmp_path / "traces.jsonl",
        metrics_file=tmp_path / "metrics.jsonl",
        logs_file=tmp_path / "logs.jsonl",
    )
    _api.install(settings, pipelines.build(settings, use_globals=False))
    try:
        await run_everything(provider, "openai")
    finally:
        assert litespan.shutdown(10)
    printed = capsys.readouterr().out
    logs = printed if way_out == "console" else (tmp_path / "logs.jsonl").read_text(encoding="utf-8")

    assert "user_prompt" in leaks(logs)
    assert [] == leaks(logs, NEVER)
    for name in ("traces.jsonl", "metrics.jsonl"):
        assert [] == leaks((tmp_path / name).read_text(encoding="utf-8"))
