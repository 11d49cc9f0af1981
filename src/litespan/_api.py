"""What a program calls: set up, flush, shut down, take out. A process has one installation at a time."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from opentelemetry._logs import LoggerProvider
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from litespan import _agreement as agreement
from litespan import guard
from litespan._installation import Installation
from litespan._instruments import InstrumentsByProvider
from litespan.export import exit as at_exit
from litespan.export import pipeline as pipelines
from litespan.export.deadline import bounded, left_until
from litespan.export.pipeline import Pipeline
from litespan.export.termination import Termination
from litespan.setting_checks import ConfigurationError
from litespan.settings import EXPORT_SETTINGS, Settings, load_settings, variables_of

logger = logging.getLogger("litespan")

_lock = threading.RLock()

_installed: Installation | None = None
_ending: Installation | None = None
_last: Installation | None = None
# The last one of configure(). What that has built exports on when litespan is taken out of the hosts.
_configured: Installation | None = None
_opted_out = False
_off_logged = False
_termination: Termination | None = None


def _observed() -> Installation | None:
    """Return what litespan's metrics about itself tell of; they are part of the last export, too."""
    exporting = _configured if _configured is not None and _configured.pipeline.exports else None
    return _installed or _ending or exporting


_instruments = InstrumentsByProvider(_observed)


def configure(**settings: object) -> None:
    """Set everything up: export pipeline and instrumentation, from arguments, environment and defaults.

    OpenTelemetry providers that the application has set are adopted; what is missing is built and made
    global. Without an OTLP endpoint the data goes to files in the working directory. Calling it again with
    the same settings does nothing.

    After :func:`uninstrument` it replaces what an earlier call has built, and ends that within
    ``exit_timeout``. If the new one cannot be built, the old one goes on exporting, unless it had a port for
    Prometheus or a spool: that is ended first, as the new one may need the same.

    Args:
        **settings: any field of :class:`litespan.settings.Settings`; the README lists them.

    Raises:
        ConfigurationError: on an unknown setting, a wrong value, a second call with other settings, or a call
            after :func:`instrument`.
    """
    global _configured  # noqa: PLW0603 - see install
    loaded = load_settings(None, **settings)
    with _lock:
        if agreement.is_set_up(_installed, loaded):
            agreement.check_built(_installed, _configured)
            return
        built = _build_after(_configured, loaded)
        install(loaded, built)
        _configured = _installed
        _send_at_the_end(loaded.exit_timeout)
    for line in built.describe():
        logger.info("litespan: %s", line)


def _build_after(before: Installation | None, loaded: Settings) -> Pipeline:
    """Build a pipeline and end the one before it; first if that holds what the next one may need."""
    if before is not None and before.pipeline.exclusive:
        before.shutdown(loaded.exit_timeout)
        before = None
    built = pipelines.build(loaded)
    if before is not None:
        before.shutdown(loaded.exit_timeout)
    return built


def instrument(
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    logger_provider: LoggerProvider | None = None,
    **settings: object,
) -> None:
    """Instrument the Agents SDK and LiteLLM for OpenTelemetry providers that exist already.

    Builds no provider and no exporter. Without arguments the global providers are used, also those that the
    application sets later. Calling it again with the same settings does nothing.

    Args:
        tracer_provider: where spans go; default: the global one.
        meter_provider: where metrics go; default: the global one.
        logger_provider: where events go, if ``capture_content`` asks for them; default: the global one.
        **settings: any field of :class:`litespan.settings.Settings`.

    Raises:
        ConfigurationError: on an unknown setting, a wrong value, something that is no provider, or a second
            call with other settings.
    """
    agreement.check_nothing_exported(settings)
    given = (tracer_provider, meter_provider, logger_provider)
    agreement.check_providers(given)
    loaded = _load_without_exports(**settings)
    with _lock:
        if agreement.is_set_up(_installed, loaded, but=EXPORT_SETTINGS):
            agreement.check_in_use(_installed, given)
            return
        adopted = pipelines.adopt(*given, events=loaded.events)
        install(loaded, adopted)
        at_exit.register_exit(shutdown, loaded.exit_timeout)


def _load_without_exports(**settings: object) -> Settings:
    """Load settings where others export: their variables may name exporters that litespan does not know."""
    names = {spec.name for spec in fields(Settings)}.difference(EXPORT_SETTINGS)
    return load_settings(variables_of(names, os.environ), **settings)


def instrument_implicitly() -> None:
    """Instrument with the global providers because a ``litespan.LitellmModel`` was made.

    The program's other trace processors are left alone. Never raises: building a model is no configuration.
    A wrong environment variable is logged, once: a program may make a model for each request.
    """
    global _off_logged  # noqa: PLW0603 - see install
    with _lock, guard.guard("implicit instrumentation"):
        if _installed is None and not _opted_out:
            try:
                loaded = _load_without_exports(openai_traces=True)
            except ConfigurationError as error:
                if not _off_logged:
                    logger.error("litespan is off: %s", error)  # noqa: TRY400 - the message says it all
                _off_logged = True
                return
            _install_implicitly(loaded)


def instrument_from_outside() -> None:
    """Instrument with the global providers because the program was started by a tool that instruments.

    Does nothing if litespan is set up; the program's own set-up replaces this one later.

    Raises:
        ConfigurationError: if an environment variable has a wrong value.
    """
    loaded = _load_without_exports()
    with _lock:
        if _installed is None:
            _install_implicitly(loaded)
            _send_at_the_end(loaded.exit_timeout)


def _send_at_the_end(timeout: float) -> None:
    """Send what is left at exit and at SIGTERM, within ``timeout`` (seconds)."""
    global _termination  # noqa: PLW0603 - a process has one handler of SIGTERM
    at_exit.register_exit(shutdown, timeout)
    if _termination is not None:
        _termination.cancel()
    _termination = Termination(shutdown, flush, timeout)


def _install_implicitly(loaded: Settings) -> None:
    install(loaded, pipelines.adopt(events=loaded.events), implicit=True)
    at_exit.register_exit(shutdown, loaded.exit_timeout)


def install(
    settings: Settings,
    pipeline: Pipeline,
    *,
    implicit: bool = False,
    clock: Callable[[], int] | None = None,
) -> None:
    """Instrument for a pipeline that exists; ``clock`` returns nanoseconds since the Unix epoch."""
    global _installed, _opted_out  # noqa: PLW0603 - one instrumentation per process, as the hosts are global
    before = _take_out()
    if before is not None:
        before.end()
    _opted_out = False
    _installed = Installation(settings, pipeline, _instruments, implicit=implicit, clock=clock)
    _installed.watch_hosts()


def uninstrument() -> None:
    """Take everything out of the hosts again; open records are closed. Providers are left as they are.

    What :func:`configure` has built exports on, and sends what waits at exit.
    """
    global _opted_out, _termination  # noqa: PLW0603 - see install
    with _lock:
        _opted_out = True
        taken_out = _take_out()
        if _configured is None or not _configured.pipeline.exports:
            at_exit.unregister_exit(shutdown)
            if _termination is not None:
                _termination.cancel()
                _termination = None
    if taken_out is not None:
        taken_out.end()


def _take_out() -> Installation | None:
    """Take what is installed out of the hosts; the caller ends what is open in it, without the lock."""
    global _installed, _last
    if _installed is None:
        return None
    _last, _installed = _installed, None
    _last.take_out()
    return _last


def flush(timeout: float = 5.0) -> bool:
    """Send what has ended; running runs are left alone.

    Args:
        timeout: seconds; the call returns within it.

    Returns:
        True only if everything that had ended was really exported.
    """
    deadline = time.monotonic() + timeout
    answers = [installation.flush(left_until(deadline)) for installation in _exporting()]
    return all(answers)


def shutdown(timeout: float = 5.0) -> bool:
    """Close everything, also what is running, send it and stop. Adopted providers are only flushed.

    Args:
        timeout: seconds; the call returns within it.

    Returns:
        True only if everything was really exported; a later call says the same.
    """
    global _ending, _opted_out  # noqa: PLW0603 - see install
    deadline = time.monotonic() + timeout
    termination = _keep_termination()
    first = False
    try:
        with _locked_until(deadline) as locked:
            if not locked:
                return False
            # A second call, as from the handler of SIGTERM, waits for the first one.
            first, exporting = _ending is None, _exporting()
            _ending = _installed or _ending or _configured
            _opted_out = True
            _take_out()
            at_exit.unregister_exit(shutdown)
        answers = [each.shutdown(left_until(deadline)) for each in exporting]
        return all(answers)
    finally:
        if first:
            _ending = None
        if termination is not None:
            termination.release()


@contextmanager
def _locked_until(deadline: float) -> Iterator[bool]:
    """Yield whether this thread got the lock before a time of the monotonic clock.

    Another thread holds it while it sets litespan up, and first ends what there was before: that takes as
    long as the receiver, or a processor of the program, makes it.
    """
    lock = _lock  # a forked child has another one
    locked = lock.acquire(timeout=bounded(left_until(deadline)))
    if not locked:
        logger.warning(
            "litespan was not shut down, because another thread sets it up and still waits for exporters."
        )
    try:
        yield locked
    finally:
        if locked:
            lock.release()


def _exporting() -> list[Installation]:
    """Return what may have something to export: the last one, and what :func:`configure` has built."""
    found = _installed or _ending or _last
    return [each for each in (found, None if _configured is found else _configured) if each is not None]


def _keep_termination() -> Termination | None:
    """Let the handler of SIGTERM outlive the set-up: a signal during the last export waits for it."""
    global _termination
    termination, _termination = _termination, None
    if termination is not None:
        termination.hold()
    return termination


def stats() -> dict[str, Any]:
    """Return litespan's own state: whether it is on, records, faults by place, what was exported.

    ``records_open``: calls, agents, runs and so on that have begun and not ended. ``records_dropped``: those
    that were given up before their end came, by reason: ``too_many_open`` or ``too_old``. The keys are the
    same at any time; after :func:`shutdown` they tell of what was.
    """
    installation = _installed
    if installation is not None:
        guard.guarded("stats")(installation.recorder.settle_deferred)()
    exporting, ended = installation or _configured, installation or _ending or _last
    return {
        "instrumented": installation is not None,
        "records_open": 0 if installation is None else len(installation.recorder.table),
        "records_dropped": {} if ended is None else ended.recorder.table.losses(),
        "internal_errors": guard.internal_errors(),
        "export": {} if exporting is None else exporting.pipeline.stats(),
    }


def _reset_after_fork() -> None:
    """In a forked child, forget the parent's open records: the parent ends and sends them."""
    global _lock, _ending, _last, _configured  # noqa: PLW0603 - see install
    _lock = threading.RLock()  # the inherited one may be held by a thread that does not exist here
    _ending = _last = None
    if _configured is not None and not _configured.pipeline.exports:
        _configured = None  # the parent ends it
    _instruments.reset_after_fork()
    if _installed is not None:
        _installed.reset_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
