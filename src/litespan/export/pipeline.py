"""The OpenTelemetry SDK as litespan uses it: providers built or adopted, and deadlines that are kept."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from typing import Any, Final

from opentelemetry import trace
from opentelemetry._logs import LoggerProvider
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource

from litespan.export.adopted import Logs, Metrics, Traces, adopt_logs, adopt_metrics, adopt_traces
from litespan.export.adoption import (
    application_logger_provider,
    application_meter_provider,
    application_tracer_provider,
    make_logger_provider_global,
    make_meter_provider_global,
    make_tracer_provider_global,
)
from litespan.export.deadline import bounded
from litespan.export.ledger import LOGS, METRICS, TRACES
from litespan.export.path import AdoptedPath, Path
from litespan.guard import guarded
from litespan.settings import Settings

logger = logging.getLogger("litespan")

# Seconds that interrupted exports get to end after a shutdown ran out of time.
_GRACE: Final = 0.25


class Pipeline:
    """Providers and what flushes, stops and counts them. Build it with :func:`build` or :func:`adopt`."""

    def __init__(self, traces: Traces, metrics: Metrics, logs: Logs, notes: Sequence[str] = ()) -> None:
        self.tracer_provider: trace.TracerProvider = traces.provider
        self.meter_provider: MeterProvider = metrics.provider
        # None where no events are asked for.
        self.logger_provider: LoggerProvider | None = logs.provider
        self._paths: dict[str, Sequence[Path]] = {TRACES: traces.paths, METRICS: metrics.paths}
        if logs.provider is not None:
            self._paths[LOGS] = logs.paths
        self._notes = [*traces.notes, *metrics.notes, *logs.notes, *notes]
        self._lock = threading.Lock()
        self._ending: list[Future[bool]] | None = None
        _reset_after_fork(self)

    @property
    def exports(self) -> bool:
        """Say whether anything was built here that has not been shut down."""
        return self._ending is None and any(not isinstance(path, AdoptedPath) for path in self._all())

    @property
    def exclusive(self) -> bool:
        """Say whether it should end before another one is built, because it holds a port or a spool."""
        return self._ending is None and any(path.exclusive for path in self._all())

    @property
    def adopts_traces(self) -> bool:
        """Say whether spans go to a provider of the program, whose processors may do anything."""
        return any(isinstance(path, AdoptedPath) for path in self._paths[TRACES])

    def flush(self, timeout: float) -> bool:
        """Send what there is; return within ``timeout`` seconds (and some milliseconds).

        True only if all of it was really exported; for an adopted provider, if it did not say no. Spans lost
        since the last flush make it False, and so does what lies in the spool: it is kept, but not sent. What
        does not make it in time goes on in the background.
        """
        with self._lock:
            running = self._ending
        return _all_true(
            running or [path.worker.submit(path.flush) for path in self._all()], bounded(timeout)
        )

    def shutdown(self, timeout: float) -> bool:
        """Send what there is and stop, within ``timeout`` + 0.5 seconds; adopted providers are only flushed.

        True only if all of it was really exported. A second call waits for the first one.
        """
        ending = self._begin_to_end()
        if wait(ending, bounded(timeout)).not_done:
            self._interrupt(timeout)
        return _all_true(ending, _GRACE)

    def describe(self) -> list[str]:
        """Say where the data goes, one line per signal and destination; no line holds a credential."""
        return list(self._notes)

    def stats(self) -> dict[str, dict[str, Any]]:
        """Return the counts of each signal, summed over its destinations.

        ``handed_over``, ``exported``, ``queued``, ``spooled`` and ``dropped`` (by reason) are spans, metric
        points or log records, ``export_failures`` are exports (by exception class or status). What dead
        processes have left in the spool counts as spooled, and as exported once it is sent. Exports of
        adopted providers are not seen. ``logs`` are there only if events are asked for.
        """
        return {signal: self._signal_stats(signal) for signal in self._paths}

    def dropped(self) -> dict[tuple[str, str], int]:
        """Return the number of items lost, by signal and reason."""
        stats = self.stats()
        return {(signal, why): n for signal in stats for why, n in stats[signal]["dropped"].items()}

    def export_failures(self) -> dict[tuple[str, str], int]:
        """Return the number of failed exports, by signal and ``error.type``."""
        stats = self.stats()
        return {(signal, kind): n for signal in stats for kind, n in stats[signal]["export_failures"].items()}

    def queue_size(self) -> int:
        """Return the number of ended spans that wait for their export."""
        return sum(path.waiting() for path in self._paths[TRACES])

    def _all(self) -> list[Path]:
        return [path for paths in self._paths.values() for path in paths]

    def _begin_to_end(self) -> list[Future[bool]]:
        with self._lock:
            if self._ending is None:
                self._ending = [path.worker.submit(path.shutdown) for path in self._all()]
                for path in self._all():
                    path.worker.stop()
            return self._ending

    def _interrupt(self, timeout: float) -> None:
        logger.warning(
            "litespan gave up waiting for its exporters after %.3g s; %s. "
            "Check that the receiver runs; `litespan doctor` finds out more.",
            timeout,
            self._left_behind(),
        )
        for path in self._all():
            path.interrupt()

    def _left_behind(self) -> str:
        unsent = sum(path.unsent() for path in self._all())
        events = [path for signal, paths in self._paths.items() if signal != METRICS for path in paths]
        kept = sum(path.spooled() for path in events)
        if not (unsent or kept):
            signals = [signal for signal, paths in self._paths.items() for _ in paths]
            ends = zip(signals, self._begin_to_end(), strict=True)
            late = dict.fromkeys(signal for signal, end in ends if not end.done())
            return f"the last {' and '.join(late) or 'data'} were perhaps not sent"
        more = f", and {kept} more wait in the spool" if kept else ""
        return f"{unsent} spans and events were not sent{more}"

    def _signal_stats(self, signal: str) -> dict[str, Any]:
        counts = [path.ledger.counts() for path in self._paths[signal] if path.ledger]
        return {
            "handed_over": sum(c.handed_over for c in counts),
            "exported": sum(c.exported for c in counts),
            "queued": sum(path.waiting() for path in self._paths[signal]),
            "spooled": sum(path.spooled() for path in self._paths[signal]),
            "dropped": _sum(c.dropped for c in counts),
            "export_failures": _sum(c.failures for c in counts),
        }

    def reset_after_fork(self) -> None:
        """Start anew in a forked child: OpenTelemetry drops the inherited queues, the rest is done here."""
        self._lock = threading.Lock()
        if self._ending is None:
            for path in self._all():
                guarded("export.fork")(path.reset_after_fork)()


def build(
    settings: Settings,
    *,
    tracer_provider: trace.TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    logger_provider: LoggerProvider | None = None,
    use_globals: bool = True,
) -> Pipeline:
    """Make the pipeline of ``configure``: adopt a provider that is given or global, build the others.

    What is built becomes OpenTelemetry's global provider, so that spans of the program itself join.
    ``use_globals=False`` leaves the global providers alone, for several pipelines in one process.

    Raises:
        ConfigurationError: if an exporter cannot work, for example because its file cannot be written.
    """
    # What exports is imported where something is to be built: `instrument` does not need it.
    from litespan.export.choice import metric_interval_ms
    from litespan.export.exporters import metric_exporters, span_exporters
    from litespan.export.providers import build_metrics, build_traces, warn_of_ignored_exporters
    from litespan.export.queue_book import queue_size
    from litespan.export.resource import build_resource

    environ = os.environ
    # What a provider of the program says of its truth is no matter here, hence `is None` throughout.
    if use_globals:
        tracer_provider = application_tracer_provider() if tracer_provider is None else tracer_provider
        meter_provider = application_meter_provider() if meter_provider is None else meter_provider
        logger_provider = application_logger_provider() if logger_provider is None else logger_provider
    warn_of_ignored_exporters(
        settings,
        traces_adopted=tracer_provider is not None,
        metrics_adopted=meter_provider is not None,
        logs_adopted=logger_provider is not None,
    )
    # All that can fail comes first, so that a failure leaves no provider and no thread behind.
    are_built = {
        TRACES: tracer_provider is None,
        METRICS: meter_provider is None,
        LOGS: logger_provider is None and settings.events,
    }
    _check([signal for signal, is_built in are_built.items() if is_built], settings, environ)
    resource = build_resource(settings)
    exporters = span_exporters(settings, environ) if tracer_provider is None else {}
    make_logs = _logs_maker(settings, environ, logger_provider)
    meters = metric_exporters(settings, environ) if meter_provider is None else {}
    traces = (
        build_traces(exporters, queue_size(environ), resource)
        if tracer_provider is None
        else adopt_traces(tracer_provider)
    )
    metrics = (
        build_metrics(meters, metric_interval_ms(settings, environ), resource)
        if meter_provider is None
        else adopt_metrics(meter_provider)
    )
    logs = make_logs(resource)
    if use_globals and tracer_provider is None:
        make_tracer_provider_global(traces.provider)
    if use_globals and meter_provider is None:
        make_meter_provider_global(metrics.provider)
    if use_globals and logger_provider is None and logs.provider is not None:
        make_logger_provider_global(logs.provider)
    return Pipeline(traces, metrics, logs, _hint(settings, environ))


def _check(signals: Sequence[str], settings: Settings, environ: Mapping[str, str]) -> None:
    """Check what the exporters and providers of these signals will read.

    Raises:
        ConfigurationError: if one of them could not work with it.
    """
    from litespan.export import preflight

    for signal in signals:
        preflight.check_sending(signal, settings, environ)
        preflight.check_waiting(signal, settings, environ)
        preflight.check_providing(signal, environ)
    preflight.warn_of_unused_spool(signals, settings, environ)


def adopt(
    tracer_provider: trace.TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    logger_provider: LoggerProvider | None = None,
    *,
    events: bool = False,
) -> Pipeline:
    """Make the pipeline of ``instrument``: use the given or the global providers and build none.

    A global provider that the application sets later is used from then on. Without ``events`` the logger
    provider is left alone.
    """
    logs = adopt_logs(logger_provider) if events else Logs()
    return Pipeline(adopt_traces(tracer_provider), adopt_metrics(meter_provider), logs)


def _logs_maker(
    settings: Settings, environ: Mapping[str, str], provider: LoggerProvider | None
) -> Callable[[Resource], Logs]:
    """Return what makes the way of the events; all that can fail is done before."""
    if not settings.events:
        return lambda _: Logs()
    if provider is not None:
        return lambda _: adopt_logs(provider)
    from litespan.export.exporters import log_exporters
    from litespan.export.providers import build_logs
    from litespan.export.queue_book import queue_size

    size = queue_size(environ, LOGS)
    exporters = log_exporters(settings, environ)
    return lambda resource: build_logs(exporters, size, resource)


def _hint(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    from litespan.export.choice import files_by_default

    if not files_by_default(settings, environ):
        return []
    return ["set OTEL_EXPORTER_OTLP_ENDPOINT to send it to a collector instead"]


def _all_true(futures: Sequence[Future[bool]], timeout: float) -> bool:
    done, late = wait(futures, timeout)
    return not late and all(future.result() for future in done)


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(total)


def _reset_after_fork(pipeline: Pipeline) -> None:
    if not hasattr(os, "register_at_fork"):
        return
    reference = weakref.WeakMethod(pipeline.reset_after_fork)

    def reset() -> None:
        if method := reference():
            method()

    # After OpenTelemetry's own hooks, which were registered when the providers were made.
    os.register_at_fork(after_in_child=reset)
