"""However many models, agents and handoffs there are, no metric has more than 1,000 attribute sets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from agents import Agent, Runner
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from litespan import _api
from litespan.labels import Labels
from litespan.recorder import Recorder
from litespan.records import AgentRun, Guardrail, Handoff, ModelCall, Record, Run, ToolCall, Usage
from litespan.testing import Capture, Provider
from tests.flow.models import litespan_model

LIMIT, MANY = 1000, 10_000
PRICES = {f"openai/own-{number}": {"input": 1.0, "output": 2.0} for number in range(10)}


@pytest.fixture
def capture() -> Iterator[Capture]:
    """Capture metrics; spans are not sampled, which the metrics do not care about."""
    with Capture(sampler=ALWAYS_OFF, prices=PRICES, metric_keys=["team"]) as capturing:
        yield capturing


def recorder() -> Recorder:
    """Return the recorder that the capture has installed."""
    assert _api._installed is not None
    return _api._installed.recorder


def feed(record: Record, parent: Record | None = None) -> None:
    """Let a record begin and end, as the sources do."""
    recorder().begin(record, parent)
    recorder().end(record)


def call(model: str, agent: str = "A", **fields: object) -> ModelCall:
    """Return a model call that reported its usage."""
    return ModelCall(
        operation="chat",
        provider="openai",
        litellm_provider="openai",
        model=model,
        agent_name=agent,
        workflow_name="flow",
        usage=Usage(input_tokens=10, output_tokens=5),
        **fields,  # type: ignore[arg-type]
    )


def sets(capture: Capture) -> dict[str, int]:
    """Return the number of attribute sets of each metric."""
    return {name: len(capture.points(name)) for name in sorted(capture.metric_names())}


class Flood(NamedTuple):
    """Many records with names of their own; ``counter`` and ``histogram`` are metrics that count them."""

    record: Callable[[int], Record]
    counter: str | None
    histogram: str | None
    size: int = 3 * LIMIT


CALLS = ("litespan.calls", "gen_ai.client.operation.duration")
FLOODS = {
    "models and agents": Flood(lambda n: call(f"model-{n}", f"agent {n}"), *CALLS, MANY),
    "agents on a priced model": Flood(lambda n: call("gpt-4o", f"agent {n}"), *CALLS),
    "few by few": Flood(lambda n: call(f"model-{n % 47}", f"agent {n % 53}"), *CALLS),
    "teams": Flood(lambda n: call("gpt-4o", labels=Labels(attributes={"team": f"team {n}"})), *CALLS),
    "handoffs": Flood(lambda n: Handoff(source="A", target=f"agent {n}"), "litespan.handoffs", None, MANY),
    "guardrails": Flood(lambda n: Guardrail(name=f"guardrail {n}"), "litespan.guardrails", None),
    "tools": Flood(lambda n: ToolCall(name=f"tool {n}"), None, "gen_ai.execute_tool.duration"),
    "agent runs": Flood(lambda n: AgentRun(name=f"agent {n}"), None, "gen_ai.invoke_agent.duration"),
    "workflows": Flood(
        lambda n: Run(name=f"flow {n}", workflow_name=f"flow {n}"), "litespan.runs", "litespan.run.duration"
    ),
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", FLOODS)
def test_floods_are_capped_and_nothing_is_lost(capture: Capture, name: str) -> None:
    """Of thousands of names no metric gets more than 1,000 sets; all are counted; again adds no set."""
    flood = FLOODS[name]
    for number in range(flood.size):
        feed(flood.record(number))
    once = sets(capture)
    for number in range(flood.size):
        feed(flood.record(number))

    assert once == sets(capture)
    assert max(once.values()) <= LIMIT
    if flood.counter is not None:
        assert 2 * flood.size == capture.total(flood.counter)
    if flood.histogram is not None:
        assert 2 * flood.size == capture.count(flood.histogram)
    if flood.counter == "litespan.calls":
        assert 20 * flood.size == capture.total("gen_ai.client.inference.usage.input_tokens")
        assert {0} == {point.value for point in capture.points("litespan.calls.active")}


def test_configured_and_priced_models_are_never_other(capture: Capture) -> None:
    """Models with a price of the program's own or in the price table keep their name after a flood."""
    for number in range(MANY):
        feed(call(f"model-{number}", f"agent {number}"))
    late = ["gpt-4o", "gpt-4.1", "gpt-4o-mini", *(name.removeprefix("openai/") for name in PRICES), "priced"]
    for model in late:
        price = {"input": 1.0, "output": 1.0} if model == "priced" else None
        feed(call(model, "late agent", price=price))

    for model in late:
        assert 1 == capture.total("litespan.calls", gen_ai__request__model=model)
        assert 1 == capture.count("gen_ai.client.operation.duration", gen_ai__request__model=model)
        assert capture.total("litespan.cost", gen_ai__request__model=model)
    assert MANY + len(late) == capture.total("litespan.calls")
    assert [] == capture.points("litespan.calls", gen_ai__agent__name="late agent")


def test_calls_in_flight_balance(capture: Capture) -> None:
    """A call whose set becomes `other`, or whose model is known only at its end, ends where it began."""
    open_calls = [call(f"model-{number}") for number in range(2 * LIMIT)]
    for record in open_calls:
        recorder().begin(record, None)
    assert len(open_calls) == capture.total("litespan.calls.active")
    for number, record in enumerate(open_calls):
        record.model = f"other-model-{number}"
        recorder().end(record)

    assert {0} == {point.value for point in capture.points("litespan.calls.active")}


def test_one_warning_for_each_instrument(capture: Capture, caplog: pytest.LogCaptureFixture) -> None:
    """The first overflow of an instrument is told once, by its name."""
    with caplog.at_level(logging.WARNING, "litespan"):
        for number in range(2 * LIMIT):
            feed(Handoff(source=f"from {number}", target=f"to {number}"))
            feed(Guardrail(name=f"guardrail {number}"))

    told = [message for message in caplog.messages if "too many attribute sets" in message]
    assert ["litespan.guardrails", "litespan.handoffs"] == sorted(message.split()[1] for message in told)


def test_set_up_anew_keeps_the_limit() -> None:
    """Instrumenting again for the same provider starts no second thousand."""
    first = Capture(sampler=ALWAYS_OFF)
    for prefix in ("a", "b", "c"):
        with first:
            for number in range(LIMIT):
                feed(call(f"{prefix}-{number}", f"agent {prefix}{number}"))

    assert max(sets(first).values()) <= LIMIT
    assert 3 * LIMIT == first.total("litespan.calls")


@pytest.mark.timeout(240)
async def test_fifty_agents_over_ten_models(provider: Provider, capsys: pytest.CaptureFixture[str]) -> None:
    """50 agents over 10 models keep all their names in 1,000 sets; twice the calls add no set."""
    models = [litespan_model(provider, f"model-{number}") for number in range(10)]
    agents = [Agent[None](name=f"agent {n}", model=models[n % 10]) for n in range(50)]
    with Capture(sampler=ALWAYS_OFF) as capture:
        await asyncio.gather(*(Runner.run(agent, "hi") for agent in agents))
        once = sets(capture)
        await asyncio.gather(*(Runner.run(agent, "hi") for agent in agents))
        twice = sets(capture)

        with capsys.disabled():
            print(f"\n50 agents over 10 models: {sum(once.values())} attribute sets in all: {once}")  # noqa: T201
        assert once == twice
        assert sum(once.values()) <= LIMIT
        assert 50 == len(capture.points("litespan.calls"))
        assert 100 == capture.total("litespan.calls")
        assert 2 * 50 == provider.calls_served()
        assert [] == capture.points("litespan.calls", gen_ai__agent__name="other")


def test_every_agent_on_every_model(capture: Capture, capsys: pytest.CaptureFixture[str]) -> None:
    """50 agents that each use all of 10 models stay below the limit, and no model is lost."""
    for number in range(50):
        for model in PRICES:
            feed(call(model.removeprefix("openai/"), f"agent {number}"))

    found = sets(capture)
    with capsys.disabled():
        print(f"\n50 agents x 10 models: at most {max(found.values())} attribute sets: {found}")  # noqa: T201
    assert max(found.values()) <= LIMIT
    assert 500 == len(capture.points("litespan.calls"))
    for model in PRICES:
        name = model.removeprefix("openai/")
        assert 50 == capture.total("litespan.calls", gen_ai__request__model=name)
        assert pytest.approx(50 * 20e-6) == capture.total("litespan.cost", gen_ai__request__model=name)
