"""Runs that fail or are blocked: what the spans and metrics say, and what the program sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from agents import Agent, GuardrailFunctionOutput, InputGuardrail, OutputGuardrail
from agents.extensions.models.litellm_model import LitellmModel as SdkLitellmModel
from agents.models.interface import Model
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

import litespan
from litespan.testing import Capture, Provider, Reply
from tests.flow.models import litespan_model
from tests.flow.running import run_to_end
from tests.flow.troubles import MODEL, TROUBLES, AppError, Trouble, until, until_all_ended

every_trouble = pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
streamed_or_not = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def seen(spans: list[ReadableSpan], *attributes: str) -> list[tuple[Any, ...]]:
    """Return these attributes of spans."""
    return [tuple((span.attributes or {}).get(name) for name in attributes) for span in spans]


@every_trouble
@streamed_or_not
async def test_outcomes(trouble: Trouble, provider: Provider, *, stream: bool) -> None:
    """Calls, tools, agent and root say how they ended, and no span stays open."""
    with Capture(deterministic=True) as capture:
        await trouble.happen(provider, litespan_model(provider), stream=stream)
        await until_all_ended()

        how, why = "litespan.outcome", "error.type"
        calls = [(outcome, trouble.call_error, trouble.attempts) for outcome in trouble.calls]
        assert calls == seen(capture.named("chat"), how, why, "litespan.attempts")
        assert [(trouble.run, trouble.run_error)] == seen(capture.named("invoke_agent"), how, why)
        assert [(trouble.run, trouble.run_error)] == seen(capture.named("invoke_workflow"), how, why)
        if trouble.tool_error is not None:
            assert [("error", trouble.tool_error)] == seen(capture.named("execute_tool"), how, why)


@every_trouble
@streamed_or_not
async def test_status_follows_the_error(trouble: Trouble, provider: Provider, *, stream: bool) -> None:
    """A span with an `error.type` has status ERROR, each other span leaves it unset, and none has events."""
    with Capture() as capture:
        await trouble.happen(provider, litespan_model(provider), stream=stream)
        await until_all_ended()

        assert capture.spans
        for span in capture.spans:
            expected = StatusCode.ERROR if "error.type" in (span.attributes or {}) else StatusCode.UNSET
            assert expected is span.status.status_code, span.name
            assert () == span.events


@every_trouble
@streamed_or_not
async def test_metrics_count_by_outcome(trouble: Trouble, provider: Provider, *, stream: bool) -> None:
    """`litespan.runs` and `litespan.calls` count each run and call once, under its outcome."""
    with Capture() as capture:
        await trouble.happen(provider, litespan_model(provider), stream=stream)
        await until_all_ended()

        assert 1 == capture.total("litespan.runs")
        assert 1 == capture.total("litespan.runs", litespan__outcome=trouble.run)
        assert len(trouble.calls) == capture.total("litespan.calls")
        for outcome in set(trouble.calls):
            counted = capture.total("litespan.calls", litespan__outcome=outcome)
            assert trouble.calls.count(outcome) == counted


async def test_description_of_a_failed_call(provider: Provider) -> None:
    """The status tells class, HTTP status and the provider's code, and no message text."""
    with Capture() as capture:
        await TROUBLES["bad request"].happen(provider, litespan_model(provider), stream=False)

        [call] = capture.named("chat")
        assert "BadRequestError: HTTP 400 context_length_exceeded" == call.status.description
        assert all("told to fail" not in (span.status.description or "") for span in capture.spans)


@every_trouble
@streamed_or_not
@pytest.mark.parametrize("make", [litespan_model, None], ids=["litespan model", "SDK model"])
async def test_program_sees_what_it_would_see(
    trouble: Trouble, provider: Provider, make: Callable[[Provider], Model] | None, *, stream: bool
) -> None:
    """Result or exception are the same as without litespan, in type, text, fields and causes."""

    def sdk_model(provider: Provider) -> Model:
        return SdkLitellmModel(f"openai/{MODEL}", base_url=provider.base_url, api_key="k")

    litespan.uninstrument()
    control = await trouble.happen(provider, sdk_model(provider), stream=stream)
    with Capture():
        observed = await trouble.happen(provider, (make or sdk_model)(provider), stream=stream)

    assert portrait(control) == portrait(observed)


def portrait(ended: Any) -> Any:
    """Return what a program can tell about an exception and what caused it."""
    if not isinstance(ended, BaseException):
        return ended
    fields = {name: getattr(ended, name, None) for name in ("status_code", "code", "param", "llm_provider")}
    return (
        type(ended),
        str(ended),
        fields,
        portrait(ended.__cause__),
        portrait(ended.__context__),
        ended.__suppress_context__,
    )


@streamed_or_not
async def test_program_gets_its_own_exception_back(provider: Provider, *, stream: bool) -> None:
    """An exception that the program raised inside a run comes out as the same object."""
    mine = AppError("mine")

    def fail(*_: Any) -> GuardrailFunctionOutput:
        raise mine

    trouble = Trouble((), calls=(), run="error", agent={"output_guardrails": [OutputGuardrail(fail)]})
    with Capture():
        assert mine is await trouble.happen(provider, litespan_model(provider), stream=stream)


@streamed_or_not
@pytest.mark.parametrize("answered", [False, True])
async def test_a_guardrail_fails_beside_the_model(
    provider: Provider, *, stream: bool, answered: bool
) -> None:
    """The run has failed, although the SDK cancels a streamed one, or ends it well after a faster model."""
    capture = Capture()

    async def raises(*_: Any) -> GuardrailFunctionOutput:
        await until(lambda: capture.named("chat") if answered else provider.calls_served())
        raise AppError("the guardrail broke down")

    agent = Agent[None](
        name="A", model=litespan_model(provider), input_guardrails=[InputGuardrail(raises, name="no")]
    )
    provider.script(MODEL, Reply.says("secret") if answered else Reply.hangs())
    with capture:
        with pytest.raises(AppError):
            await run_to_end(agent, stream=stream)
        await until_all_ended()

        how, why, own = "litespan.outcome", "error.type", "tests.flow.troubles.AppError"
        assert [("ok" if answered else "cancelled", None)] == seen(capture.named("chat"), how, why)
        for name in ("guardrail", "invoke_agent", "invoke_workflow"):
            assert [("error", own)] == seen(capture.named(name), how, why)
        assert 1 == capture.total("litespan.runs", litespan__outcome="error")
