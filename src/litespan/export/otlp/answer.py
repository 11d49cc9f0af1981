"""What a receiver's answer means for the batch: sent, to be tried later, never, or to be split."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from http import HTTPStatus
from typing import Final

from litespan.export.ledger import NOT_FOUND, REJECTED, TOO_LARGE, UNAUTHORIZED, ExportLedger


class Verdict(Enum):
    """What to do with the batch."""

    SENT = "sent"
    LATER = "later"
    NEVER = "never"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class Answer:
    """How an attempt ended.

    Attributes:
        verdict: what to do with the batch.
        error_type: the HTTP status, the gRPC status or the exception's class; empty where it was sent.
        loss: why the items are lost, if the verdict is NEVER; a reason of :mod:`litespan.export.ledger`.
        wait: seconds for which the receiver asked not to be asked again.
        rejected: items that the receiver has refused although it took the batch (OTLP's partial success).
    """

    verdict: Verdict
    error_type: str = ""
    loss: str = REJECTED
    wait: float | None = None
    rejected: int = 0


_PASSING: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
_LOSSES: Final[dict[int, str]] = {
    HTTPStatus.UNAUTHORIZED: UNAUTHORIZED,
    HTTPStatus.FORBIDDEN: UNAUTHORIZED,
    HTTPStatus.NOT_FOUND: NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: NOT_FOUND,
}


def of_status(status: int, retry_after: str | None = None, rejected: int = 0) -> Answer:
    """Judge an HTTP status.

    Of the 5xx, OTLP calls 502, 503 and 504 passing; the others are too: a proxy in front of the receiver may
    answer anything while that one is away.
    """
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Answer(Verdict.SENT, rejected=rejected)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Answer(Verdict.SPLIT, str(status))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING:
        return Answer(Verdict.LATER, str(status), wait=seconds_of(retry_after))
    return Answer(Verdict.NEVER, str(status), loss=_LOSSES.get(status, REJECTED))


def note(answer: Answer, ledger: ExportLedger) -> None:
    """Note an answer to OpenTelemetry's own exporter, which then says no more than whether the export failed.

    It does not try again what is refused, and cuts nothing in halves.
    """
    if answer.verdict is Verdict.SENT:
        ledger.reject_part(answer.rejected)
    elif answer.verdict is not Verdict.LATER:
        loss = TOO_LARGE if answer.verdict is Verdict.SPLIT else answer.loss
        ledger.refuse(loss, answer.error_type)


def seconds_of(retry_after: str | None) -> float | None:
    """Read a ``Retry-After`` header: seconds or a date (RFC 9110, 10.2.3); None if it says nothing."""
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return _seconds_until(retry_after or "")
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _seconds_until(date: str) -> float | None:
    try:
        return max(parsedate_to_datetime(date).timestamp() - time.time(), 0.0)
    except (TypeError, ValueError):
        return None
