"""What became of the telemetry of one destination: counts, and one log line at the first loss."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

logger = logging.getLogger("litespan")

TRACES: Final = "traces"
METRICS: Final = "metrics"
LOGS: Final = "logs"

EXPORT_FAILED: Final = "export_failed"
QUEUE_FULL: Final = "queue_full"
SHUT_DOWN: Final = "shut_down"
NO_ROOT: Final = "no_root"
SPOOL_FULL: Final = "spool_full"
SPOOL_EXPIRED: Final = "spool_expired"
SPOOL_DAMAGED: Final = "spool_damaged"
SPOOL_UNWRITABLE: Final = "spool_unwritable"
REJECTED: Final = "rejected"
UNAUTHORIZED: Final = "unauthorized"
NOT_FOUND: Final = "not_found"
TOO_LARGE: Final = "too_large"

_QUEUE_SIZE: Final = {TRACES: "OTEL_BSP_MAX_QUEUE_SIZE", LOGS: "OTEL_BLRP_MAX_QUEUE_SIZE"}
_WHAT_TO_DO: Final = {
    QUEUE_FULL: "They come faster than they can be sent: raise {queue_size} (default 2048).",
    SHUT_DOWN: "They ended after shutdown, or shutdown ran out of time: raise its timeout.",
    NO_ROOT: "Their trace's first span never ended, so no tree was printed.",
    SPOOL_FULL: "The receiver was away for too long: raise spool_max_bytes.",
    SPOOL_EXPIRED: "The receiver was away for longer than spool_max_age.",
    SPOOL_DAMAGED: "A spool file was cut or damaged, as by a power failure.",
    SPOOL_UNWRITABLE: "The receiver is away and the spool's disk is full or gone.",
    REJECTED: "The receiver says that it cannot take them; its log may say why.",
    UNAUTHORIZED: "The receiver asks for other credentials: check OTEL_EXPORTER_OTLP_HEADERS.",
    NOT_FOUND: "The address is no OTLP receiver's: check OTEL_EXPORTER_OTLP_ENDPOINT.",
    TOO_LARGE: "The receiver takes smaller items only: lower content_max_bytes, or raise its limit.",
}


@dataclass(frozen=True)
class Destination:
    """Where one exporter sends: shown in logs, so it holds no credentials.

    Attributes:
        signal: ``traces``, ``metrics`` or ``logs``.
        label: what it is, for example ``OTLP http/protobuf http://localhost:4318/v1/traces``.
        advice: what to do when exports to it fail; one sentence.
    """

    signal: str
    label: str
    advice: str

    def __str__(self) -> str:
        return f"{self.signal}: {self.label}"


@dataclass(frozen=True)
class Counts:
    """Items handed to the exporter and exported; failed exports by class; items lost by reason.

    A failed export of metrics loses no item: cumulative values go out with the next export.
    """

    handed_over: int = 0
    exported: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)


class ExportLedger:
    """Thread-safe counts of one destination."""

    def __init__(self, destination: Destination) -> None:
        self.destination = destination
        self.reset()

    def reset(self) -> None:
        """Start from zero, with a new lock: in a forked child the inherited one may be held for ever."""
        self._lock = threading.Lock()
        self._handed_over = 0
        self._exported = 0
        self._failures: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._rejected = 0
        self._refusal: tuple[str, str] | None = None
        self._lossy = 0
        self._loss_logged = False

    def counts(self) -> Counts:
        """Return the counts as they are now."""
        with self._lock:
            return Counts(self._handed_over, self._exported, dict(self._failures), dict(self._dropped))

    def losses(self) -> int:
        """Return a number that grows whenever items are lost or an export fails for good."""
        with self._lock:
            return self._lossy

    def hand_over(self, items: int) -> None:
        """Count items that the exporter was given."""
        with self._lock:
            self._handed_over += items

    def succeed(self, items: int) -> None:
        """Count items that the exporter said it has exported, and those of them that were refused."""
        with self._lock:
            # A receiver that cannot count may say more than it was sent.
            rejected, self._rejected = min(self._rejected, items), 0
            self._refusal = None
            self._exported += items - rejected
        if rejected:
            self.drop(REJECTED, rejected)

    def reject_part(self, items: int) -> None:
        """Note items that the receiver refuses out of the export that is under way, whose rest it takes."""
        with self._lock:
            self._rejected = max(items, 0)

    def refuse(self, reason: str, error_type: str) -> None:
        """Note why the receiver refuses the export that is under way, which then fails."""
        with self._lock:
            self._refusal = (reason, error_type)

    def fail(self, items: int, error_type: str) -> None:
        """Count a failed export; the type is an exception's class, ``export_failed`` or ``shut_down``."""
        with self._lock:
            refusal, self._refusal = self._refusal, None
        if refusal is not None:
            self.reject(refusal[0], items, refusal[1])
            return
        self._fail(EXPORT_FAILED, items, error_type)
        self._log_first_loss(items, error_type, self.destination.advice)

    def reject(self, reason: str, items: int, error_type: str) -> None:
        """Count an export that the receiver refuses for good."""
        self._fail(reason, items, error_type)
        self._log_first_loss(items, f"{reason}: {error_type}", _WHAT_TO_DO[reason])

    def delay(self, error_type: str) -> None:
        """Count an export that failed and is tried again: nothing is lost."""
        with self._lock:
            self._failures[error_type] += 1

    def _fail(self, reason: str, items: int, error_type: str) -> None:
        with self._lock:
            self._failures[error_type] += 1
            self._lossy += 1
            if self.destination.signal != METRICS:
                self._dropped[reason] += items

    def drop(self, reason: str, items: int) -> None:
        """Count items that were lost before the exporter got them."""
        with self._lock:
            self._dropped[reason] += items
            self._lossy += 1
        queue_size = _QUEUE_SIZE.get(self.destination.signal)
        self._log_first_loss(items, reason, _WHAT_TO_DO[reason].format(queue_size=queue_size))

    def _log_first_loss(self, items: int, reason: str, advice: str) -> None:
        with self._lock:
            first, self._loss_logged = not self._loss_logged, True
        if first:
            logger.warning(
                "litespan could not export %s (%s; %d %s). %s "
                "Further losses are counted in litespan.stats() and not logged.",
                self.destination,
                reason,
                items,
                "item" if items == 1 else "items",
                advice,
            )
