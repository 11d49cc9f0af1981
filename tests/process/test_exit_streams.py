"""Streams that are still half read when the interpreter exits."""

from __future__ import annotations

from pathlib import Path

import pytest

from litespan.testing import Provider, Reply
from tests.fakes.otlp_server import collector
from tests.process.shell import python
from tests.process.zero_code.commands import environment

pytestmark = pytest.mark.timeout(120)

PROGRAM = """
import asyncio
import litellm, litespan

litespan.configure()
call = {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
held = [litellm.completion(**call)]
next(held[0])

async def chunks():
    with litespan.using(tags=["left"]):
        async for chunk in await litellm.acompletion(**call):
            yield chunk

async def main():
    held.append(chunks())
    await held[1].__anext__()

loop = asyncio.new_event_loop()
loop.run_until_complete(main())  # and not closed: the exit finds the generator open
"""


def test_streams_left_to_the_exit(tmp_path: Path) -> None:
    """Each is one span, sent before the end; nothing fails to detach and litespan does not fail."""
    with Provider() as provider, collector() as received:
        provider.default = Reply.says("a b c d e f", pieces=6, stall_after=4)
        variables = environment(provider.base_url, received.endpoint)
        done = python("-W", "ignore", "-c", PROGRAM, folder=tmp_path, **variables)

    assert 0 == done.returncode
    assert "detach" not in done.stderr
    assert "litespan" not in done.stderr
    assert ["chat gpt-4o-mini"] * 2 == [span.name for span in received.spans()]
