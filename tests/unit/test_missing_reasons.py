"""Why the usage of a call is missing: one rule for calls of LiteLLM and for the Agents SDK's other models."""

from __future__ import annotations

from typing import Any

import pytest

from litespan import records
from litespan.records import Failure, ModelCall, Usage
from litespan.sources.litellm_failures import missing_reason

WHOLE, PART = Usage(10, 5), Usage(10, complete=False)


def failed(exception: str, status: int | None, usage: Usage | None = None, **seen: Any) -> ModelCall:
    """Return a call that failed, with what was seen of its traffic."""
    failure = Failure(type="x", exception=exception, status=status)
    return ModelCall(outcome=records.ERROR, failure=failure, usage=usage, **seen)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (ModelCall(usage=WHOLE), None),
        (ModelCall(), "not_reported"),
        (ModelCall(finish_reasons=("queued",)), "background"),
        (ModelCall(finish_reasons=("in_progress",)), "background"),
        (ModelCall(finish_reasons=("stop",)), "not_reported"),
        (ModelCall(cache_hit=True), None),
        (ModelCall(mocked=True), None),
        (ModelCall(usage_elsewhere=True), None),
        (failed("RateLimitError", 429), None),
        (failed("Timeout", 408), "timeout"),
        (failed("APITimeoutError", 504), "timeout"),
        (failed("APIConnectionError", 500), "connection"),
        (failed("MidStreamFallbackError", 500), "connection"),
        (failed("ValueError", None), "error"),
        (failed("ValueError", None, PART), "error"),
        (failed("ValueError", None, cut=True), "connection"),
        (failed("Timeout", 408, cut=True), "timeout"),
        (failed("RateLimitError", 429, cut=True), None),
        (failed("APIConnectionError", 500, refused=True), None),
        (failed("RateLimitError", None, timed_out=True), "timeout"),
        (failed("APIConnectionError", 500, timed_out=True), "timeout"),
        (failed("RateLimitError", 429, timed_out=True), None),
        (ModelCall(outcome=records.ERROR), "error"),
        (ModelCall(outcome=records.ERROR, usage=WHOLE), None),
        *[
            (ModelCall(outcome=outcome, usage=usage), outcome)
            for outcome in ("cancelled", "abandoned", "incomplete", "blocked")
            for usage in (None, PART)
        ],
    ],
)
def test_reason(call: ModelCall, reason: str | None) -> None:
    """Every way to end has its reason, a usage that is whole has none, and neither has a refusal."""
    assert reason == missing_reason(call)
    assert reason is None or reason in records.MISSING_REASONS


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (ModelCall(usage=WHOLE), "lost_attempt"),
        (failed("RateLimitError", 429), "lost_attempt"),
        (failed("Timeout", 408), "timeout"),
        (ModelCall(), "not_reported"),
    ],
)
def test_lost_attempt_is_a_reason_where_there_is_no_other(call: ModelCall, reason: str) -> None:
    """A call counts once, by the reason of its own end; a lost attempt comes after all others."""
    call.lost_attempts = 1
    assert reason == missing_reason(call)
