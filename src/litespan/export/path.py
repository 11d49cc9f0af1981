"""A pipeline's destinations: what each has to do, and those that are the application's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from litespan.export.deadline import Worker
from litespan.export.ledger import METRICS, ExportLedger


class Path(ABC):
    """How a pipeline sees one destination.

    ``flush`` and ``shutdown`` may block as long as the exporter likes; they run on ``worker``.
    """

    # Whether another one like it should be built only after its end.
    exclusive = False

    def __init__(self, signal: str, ledger: ExportLedger | None) -> None:
        self.worker = Worker(signal)
        # None where litespan does not see the exports.
        self.ledger = ledger

    @abstractmethod
    def flush(self) -> bool:
        """Export all there is; True only if nothing was lost."""

    @abstractmethod
    def shutdown(self) -> bool:
        """Export all there is and stop; True only if nothing was lost."""

    @abstractmethod
    def interrupt(self) -> None:
        """End an export that takes too long, as far as its exporter can be interrupted."""

    def waiting(self) -> int:
        """Return the number of ended spans or events that were not handed to an exporter yet."""
        return 0

    def unsent(self) -> int:
        """Return the number of those that wait, or are being exported right now."""
        if self.ledger is None or self.ledger.destination.signal == METRICS:
            return 0
        counts = self.ledger.counts()
        settled = counts.exported + sum(counts.dropped.values()) + self.spooled()
        return self.waiting() + max(counts.handed_over - settled, 0)

    def spooled(self) -> int:
        """Return the number of items that lie in the spool and were not sent yet."""
        return 0

    def reset_after_fork(self) -> None:
        """Make a forked child start with no data and no threads of its parent."""
        self.worker.start()


class AdoptedPath(Path):
    """A provider of the application: flushed, never shut down, its exports not seen."""

    def __init__(self, find: Callable[[], Any], signal: str) -> None:
        super().__init__(signal, None)
        # Looked up at each flush: the application may set its global provider after litespan was set up.
        self._find = find

    def flush(self) -> bool:
        """Ask the provider to flush; True unless it says that it could not."""
        # The API's own placeholders have nothing to flush.
        force_flush = getattr(self._find(), "force_flush", None)
        return force_flush is None or force_flush() is not False

    def shutdown(self) -> bool:
        """Only flush: the application ends what it has made."""
        return self.flush()

    def interrupt(self) -> None:
        """Do nothing: the exporters are the application's own."""
