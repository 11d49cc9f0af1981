"""Batches go to the disk first; a thread sends them from there, in order, and tries again when it fails."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from opentelemetry.context import attach, set_value

from litespan.export.ledger import METRICS, SHUT_DOWN, SPOOL_UNWRITABLE, ExportLedger
from litespan.export.otlp.answer import Answer, Verdict
from litespan.export.otlp.delivery import Delivery
from litespan.export.otlp.requests_pb import Part
from litespan.export.otlp.sender import Sender
from litespan.export.spool.pause import Pause
from litespan.export.spool.store import Store
from litespan.guard import guard

logger = logging.getLogger("litespan")

# The key by which instrumentations know requests that they shall not tell of.
_SUPPRESS_INSTRUMENTATION: Final = "suppress_instrumentation"

# Seconds between two looks for folders of dead processes.
_ADOPTION: Final = 10.0


class Outbox:
    """Keeps batches of one signal until the receiver has them.

    The thread of whoever exports only writes. The disk holds each batch before it is sent for the first time:
    so a kill during an attempt loses nothing, and a receiver that hangs blocks nobody.

    Args:
        store: where batches wait.
        make_sender: called again in a forked child, which needs connections of its own.
        ledger: told of everything that was sent, delayed and lost.
    """

    def __init__(self, store: Store, make_sender: Callable[[], Sender], ledger: ExportLedger) -> None:
        self._store = store
        self._make_sender = make_sender
        self._ledger = ledger
        self._start()

    def _start(self) -> None:
        self._changed = threading.Condition()
        self._pause = Pause()
        self._delivery = Delivery(self._ledger.destination.signal, self._make_sender, self._ledger)
        # Numbers of attempts: they tell one that began before a question from one that began after it.
        self._begun = self._failed = 0
        self._work = self._asked = self._closing = self._stopped = self._ended = False
        self._all_sent = False
        self._next_look = 0.0
        name = f"litespan-outbox-{self._ledger.destination.signal}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def keep(self, payload: bytes, items: int) -> bool:
        """Take a batch; False if it is lost: it comes too late, or both disk and receiver fail."""
        try:
            kept = self._store.append(payload, items)
        except OSError as error:
            return self._send_unwritten(payload, items, error)
        if not kept:
            self._ledger.drop(SHUT_DOWN, items)
            return False
        with self._changed:
            self._work = True
            self._changed.notify_all()
        return True

    def drain(self) -> bool:
        """Wait until all that was kept so far is sent, or an attempt fails; True only if it was sent.

        An attempt is made at once, unless the receiver has asked to be left alone for a while.
        """
        position = self._store.position()
        with self._changed:
            begun = self._begun
            self._asked = True
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: (
                    self._stopped or self._must_wait() or self._failed > begun or self._store.passed(position)
                )
            )
            return self._all_sent if self._ended else self._store.passed(position)

    def items(self) -> int:
        """Return the number of items that wait to be sent."""
        return self._store.items()

    def close(self) -> bool:
        """Send what there is as long as that succeeds, then stop; True only if all was sent."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        return self._all_sent

    def stop(self) -> None:
        """Stop after the attempt that runs, without waiting for it; what is left is the next process's."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def reset_after_fork(self) -> None:
        """Start anew in a forked child, which inherits no thread; what waits here is the parent's."""
        self._store.reset_after_fork()
        self._start()

    def _run(self) -> None:
        attach(set_value(_SUPPRESS_INSTRUMENTATION, True))
        while not self._is_over():
            in_order = False
            with guard("export.outbox"):
                self._adopt()
                self._send_next()
                in_order = True
            if not in_order:
                self._fail(None)
            self._wait()
        with guard("export.outbox"):
            self._end()

    def _end(self) -> None:
        with self._changed:
            self._all_sent = self._store.passed()
            self._stopped = self._ended = True
            self._changed.notify_all()
        self._store.close()
        self._delivery.close()

    def _is_over(self) -> bool:
        """Say whether to end: because of :meth:`stop`, or because nothing more goes out while closing."""
        with self._changed:
            return self._stopped or (self._closing and (self._pause.left() > 0 or self._store.passed()))

    def _must_wait(self) -> bool:
        return self._pause.asked_for and self._pause.left() > 0

    def _adopt(self) -> None:
        # Not while the receiver is away, except at first: what waits is in good hands where it lies.
        if not self._pause.failing and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _ADOPTION
            self._store.adopt()

    def _send_next(self) -> None:
        with self._changed:
            self._work = self._asked = False
            self._begun += 1
        try:
            head = self._store.head()
        except OSError as error:
            self._tell_failure(Answer(Verdict.LATER, type(error).__name__))
            return
        if head is None:
            with self._changed:
                self._changed.notify_all()
            return
        answer = self._delivery.deliver((head.segment, head.end), Part(head.batch.payload, head.batch.items))
        with self._changed:
            self._work = True
        if answer is None:
            self._store.finish(head)
            self._succeed()
        else:
            self._store.put_back(head, self._delivery.items_left())
            self._tell_failure(answer)

    def _succeed(self) -> None:
        with self._changed:
            was_failing = self._pause.failing
            self._pause.reset()
            self._changed.notify_all()
        if was_failing:
            logger.info("litespan reaches %s again and sends what it has kept.", self._ledger.destination)

    def _fail(self, wait: float | None) -> bool:
        """Note that the attempt has failed; return whether it is the first one in a row."""
        with self._changed:
            first = not self._pause.failing
            self._failed = self._begun
            self._pause.fail(wait)
            self._changed.notify_all()
        return first

    def _tell_failure(self, answer: Answer) -> None:
        self._ledger.delay(answer.error_type)
        if self._fail(answer.wait):
            logger.warning(
                "litespan cannot send %s now (%s). It keeps what comes in the spool and tries again. %s",
                self._ledger.destination,
                answer.error_type,
                self._ledger.destination.advice,
            )

    def _wait(self) -> None:
        with self._changed:
            if left := self._pause.left():
                self._changed.wait_for(lambda: self._hurry() or (self._asked and not self._must_wait()), left)
            else:
                self._changed.wait_for(lambda: self._hurry() or self._work, _ADOPTION)

    def _hurry(self) -> bool:
        return self._stopped or self._closing

    def _send_unwritten(self, payload: bytes, items: int, error: OSError) -> bool:
        """Try once, in the thread of whoever exports, to send what the disk did not take."""
        left = self._delivery.send_once(Part(payload, items))
        if not left:
            return True
        if self._ledger.destination.signal == METRICS:
            self._ledger.fail(left, type(error).__name__)
        else:
            self._ledger.drop(SPOOL_UNWRITABLE, left)
        return False
