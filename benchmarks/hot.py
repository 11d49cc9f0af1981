"""The hot loop: the SDK's spans and LiteLLM's call of one run, without the run's own work and without HTTP.

A whole run costs many times what its telemetry costs, so small differences drown in it. Here nothing is left
but what the telemetry sees: the SDK's trace and spans of a run with two model calls and one tool call, and
LiteLLM's ``acompletion``, which answers at once. The code and the data stay in the processor's caches; real
runs are dearer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any, Final

import litellm
from agents.extensions.models.litellm_model import LitellmModel
from agents.tracing import agent_span, function_span, generation_span, task_span, trace, turn_span

from benchmarks.floor import Floor, FloorModel
from benchmarks.telemetry import AGENT, MODEL
from benchmarks.variants import BY_HAND, floor_of, set_up

Run = Callable[[], Awaitable[Any]]

_BASE_URL: Final = "http://127.0.0.1:1234/v1"
_TOOL: Final = "weather"
_MESSAGES: Final = [{"role": "user", "content": "What is the weather?"}]
_ANSWER: Final = {"role": "assistant", "content": "It is sunny."}

# What the SDK's adapter passes to LiteLLM, most of it unset.
_REQUEST: Final[dict[str, Any]] = {
    "model": MODEL,
    "messages": _MESSAGES,
    "stream": False,
    "extra_headers": {"User-Agent": "Agents/Python"},
    "api_key": "bench",
    "base_url": _BASE_URL,
    **dict.fromkeys(
        (
            "tools",
            "temperature",
            "top_p",
            "frequency_penalty",
            "presence_penalty",
            "max_tokens",
            "tool_choice",
            "response_format",
            "parallel_tool_calls",
            "stream_options",
            "reasoning_effort",
            "top_logprobs",
        )
    ),
}


def _answer() -> litellm.ModelResponse:
    message = litellm.Message(content=_ANSWER["content"])
    response = litellm.ModelResponse(
        id="chatcmpl-000001", model="gpt-4o", choices=[litellm.Choices(finish_reason="stop", message=message)]
    )
    usage = litellm.Usage(
        prompt_tokens=120,
        completion_tokens=24,
        total_tokens=144,
        prompt_tokens_details={"cached_tokens": 0},
        completion_tokens_details={"reasoning_tokens": 0},
    )
    response.usage = usage  # type: ignore[attr-defined]  # LiteLLM sets it in the same way
    response._hidden_params = {  # noqa: SLF001 - where LiteLLM keeps it
        "custom_llm_provider": "openai",
        "additional_headers": {},
        "response_cost": 5.4e-4,
    }
    return response


def prepare(variant: str, before_answer: Callable[[], Awaitable[object]] | None = None) -> Run:
    """Set a variant up and return its run; ``before_answer`` is awaited in each call, if given."""
    replace_calls(before_answer)
    set_up(variant)
    return _by_hand(floor_of(variant)) if variant in BY_HAND else run


def prepare_call(variant: str) -> Run:
    """Set a variant up and return one model call of a program that uses LiteLLM alone."""
    replace_calls()
    set_up(variant)
    return lambda: litellm.acompletion(**_REQUEST)


def replace_calls(before_answer: Callable[[], Awaitable[object]] | None = None) -> None:
    """Let LiteLLM's call answer at once, or after what is given; to be done before litespan wraps it."""
    answer = _answer()

    async def at_once(**_: Any) -> Any:
        return answer

    async def later(**_: Any) -> Any:
        await before_answer()  # type: ignore[misc]  # only used where it is given
        return answer

    litellm.acompletion = later if before_answer else at_once


async def _call() -> None:
    config = {"base_url": _BASE_URL, "model_impl": "litellm"}
    with generation_span(input=_MESSAGES, model=MODEL, model_config=config) as span:
        await litellm.acompletion(**_REQUEST)
        span.span_data.output = [_ANSWER]
        span.span_data.usage = {"input_tokens": 120, "output_tokens": 24}


async def run(
    call: Callable[[], Awaitable[Any]] = _call,
    tool: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> None:
    """Do one run: two model calls and one tool call, the body of which is in what ``tool`` returns."""
    with trace("Agent workflow"), task_span("Agent workflow"), agent_span(AGENT):
        with turn_span(1, AGENT):
            await call()
            with function_span(_TOOL, input="{}") as span, tool():
                span.span_data.output = "sunny"
        with turn_span(2, AGENT):
            await call()


def _by_hand(floor: Floor) -> Run:
    """Return the same run with the floor's telemetry around its parts."""
    result = SimpleNamespace(context_wrapper=SimpleNamespace(usage=_usage(calls=2)))
    response = SimpleNamespace(usage=_usage(calls=1))

    async def get_response(_: LitellmModel) -> Any:
        await _call()
        return response

    LitellmModel.get_response = get_response  # type: ignore[assignment,method-assign]
    model = FloorModel(floor, AGENT, 1234, model=MODEL, base_url=_BASE_URL, api_key="bench")

    async def body() -> Any:
        await run(model.get_response, lambda: floor.tool(_TOOL, AGENT))
        return result

    return lambda: floor.run(AGENT, body)


def _usage(*, calls: int) -> SimpleNamespace:
    return SimpleNamespace(input_tokens=120 * calls, output_tokens=24 * calls)
