"""Jobs of plain LiteLLM that end badly: failures, cuts, cancellations, streams that are left."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import litellm
from openai import OpenAIError

from litespan.testing import Reply
from tests.ledger.job import Call, Job, Plan, last_piece
from tests.ledger.plain import read
from tests.ledger.stage import Stage
from tests.versions import cut_stream


def _fails_with(job: Job, replies: list[Reply], call: Call, **options: Any) -> Plan:
    """Make one call that raises."""

    async def act(stage: Stage) -> None:
        # Of an error in a stream LiteLLM makes a ValueError for some providers.
        with contextlib.suppress(OpenAIError, ValueError):
            await read(await litellm.acompletion(**job.arguments(stage, max_retries=0, **options)))

    return Plan(act, replies, [call])


def refused(job: Job) -> Plan:
    """Be refused at once; nothing is billed."""
    status = job.random.choice((400, 401, 429, 500, 503))
    return _fails_with(job, [Reply.fails(status)], Call(outcome="error"))


def failed_in_stream(job: Job) -> Plan:
    """Get an error in the middle of a stream."""
    reply = job.answer(error=Reply.fails(500).error, error_after=job.vendor.lead + 2)
    return _fails_with(job, [reply], Call(outcome="error", missing=job.vendor.failing))


def timed_out(job: Job) -> Plan:
    """Give up on a provider that never answers."""
    failed = Call(outcome="error", missing="timeout")
    return _fails_with(job, [job.answer(hang=True)] * 3, failed, timeout=2.0)  # some clients try again


def broken_answer(job: Job) -> Plan:
    """Lose the connection in the middle of an answer that is no stream."""
    broken = [job.answer(cut_after=0)] * 3  # some clients try again
    return _fails_with(job, broken, Call(outcome="error", missing="connection"))


def cut(job: Job) -> Plan:
    """Lose the connection in the middle of a stream; LiteLLM makes up an end, or raises."""

    async def act(stage: Stage) -> None:
        with cut_stream():
            await read(await litellm.acompletion(**job.arguments(stage)))

    return Plan(act, [_cut_answer(job)], [Call(outcome="incomplete", missing="incomplete")])


def cut_blocking(job: Job) -> Plan:
    """Lose the connection of a stream that is read without await; LiteLLM raises."""

    def act(stage: Stage) -> None:
        with contextlib.suppress(OpenAIError):
            for _ in litellm.completion(**job.arguments(stage)):
                pass

    return Plan(act, [_cut_answer(job)], [Call(outcome="incomplete", missing="incomplete")])


def _cut_answer(job: Job) -> Reply:
    # Behind its finish reason a stream without a usage has nothing more to lose.
    place = job.random.choice((1, 2, 3, "finish", "finish" if job.vendor.mute else "usage"))
    if isinstance(place, int):
        return job.answer(cut_after=job.vendor.lead + place)
    return job.answer(cut_before=place)


def cancelled_waiting(job: Job) -> Plan:
    """Cancel a call before it has an answer."""
    return _cancelled(job, job.answer(hang=True), lambda stage: stage.arrived(job.number))


def cancelled_reading(job: Job) -> Plan:
    """Cancel a stream while it is read."""
    return _cancelled(job, job.stuck(), None)


def _cancelled(job: Job, reply: Reply, ready: Callable[[Stage], Awaitable[None]] | None) -> Plan:
    async def act(stage: Stage) -> None:
        reached = asyncio.Event()

        async def work() -> None:
            answer = await litellm.acompletion(**job.arguments(stage))
            await read_until_stuck(answer, reached.set)

        task = asyncio.create_task(work())
        await (reached.wait() if ready is None else ready(stage))
        task.cancel()
        # Of a cancelled call to Azure LiteLLM makes an error.
        with contextlib.suppress(asyncio.CancelledError, OpenAIError):
            await task

    return Plan(act, [reply], [Call(outcome="cancelled", missing="cancelled")])


async def read_until_stuck(answer: Any, tell: Callable[[], object]) -> None:
    """Read on after the last piece that arrives; tell when it is there."""
    said = ""
    async for chunk in answer:
        said += text_of(chunk)
        if last_piece() in said:
            tell()


def text_of(chunk: Any) -> str:
    """Return the text that a chunk adds."""
    return (chunk.choices[0].delta.content or "") if chunk.choices else ""


def closed(job: Job) -> Plan:
    """Read a stream up to a point, and close it."""
    return _left(job, close=True)


def dropped(job: Job) -> Plan:
    """Read a stream up to a point, and forget it."""
    return _left(job, close=False)


def _left(job: Job, *, close: bool) -> Plan:
    async def act(stage: Stage) -> None:
        answer = await litellm.acompletion(**job.arguments(stage))
        said = ""
        async for chunk in answer:
            said += text_of(chunk)
            if last_piece() in said:
                break
        if close:
            await answer.aclose()

    return Plan(act, [job.stuck()], [Call(outcome="abandoned", missing="abandoned")])
