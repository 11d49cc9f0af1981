"""One provider for all tests here, the two adapters, and a listener on the SDK's tracing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from agents import set_trace_processors
from agents.extensions.models.litellm_model import LitellmModel as SdkModel
from agents.extensions.models.litellm_provider import LitellmProvider as SdkProvider
from agents.tracing import add_trace_processor

import litespan
from litespan.sources.agents_install import registered
from litespan.testing import Capture, Provider
from tests.contract.adapter.harness import Adapter, Caller
from tests.contract.adapter.span_log import SpanLog
from tests.fakes import all_wires_provider


@pytest.fixture(scope="session")
def running_provider() -> Iterator[Provider]:
    """Start one provider for all tests."""
    with all_wires_provider() as provider:
        yield provider


@pytest.fixture
def provider(running_provider: Provider) -> Provider:
    """Return the provider with nothing scripted and nothing served."""
    running_provider.reset()
    return running_provider


@pytest.fixture(autouse=True)
def own_processors() -> Iterator[None]:
    """Start without trace processors and without litespan, and put the processors back."""
    litespan.uninstrument()
    before = registered()
    assert before is not None
    set_trace_processors([])
    yield
    litespan.uninstrument()
    set_trace_processors(list(before))


@pytest.fixture(params=["sdk", "litespan"])
def adapter(request: pytest.FixtureRequest, provider: Provider) -> Iterator[Adapter]:
    """Return the SDK's adapter in a process without litespan, then litespan's in an instrumented one."""
    with ExitStack() as stack:
        if request.param == "litespan":
            stack.enter_context(Capture())
            yield Adapter("litespan", litespan.LitellmModel, litespan.LitellmProvider, provider)
        else:
            yield Adapter("sdk", SdkModel, SdkProvider, provider)


@pytest.fixture(params=["whole", "streamed"])
def caller(request: pytest.FixtureRequest, adapter: Adapter) -> Caller:
    """Call an adapter in each of the two ways."""
    return Caller(adapter, streamed=request.param == "streamed")


@pytest.fixture
def log(adapter: Adapter) -> SpanLog:
    """Listen to the SDK's tracing beside litespan, as another exporter would."""
    listener = SpanLog()
    add_trace_processor(listener)
    return listener
