"""How jobs are done: runs of the Agents SDK that get cancelled, streams that nobody reads to their end."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final, cast

import litellm
from agents import Agent, Runner, function_tool
from agents.extensions.models.litellm_model import LitellmModel as SdkLitellmModel
from openai import OpenAI

from tests.flow.models import open_stream
from tests.soak.job import Job

MODEL: Final = "openai/gpt-4.1-mini"
_PATIENCE: Final = 30.0  # seconds that a cancelled run may take to end
_TIRED: Final = 0.3  # seconds after which a reader of chunks that do not come gives up

litellm.suppress_debug_info = True  # it prints, and the program's output is its report


@function_tool
async def look_up(word: str) -> str:
    """Look a word up."""
    await asyncio.sleep(0.001)
    return f"{word}: found"


class CountedModel(SdkLitellmModel):
    """The SDK's model; it counts the calls that it is asked to make."""

    def __init__(self, base_url: str, begun: Counter[str]) -> None:
        super().__init__(MODEL, base_url=base_url, api_key="none")
        self._begun = begun

    async def get_response(self, *args: Any, **kwargs: Any) -> Any:
        """Count and call."""
        self._begun["calls"] += 1
        return await super().get_response(*args, **kwargs)

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """Count, once somebody reads, and stream."""
        self._begun["calls"] += 1
        async for event in super().stream_response(*args, **kwargs):
            yield event


class Deeds:
    """Does jobs against one provider.

    Attributes:
        begun: how many runs, streams and calls the program has begun, as it knows itself.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self.begun: Counter[str] = Counter()

    async def do(self, job: Job) -> None:
        """Do a job; whatever it was, its end is the program's own wish."""
        self.begun[job.kind] += 1
        deed = self._run if job.kind == "run" else self._read
        task = asyncio.create_task(deed(job))
        if job.end == "timeout":
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(task, job.delay)
            return
        if job.end in ("task", "cancel"):
            await self._cancel(task, job.delay)
            return
        patience = _PATIENCE if job.kind == "run" else _TIRED
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(task, patience)

    @staticmethod
    async def _cancel(task: asyncio.Task[None], delay: float) -> None:
        if delay:
            await asyncio.wait({task}, timeout=delay)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, _PATIENCE)

    async def _run(self, job: Job) -> None:
        model = CountedModel(self._base_url, self.begun)
        agent = Agent[None](name="Desk", model=model, tools=[look_up])
        if not job.streamed:
            await Runner.run(agent, job.text)
            return
        result = Runner.run_streamed(agent, job.text)
        if job.end == "result":
            asyncio.get_running_loop().call_later(job.delay, result.cancel)
        async for _ in result.stream_events():
            pass

    # -- streams -------------------------------------------------------------------------------------------
    async def _read(self, job: Job) -> None:
        stream = await self._open(job)
        if job.end == "drop":
            return
        await _read_some(stream, 10**6 if job.end == "cancel" else job.chunks)
        if job.end == "close":
            await stream.aclose()
        if job.end == "close elsewhere":
            await asyncio.create_task(stream.aclose())

    async def _open(self, job: Job) -> Any:
        if job.through == "model":
            return open_stream(CountedModel(self._base_url, self.begun), job.text)
        self.begun["calls"] += 1
        return await litellm.acompletion(**self._arguments(job))

    def do_blocking(self, job: Job) -> None:
        """Read some of a stream without await, and leave it."""
        self.begun[job.kind] += 1
        self.begun["calls"] += 1
        # A client of its own. A stream that is dropped lives until the garbage collector comes, and closes
        # its connection under a lock of its client: that hangs for ever if the thread holds the lock already,
        # because it is just asking this client for a connection (httpcore 1.0, with litespan or without).
        client = OpenAI(base_url=self._base_url, api_key="none")
        stream = cast("Iterator[Any]", litellm.completion(**self._arguments(job), client=client))
        for _, _ in zip(range(job.chunks), stream, strict=False):
            pass

    def _arguments(self, job: Job) -> dict[str, Any]:
        messages = [{"role": "user", "content": job.text}]
        where = {"model": MODEL, "api_base": self._base_url, "api_key": "none"}
        return {**where, "messages": messages, "stream": True}


async def _read_some(stream: Any, chunks: int) -> None:
    """Read so many chunks; where the provider falls silent before, somebody has to end the wait."""
    for _ in range(chunks):
        if await anext(stream, None) is None:
            return
