"""Taking litespan out restores every name of the hosts, whichever it was: all their modules are compared."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import agents.extensions.models.litellm_model  # noqa: F401 - loaded before the first look
import litellm
import litellm.llms.custom_httpx.aiohttp_transport
import wrapt
from agents import Agent, Runner

import litespan
from litespan.sources.agents_install import registered
from litespan.testing import Capture, Provider
from tests.fakes.litellm_calls import WIRES, chat
from tests.flow.models import litespan_model

HOSTS = ("agents", "litellm", "openai")


def functions() -> dict[tuple[str, str, str], Any]:
    """Return every function of the hosts' modules and classes, by module, class and name."""
    return {key: value for key, value in _attributes() if callable(value) or hasattr(type(value), "__get__")}


def _attributes() -> Iterator[tuple[tuple[str, str, str], Any]]:
    for module_name, module in list(sys.modules.items()):
        if module_name.partition(".")[0] not in HOSTS:
            continue
        for name, value in list(getattr(module, "__dict__", {}).items()):
            yield (module_name, "", name), value
            if isinstance(value, type) and value.__module__ == module_name:
                for method, function in list(vars(value).items()):
                    yield (module_name, name, method), function


def ours(found: dict[tuple[str, str, str], Any]) -> set[tuple[str, str, str]]:
    """Return the names that litespan has wrapped."""
    return {
        key
        for key, value in found.items()
        if isinstance(value, wrapt.FunctionWrapper)
        and str(getattr(value._self_wrapper, "__module__", "")).startswith("litespan")
    }


async def use_everything(provider: Provider) -> None:
    """Make runs and calls, so that whatever the hosts load late is loaded."""
    await Runner.run(Agent(name="A", model=litespan_model(provider)), "Hi")
    result = Runner.run_streamed(Agent(name="A", model=litespan_model(provider)), "Hi")
    async for _ in result.stream_events():
        pass
    for wire in WIRES:
        await litellm.acompletion(**chat(provider, wire))


async def test_a_replaced_module_is_restored() -> None:
    """So is the package `litellm` in the module that makes batches in threads."""
    batches = sys.modules[litellm.batch_completion.__module__]
    with Capture():
        assert vars(batches)["litellm"] is not litellm
    assert vars(batches)["litellm"] is litellm


async def test_every_name_is_restored(provider: Provider) -> None:
    """After `uninstrument()` every function of the hosts is the very object that it was, twice in a row."""
    litespan.uninstrument()
    await use_everything(provider)
    before, processors = functions(), registered()
    assert set() == ours(before)

    for _ in range(2):
        with Capture():
            await use_everything(provider)
            wrapped = ours(functions())
        after = functions()

        assert {("litellm", "", "acompletion"), ("litellm", "", "completion")} <= wrapped
        assert set() == ours(after)
        assert [] == [key for key in wrapped & set(before) if after[key] is not before[key]]
        assert processors == registered()
