"""Providers that are unlike the SDK's: litespan asks of them only what OpenTelemetry's API asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from agents import Agent, Runner
from opentelemetry import _logs, metrics, trace

import litespan
from litespan.testing import Capture, Provider
from tests.flow.models import litespan_model


class Odd:
    """Passes everything on to a provider; cannot be hashed, compared or asked for its truth."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def __eq__(self, other: object) -> bool:
        raise TypeError("compared")

    def __bool__(self) -> bool:
        raise TypeError("asked for its truth")

    __hash__ = None  # type: ignore[assignment]  # as a dataclass that compares by value


class Slotted:
    """Passes everything on to a provider; cannot be referenced weakly."""

    __slots__ = ("real",)

    def __init__(self, real: Any) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@pytest.fixture(params=[Odd, Slotted])
def odd(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return a class of odd providers; take litespan out whatever the test did."""
    yield request.param
    litespan.uninstrument()


async def used(capture: Capture, provider: Provider) -> tuple[int, float, int, float]:
    """Make a run and end litespan; return the numbers of spans, calls, events and of kept instruments."""
    await Runner.run(Agent(name="Helper", model=litespan_model(provider)), "Hi")
    assert litespan.flush()
    open_records = capture.total("litespan.records.open")
    assert {} == litespan.stats()["internal_errors"]
    assert litespan.shutdown()
    return len(capture.spans), capture.total("litespan.calls"), len(capture.events), open_records


async def test_handed_over(odd: Any, provider: Provider) -> None:
    """Given to `instrument()`, also twice and anew, odd providers get everything and count on."""
    capture = Capture()
    providers = {
        "tracer_provider": odd(capture.tracer_provider),
        "meter_provider": odd(capture.meter_provider),
        "logger_provider": odd(capture.logger_provider),
    }
    for times in (1, 2):
        litespan.instrument(**providers, capture_content="EVENT_ONLY")
        litespan.instrument(**providers, capture_content="EVENT_ONLY")

        assert (3 * times, times, times, 0) == await used(capture, provider)


@pytest.mark.parametrize("set_up", [litespan.configure, litespan.instrument])
async def test_global(odd: Any, set_up: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's global providers may be odd, for both ways of setting litespan up."""
    capture = Capture()
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", odd(capture.tracer_provider))
    monkeypatch.setattr(metrics._internal, "_METER_PROVIDER", odd(capture.meter_provider))
    monkeypatch.setattr(_logs._internal, "_LOGGER_PROVIDER", odd(capture.logger_provider))
    set_up(capture_content="EVENT_ONLY")

    assert (3, 1, 1, 0) == await used(capture, provider)
