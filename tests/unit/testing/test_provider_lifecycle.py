"""Starting and stopping the provider, in this process and as one of its own."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import litellm
import openai
import pytest

from litespan.testing import Provider, Reply
from tests.fakes import all_wires_provider
from tests.fakes.litellm_calls import API_KEY, MODELS, chat


def test_each_wire_has_its_url() -> None:
    """The base URLs are what LiteLLM takes as api_base."""
    with all_wires_provider() as provider:
        address = provider.url("anthropic")

        assert address.startswith("http://127.0.0.1:")
        assert f"{address}/v1" == provider.base_url == provider.url()
        assert f"{address}/v1beta" == provider.url("gemini")


def test_an_unknown_wire_is_named_with_the_known_ones() -> None:
    """The error for a wire that is not spoken lists those that are."""
    with Provider() as provider, pytest.raises(ValueError, match=r"no wire 'smoke'.*openai"):
        provider.url("smoke")


def test_there_is_no_url_before_the_start() -> None:
    """Asking for the URL of a provider that does not run is an error that tells what to do."""
    with pytest.raises(RuntimeError, match="call start"):
        _ = Provider().base_url


def test_a_taken_port_is_an_error() -> None:
    """A port that is in use is reported where the provider is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        Provider(port=taken.getsockname()[1]).start()


def test_a_provider_can_start_again() -> None:
    """After a stop the thread is gone, and the same object can serve again."""
    provider = Provider()
    others = {thread for thread in threading.enumerate() if thread.name == "litespan-fake-provider"}
    for _ in range(2):
        with provider:
            assert "fake" in litellm.completion(**chat(provider)).choices[0].message.content

    assert 2 == provider.calls_served()
    assert others >= {thread for thread in threading.enumerate() if thread.name == "litespan-fake-provider"}
    provider.stop()


async def test_a_stop_ends_connections_that_hang() -> None:
    """Stopping takes no longer than its grace, also while a call hangs, which then fails."""
    provider = Provider().start()
    provider.default = Reply.hangs()
    call = asyncio.ensure_future(litellm.acompletion(**chat(provider, max_retries=0)))
    assert await asyncio.to_thread(provider.wait_for_calls, 1)

    begin = time.monotonic()
    await asyncio.to_thread(provider.stop)

    assert time.monotonic() - begin < 2
    with pytest.raises(openai.APIError):
        await call
    assert ["stopped"] == [served.outcome for served in provider.served]


def test_importing_replies_loads_no_server() -> None:
    """The kit's names import without a web server or any host."""
    code = (
        "import sys; from litespan.testing import Provider, Reply; Provider(); Reply.says('x');"
        "heavy = {'aiohttp', 'litellm', 'agents', 'opentelemetry.sdk'};"
        "print(sorted(heavy & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()


@contextmanager
def standalone(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the provider as a process; give the process and its base URL."""
    command = [sys.executable, "-W", "error", "-m", "litespan.testing.provider", *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()


@pytest.mark.parametrize("ending", ["end of input", "SIGTERM"])
async def test_serves_as_a_process(ending: str) -> None:
    """The process prints its base URL first, serves, and leaves quietly when told to."""
    with standalone("--text", "from afar", "--pieces", "2") as (process, base_url):
        response = await litellm.acompletion(
            model=MODELS["openai"],
            api_base=base_url,
            api_key=API_KEY,
            messages=[{"role": "user", "content": "Hi"}],
        )
        if ending == "SIGTERM":
            process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=10)

    assert "from afar" == response.choices[0].message.content
    assert (0, "") == (process.returncode, complaints)
