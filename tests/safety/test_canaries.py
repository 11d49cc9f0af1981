"""Secrets in every place of a program, in every mode: none is in what litespan emits."""

from __future__ import annotations

import io
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import pytest

from litespan.settings import CONTENT_MODES, EVENT_ONLY, SPAN_AND_EVENT, SPAN_ONLY
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

# Canaries that neither the provider nor the program's exceptions show.
UNSEEN = {
    "aws_secret", "aws_session_token", "azure_token", "custom_span", "egress_proxy_password",
    "guardrail_info", "heard", "mcp_header", "mcp_url_password", "mcp_url_token", "mcp_url_user",
    "router_url_password", "run_context", "spoken", "trace_metadata", "url_password", "url_user",
    "vertex_private_key", "answer", "reasoning", "call_metadata",
}  # fmt: skip
# Content that is on no span: the conventions have no place for it, or the Agents SDK does not tell it.
NEVER_SHOWN = {
    "embedding_input", "guardrail_error", "guardrail_info", "hook_error", "run_context", "tool_cause",
    "tool_description", "tool_error",
}  # fmt: skip


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


def test_sixty_places_and_more() -> None:
    """There is a canary in more than sixty places, and none is part of another."""
    assert 60 < len(PLACES) == len(set(CANARIES.values()))
    assert [[place] for place in PLACES] == [found_in(CANARIES[place]) for place in PLACES]


@pytest.mark.parametrize("mode", CONTENT_MODES)
async def test_no_canary_where_none_was_asked_for(
    provider: Provider, mode: str, log: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    """Credentials are nowhere; content is in the attributes that the mode names, and nowhere else."""
    with Capture(capture_content=mode) as capture:
        evidence = await everything(provider)
    printed = "".join(capfd.readouterr())

    assert [] == found_in(emitted(capture), CREDENTIALS)
    assert [] == found_in(beside_content(capture))
    assert [] == found_in(log.getvalue())
    assert [] == found_in(printed)
    on_span, in_event = mode in (SPAN_ONLY, SPAN_AND_EVENT), mode in (EVENT_ONLY, SPAN_AND_EVENT)
    assert (set(CONTENT) - NEVER_SHOWN if on_span else set()) == set(found_in(on_spans(capture)))
    assert set(found_in(in_events(capture))) <= set(CONTENT) - NEVER_SHOWN
    assert in_event == ("user_prompt" in found_in(in_events(capture)))
    assert set(PLACES) - UNSEEN <= set(found_in("".join(evidence.texts)))
