"""Programs for the conventions' protocol against doubled calls; the first argument names one of them."""

from __future__ import annotations

import asyncio
import os
import sys
from importlib import import_module
from typing import Any

import litellm
import pytest
from litellm.integrations.custom_logger import CustomLogger
from openai import AsyncOpenAI

import litespan
from tests.interop.others import OTHERS
from tests.interop.telemetry import Telemetry
from tests.isolation import refuse_foreign_hosts

URL = os.environ["OPENAI_BASE_URL"]
HI: Any = [{"role": "user", "content": "hi"}]


async def around(*, stream: bool = False) -> None:
    """Call a model inside a span that the program's own instrumentation has of this call."""
    handler = import_module("opentelemetry.util.genai.handler").TelemetryHandler()
    with handler.inference("openai", request_model="of the outer one"):
        answer = await litellm.acompletion("openai/gpt-4o", HI, api_base=URL, api_key="k", stream=stream)
        if stream:
            async for _ in answer:
                pass


async def around_a_stream() -> None:
    """Do the same with a stream that is read to its end inside."""
    await around(stream=True)


class Judge(CustomLogger):
    """Asks a model of its own, without LiteLLM, when a call has succeeded."""

    def __init__(self) -> None:
        super().__init__()
        self.done = asyncio.Event()

    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Be called by LiteLLM in a copy of the call's context, after its end."""
        await AsyncOpenAI(base_url=URL, api_key="k").chat.completions.create(model="judge", messages=HI)
        self.done.set()


async def judged() -> None:
    """Call a model, and let a callback judge the answer."""
    judge = Judge()
    litellm.callbacks = [judge]
    await litellm.acompletion("openai/gpt-4o", HI, api_base=URL, api_key="k")
    await asyncio.wait_for(judge.done.wait(), 20)


PROGRAMS = {"around": around, "around a stream": around_a_stream, "judged": judged}


def main(program: str, other: str) -> None:
    """Switch both on, run the program, and report."""
    telemetry = Telemetry()
    OTHERS[other].set_up(telemetry.spans, telemetry.reader)
    OTHERS[other].activate()
    litespan.instrument()
    asyncio.run(PROGRAMS[program]())
    telemetry.report(internal_errors=litespan.stats()["internal_errors"])


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patch:
        refuse_foreign_hosts(patch)
        main(*sys.argv[1:])
