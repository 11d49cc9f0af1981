"""Send what is left when the process exits, whatever kind of process it is, within a bounded time."""

from __future__ import annotations

import atexit
import functools
import os
from collections.abc import Callable
from multiprocessing.process import parent_process
from multiprocessing.util import Finalize, register_after_fork
from types import ModuleType

import wrapt

from litespan.guard import guarded

Shutdown = Callable[[float], object]


class _Exit:
    """Runs a handler once, at the end of this process or, in a forked child, of the child.

    A worker of ``multiprocessing`` ends by ``os._exit`` and runs no exit handlers (not before Python 3.14),
    but the finalizers of its package; those of its parent it forgets at its start.
    """

    def __init__(self, handler: Callable[[], object]) -> None:
        self._handler = handler
        self._pid: int | None = None
        atexit.register(self.run)
        register_after_fork(self, _Exit._run_at_end_of_worker)
        self._finalizer: Finalize | None = None
        if parent_process() is not None:
            self._run_at_end_of_worker()

    def run(self) -> None:
        """Run the handler, if this process has not done so."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._handler()

    def run_first(self) -> None:
        """Run before the exit handlers that were registered since, and only then."""
        atexit.register(self.run)

    def cancel(self) -> None:
        """Do not run the handler."""
        atexit.unregister(self.run)
        self._pid = os.getpid()
        if self._finalizer is not None:
            self._finalizer.cancel()

    def _run_at_end_of_worker(self) -> None:
        # A priority makes it run at exit; 0: after queues and pools of the worker, which have higher ones.
        self._finalizer = Finalize(None, self.run, exitpriority=0)


_registered: dict[Shutdown, _Exit] = {}


def register_exit(shutdown: Shutdown, timeout: float) -> None:
    """Call ``shutdown(timeout)`` (seconds) when the process exits; a second call changes the timeout.

    Exit handlers run in the reverse order of their registration: register after the providers were made, so
    that this handler runs before theirs. An exception in it does not change the program's exit code.
    """
    unregister_exit(shutdown)
    _registered[shutdown] = _Exit(guarded("export.exit")(functools.partial(shutdown, timeout)))
    _watch_celery()


@guarded("export.exit")
def run_first() -> None:
    """Run what is registered before the exit handlers of providers that were made since."""
    for registered in tuple(_registered.values()):
        registered.run_first()


def unregister_exit(shutdown: Shutdown) -> None:
    """Do not call ``shutdown`` at exit any more; unknown functions are ignored."""
    registered = _registered.pop(shutdown, None)
    if registered is not None:
        registered.cancel()


@functools.cache
def _watch_celery() -> None:
    wrapt.register_post_import_hook(_run_in_celery_workers, "celery.signals")


def _run_in_celery_workers(signals: ModuleType) -> None:
    """A child of Celery's prefork pool ends by ``os._exit`` too; Celery's signal is all that tells of it."""
    guarded("export.exit")(signals.worker_process_shutdown.connect)(_celery_worker_ends, weak=False)


def _celery_worker_ends(**_: object) -> None:
    for registered in tuple(_registered.values()):
        registered.run()
