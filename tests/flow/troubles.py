"""Runs that end badly: what goes wrong in each, and what must be seen of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agents import (
    Agent,
    AgentsException,
    GuardrailFunctionOutput,
    InputGuardrail,
    OutputGuardrail,
    function_tool,
)
from agents.models.interface import Model
from openai import OpenAIError

import litespan
from litespan.testing import Provider, Reply, ToolCall
from tests.flow.running import run_to_end

MODEL = "gpt-4o-mini"
BAD_REQUEST = "litellm.exceptions.BadRequestError"
INTERNAL = "litellm.exceptions.InternalServerError"
RATE_LIMIT = "litellm.exceptions.RateLimitError"
MAX_TURNS = "agents.exceptions.MaxTurnsExceeded"
USER_ERROR = "agents.exceptions.UserError"


class AppError(Exception):
    """The program's own failure."""


@function_tool
def echo() -> str:
    """Do nothing special."""
    return "echo"


@function_tool(failure_error_function=None)
async def break_down() -> str:
    """Fail in a way that ends the run."""
    raise AppError("the tool broke down")


@function_tool
async def stumble() -> str:
    """Fail in a way that the model is told of."""
    raise AppError("the tool stumbled")


def _trips(*_: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)


def _raises(*_: Any) -> GuardrailFunctionOutput:
    raise AppError("the guardrail broke down")


@dataclass(frozen=True)
class Trouble:
    """A run that ends badly.

    `calls` are the outcomes of its model calls, `run` is the outcome of agent and root. `call_error`,
    `run_error` and `tool_error` are the `error.type` of calls, of agent and root, and of tools.
    """

    replies: tuple[Reply, ...]
    calls: tuple[str, ...]
    run: str
    call_error: str | None = None
    run_error: str | None = None
    tool_error: str | None = None
    attempts: int = 1
    agent: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    async def happen(self, provider: Provider, model: Model, *, stream: bool) -> Any:
        """Run an agent on the replies; return what the program gets: the answer, or the exception."""
        provider.script(MODEL, *self.replies)
        try:
            return await self._run(model, stream=stream)
        except (AgentsException, AppError, OpenAIError) as error:
            return error

    async def _run(self, model: Model, *, stream: bool) -> Any:
        agent = Agent[None](name="A", model=model, **self.agent)
        return await run_to_end(agent, stream=stream, **self.options)


def _calls(name: str) -> Reply:
    return Reply.calls(ToolCall(name))


TROUBLES = {
    "bad request": Trouble(
        (Reply.fails(400, code="context_length_exceeded"),),
        calls=("error",),
        run="error",
        call_error="context_length_exceeded",
        run_error=BAD_REQUEST,
    ),
    "server error": Trouble(
        (Reply.fails(500, code="server_error", retry_after=0.001),) * 3,
        calls=("error",),
        run="error",
        call_error="server_error",
        run_error=INTERNAL,
        attempts=3,
    ),
    "rate limit": Trouble(
        (Reply.fails(429, code="rate_limit_exceeded", retry_after=0.001),) * 3,
        calls=("error",),
        run="error",
        call_error="rate_limit_exceeded",
        run_error=RATE_LIMIT,
        attempts=3,
    ),
    "max turns": Trouble(
        (_calls("echo"),) * 2,
        calls=("ok", "ok"),
        run="error",
        run_error=MAX_TURNS,
        agent={"tools": [echo]},
        options={"max_turns": 2},
    ),
    "fatal tool": Trouble(
        (_calls("break_down"),),
        calls=("ok",),
        run="error",
        run_error=USER_ERROR,
        tool_error=USER_ERROR,
        agent={"tools": [break_down]},
    ),
    "failing tool": Trouble(
        (_calls("stumble"), Reply.says("sorry")),
        calls=("ok", "ok"),
        run="ok",
        tool_error="tool_error",
        agent={"tools": [stumble]},
    ),
    "input guardrail": Trouble(
        (),
        calls=(),
        run="blocked",
        agent={"input_guardrails": [InputGuardrail(_trips, name="no", run_in_parallel=False)]},
    ),
    "output guardrail": Trouble(
        (Reply.says("secret"),),
        calls=("ok",),
        run="blocked",
        agent={"output_guardrails": [OutputGuardrail(_trips, name="no")]},
    ),
    "failing guardrail": Trouble(
        (Reply.says("secret"),),
        calls=("ok",),
        run="error",
        run_error="tests.flow.troubles.AppError",
        agent={"output_guardrails": [OutputGuardrail(_raises, name="no")]},
    ),
}


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Let the loop work until a condition holds; fail if it does not in time."""
    assert await comes_true(condition, seconds), "the condition never held"


async def comes_true(condition: Callable[[], object], seconds: float) -> bool:
    """Let the loop work until a condition holds; say whether it did in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(0.001)
    return True


async def until_all_ended() -> None:
    """Wait until litespan holds no open record."""
    await until(lambda: litespan.stats()["records_open"] == 0)


async def until_called(provider: Provider, count: int = 1) -> None:
    """Wait until the provider has got so many requests."""
    await until(lambda: provider.calls_served() >= count)
