"""Secrets in every place of a program, in every mode: none is in what litespan emits."""

from __future__ import annotations

import io
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import pytest

from litespan.settings import CONTENT_MODES, EVENT_ONLY, NO_CONTENT, SPAN_AND_EVENT, SPAN_ONLY
from litespan.testing import Capture, Provider
from tests.flow.everything import emitted, on_spans
from tests.safety.canaries import (
    CANARIES,
    CONTENT,
    CREDENTIALS,
    PLACES,
    beside_content,
    found_in,
    in_events,
    texts_of,
)
from tests.safety.planted_calls import CALLS
from tests.safety.planted_runs import RUNS

pytestmark = pytest.mark.timeout(180)

Act = Callable[[Provider], Awaitable[None]]

# Canaries that never leave the process, so that nobody can say whether they were there.
UNSEEN = {"run_context", "trace_metadata", "call_metadata", "aws_secret", "custom_span", "spoken", "heard"}
# Content that no attribute has: the conventions know none, or litespan leaves it out.
NEVER_SHOWN = {"guardrail_info", "guardrail_error", "hook_error", "run_context", "tool_cause", "embedding_input"}


@dataclass
class Evidence:
    """What the outside and the program saw: it tells that the canaries were there."""

    texts: list[str] = field(default_factory=list)

    def note(self, provider: Provider) -> None:
        """Note what the provider got."""
        self.texts += [str([s.request.headers, s.request.json, s.request.query]) for s in provider.served]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the key of the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", CANARIES["environment_key"])


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that litespan and OpenTelemetry log, down to DEBUG."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    loggers = [logging.getLogger(name) for name in ("litespan", "opentelemetry")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield text
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
        logger.removeHandler(handler)


async def everything(provider: Provider, acts: tuple[Act, ...] = (*CALLS, *RUNS)) -> Evidence:
    """Do all of it; failures are the program's own."""
    evidence = Evidence()
    for act in acts:
        provider.reset()
        try:
            await act(provider)
        except Exception as error:  # noqa: BLE001 - whatever the program sees, the telemetry is looked at
            evidence.texts += [*texts_of(error)]
        evidence.note(provider)
    return evidence


def test_forty_places_and_more() -> None:
    """There is a canary in more than forty places, and none is part of another."""
    assert 40 <= len(PLACES) == len(set(CANARIES.values()))
    assert [[place] for place in PLACES] == [found_in(CANARIES[place]) for place in PLACES]


@pytest.mark.parametrize("mode", CONTENT_MODES)
async def test_no_canary_where_none_was_asked_for(
    provider: Provider, mode: str, log: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    """Credentials are nowhere; content is in the attributes of the places that the mode names, and in no other."""
    with Capture(capture_content=mode) as capture:
        evidence = await everything(provider)
    printed = "".join(capfd.readouterr())

    assert [] == found_in(emitted(capture), CREDENTIALS)
    assert [] == found_in(beside_content(capture))
    assert [] == found_in(log.getvalue())
    assert [] == found_in(printed)
    spans = CONTENT if mode in (SPAN_ONLY, SPAN_AND_EVENT) else ()
    events = CONTENT if mode in (EVENT_ONLY, SPAN_AND_EVENT) else ()
    assert set(found_in(on_spans(capture))) == set(spans) - NEVER_SHOWN
    assert set(found_in(in_events(capture))) <= set(events) - NEVER_SHOWN
    assert bool(events) == ("user_prompt" in found_in(in_events(capture)))
    if mode == NO_CONTENT:
        assert set(PLACES) - UNSEEN == set(found_in("".join(evidence.texts))) - UNSEEN
