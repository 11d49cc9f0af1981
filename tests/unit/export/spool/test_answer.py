"""What HTTP statuses and headers of a receiver mean."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from litespan.export.otlp.answer import Answer, Verdict, of_status, seconds_of


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ([200, 202, 204], Verdict.SENT),
        ([408, 429, 500, 502, 503, 504, 599], Verdict.LATER),
        ([301, 307, 400, 401, 403, 404, 405, 409, 415, 422, 451, 499], Verdict.NEVER),
        ([413], Verdict.SPLIT),
    ],
)
def test_status_has_a_verdict(statuses: list[int], verdict: Verdict) -> None:
    """Every status is one of: sent, later, never, to be split."""
    assert {verdict} == {of_status(status).verdict for status in statuses}


def test_reasons_of_a_loss() -> None:
    """Wrong credentials and a wrong address are told apart from data that is refused."""
    reasons = {status: of_status(status).loss for status in (400, 401, 403, 404, 405)}

    assert reasons == {
        400: "rejected",
        401: "unauthorized",
        403: "unauthorized",
        404: "not_found",
        405: "not_found",
    }


def test_retry_after() -> None:
    """Seconds and dates are understood; nonsense is as good as nothing, and the past is now."""
    assert (3.0, 1.5, 0.0) == (seconds_of("3"), seconds_of("1.5"), seconds_of("-3"))
    assert [None] * 5 == [seconds_of(text) for text in (None, "", "soon", "nan", "inf")]
    assert seconds_of(formatdate(time.time() - 100, usegmt=True)) == 0
    assert 940 < (seconds_of(formatdate(time.time() + 1000, usegmt=True)) or 0) <= 1000
    assert of_status(503, "7") == Answer(Verdict.LATER, "503", wait=7.0)
