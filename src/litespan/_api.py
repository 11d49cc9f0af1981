"""The composition root: it alone sees the sources, the emitters and the exporters, and puts them together."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any

import wrapt
from opentelemetry.metrics import Meter, MeterProvider, Observation
from opentelemetry.trace import Tracer, TracerProvider

from litespan import guard, semconv
from litespan.emit.metrics import MetricsEmitter, SelfMetrics
from litespan.emit.spans import SpanEmitter, suppressed
from litespan.export import exit as at_exit
from litespan.export import pipeline as pipelines
from litespan.export.pipeline import Pipeline
from litespan.pricing import PriceBook
from litespan.recorder import Recorder
from litespan.settings import ConfigurationError, Settings, load_settings

logger = logging.getLogger("litespan")

_lock = threading.RLock()


@dataclass
class _Installation:
    """What is installed in this process."""

    settings: Settings
    recorder: Recorder
    pipeline: Pipeline
    implicit: bool
    undo: list[Callable[[], None]] = field(default_factory=list)
    active: bool = True


_installed: _Installation | None = None
_opted_out = False


def configure(**settings: object) -> None:
    """Set everything up: export pipeline and instrumentation, from arguments, environment and defaults.

    OpenTelemetry providers that the application has set are adopted; what is missing is built and made
    global. Without an OTLP endpoint the data goes to files in the working directory. Calling it again with
    the same settings does nothing.

    Args:
        **settings: any field of :class:`litespan.settings.Settings`; the README lists them.

    Raises:
        ConfigurationError: on an unknown setting, a wrong value, or a second call with other settings.
    """
    loaded = load_settings(None, **settings)
    with _lock:
        if _same(loaded):
            return
        built = pipelines.build(loaded)
        install(loaded, built)
        at_exit.register_exit(shutdown, loaded.exit_timeout)
    for line in built.describe():
        logger.info("litespan: %s", line)


def instrument(
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    logger_provider: Any = None,
    **settings: object,
) -> None:
    """Instrument the Agents SDK and LiteLLM for OpenTelemetry providers that exist already.

    Builds no provider and no exporter. Without arguments the global providers are used, also those that the
    application sets later. Calling it again with the same settings does nothing.

    Args:
        tracer_provider: where spans go; default: the global one.
        meter_provider: where metrics go; default: the global one.
        logger_provider: accepted for instrumentation tools that pass one; events are not emitted yet.
        **settings: any field of :class:`litespan.settings.Settings`.

    Raises:
        ConfigurationError: on an unknown setting, a wrong value, or a second call with other settings.
    """
    loaded = load_settings(None, **settings)
    with _lock:
        if _same(loaded):
            return
        install(loaded, pipelines.adopt(tracer_provider, meter_provider))
        at_exit.register_exit(shutdown, loaded.exit_timeout)


def _same(loaded: Settings) -> bool:
    """Say whether litespan is set up like this already; an implicit set-up is replaced by an explicit one."""
    if _installed is None or _installed.implicit:
        return False
    if _installed.settings == loaded:
        return True
    raise ConfigurationError(
        "litespan is already set up with other settings. Call litespan.uninstrument() first, "
        "or set it up in one place only."
    )


def instrument_implicitly() -> None:
    """Instrument with the global providers because a ``litespan.LitellmModel`` was made.

    The program's other trace processors are left alone. Never raises: building a model is no configuration.
    """
    with _lock, guard.guard("implicit instrumentation"):
        if _installed is None and not _opted_out:
            loaded = load_settings(None, openai_traces=True)
            install(loaded, pipelines.adopt(), implicit=True)
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
    if _installed is not None:
        _take_out(_installed)
    _opted_out = False
    tracer = pipeline.tracer_provider.get_tracer(semconv.SCOPE, _version(), schema_url=semconv.SCHEMA_URL)
    meter = pipeline.meter_provider.get_meter(semconv.SCOPE, _version(), schema_url=semconv.SCHEMA_URL)
    recorder = _recorder(settings, tracer, meter, clock)
    _installed = _Installation(settings, recorder, pipeline, implicit)
    SelfMetrics(meter, _self_metrics(_installed))
    _when_imported("litellm", _installed, _watch_litellm)
    _when_imported("agents", _installed, _watch_agents)


def _recorder(
    settings: Settings, tracer: Tracer, meter: Meter, clock: Callable[[], int] | None
) -> Recorder:
    prices = PriceBook(settings, _litellm_price, f"litellm {_version_of('litellm')} price table")
    emitters = (SpanEmitter(tracer, turn_spans=settings.turn_spans), MetricsEmitter(meter))
    options = {} if clock is None else {"clock": clock}
    return Recorder(settings, emitters, prices, suppressed=suppressed, **options)


def _litellm_price(name: str) -> Mapping[str, Any] | None:
    """Look a model up in LiteLLM's price table; its own functions print and are slow."""
    litellm = sys.modules.get("litellm")
    entry = litellm.model_cost.get(name) if litellm is not None else None
    return entry if isinstance(entry, Mapping) else None


def _when_imported(
    name: str, installation: _Installation, watch: Callable[[ModuleType, _Installation], None]
) -> None:
    """Watch a host now if it is imported, else as soon as it is: litespan itself never imports a host."""

    def watch_it(module: ModuleType) -> None:
        with _lock:
            if installation.active:
                guard.guarded(f"watching {name}")(watch)(module, installation)

    if name in sys.modules:
        watch_it(sys.modules[name])
    else:
        wrapt.register_post_import_hook(watch_it, name)


def _watch_litellm(module: ModuleType, installation: _Installation) -> None:
    from litespan.sources.litellm_calls import CallSource

    source = CallSource(module, installation.recorder)
    source.install()
    installation.undo.append(source.uninstall)


def _watch_agents(module: ModuleType, installation: _Installation) -> None:
    if not hasattr(module, "set_trace_processors"):
        logger.warning("A module named 'agents' that is not the OpenAI Agents SDK was imported; runs are not seen.")
        return
    from litespan.sources.agents_install import AgentsSource
    from litespan.sources.agents_processor import AgentsProcessor

    source = AgentsSource(
        installation.recorder,
        AgentsProcessor(installation.recorder, lambda: flush(installation.settings.exit_timeout)),
    )
    source.install(keep_openai_exporter=installation.settings.openai_traces)
    installation.undo.append(source.uninstall)


def uninstrument() -> None:
    """Take everything out of the hosts again; open records are closed. Providers are left as they are."""
    global _installed, _opted_out  # noqa: PLW0603 - see _install
    with _lock:
        _opted_out = True
        if _installed is not None:
            _take_out(_installed)
            _installed = None
            at_exit.unregister_exit(shutdown)


def _take_out(installation: _Installation) -> None:
    installation.active = False
    while installation.undo:
        guard.guarded("uninstrument")(installation.undo.pop())()
    installation.recorder.close_everything()


def flush(timeout: float = 5.0) -> bool:
    """Send what has ended; running runs are left alone.

    Args:
        timeout: seconds; the call returns within it.

    Returns:
        True only if everything that had ended was really exported.
    """
    installation = _installed
    if installation is None:
        return True
    guard.guarded("flush")(installation.recorder.close_ended_traces)()
    return installation.pipeline.flush(timeout)


def shutdown(timeout: float = 5.0) -> bool:
    """Close everything, also what is running, send it and stop. Adopted providers are only flushed.

    Args:
        timeout: seconds; the call returns within it.

    Returns:
        True only if everything was really exported.
    """
    with _lock:
        installation = _installed
        if installation is None:
            return True
        guard.guarded("shutdown")(installation.recorder.close_everything)()
        pipeline = installation.pipeline
        uninstrument()
    return pipeline.shutdown(timeout)


def stats() -> dict[str, Any]:
    """Return litespan's own state: whether it is on, open records, its faults by place, and what was exported."""
    installation = _installed
    errors = guard.internal_errors()
    if installation is None:
        return {"instrumented": False, "records_open": 0, "internal_errors": errors}
    return {
        "instrumented": True,
        "records_open": len(installation.recorder.table),
        "internal_errors": errors,
        "export": installation.pipeline.stats(),
    }


def _self_metrics(
    installation: _Installation,
) -> dict[semconv.Metric, Callable[[], list[Observation]]]:
    """Return what litespan measures of itself. The collection is also the pulse that closes what is overdue."""
    pipeline, recorder = installation.pipeline, installation.recorder

    def records_open() -> list[Observation]:
        guard.guarded("sweep")(recorder.sweep)()
        return [Observation(len(recorder.table))]

    return {
        semconv.RECORDS_OPEN: records_open,
        semconv.INTERNAL_ERRORS: lambda: [
            Observation(count, {semconv.PLACE: place}) for place, count in guard.internal_errors().items()
        ],
        semconv.DROPPED: lambda: [
            Observation(count, {semconv.SIGNAL: signal, semconv.REASON: reason})
            for (signal, reason), count in pipeline.dropped().items()
        ],
        semconv.EXPORT_FAILURES: lambda: [
            Observation(count, {semconv.SIGNAL: signal, semconv.ERROR_TYPE: kind})
            for (signal, kind), count in pipeline.export_failures().items()
        ],
        semconv.EXPORT_QUEUE_SIZE: lambda: [Observation(pipeline.queue_size())],
    }


def _version() -> str:
    return _version_of("litespan")


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _reset_after_fork() -> None:
    """In a forked child, forget the parent's open records: the parent ends and sends them."""
    global _lock  # noqa: PLW0603 - the inherited lock may be held by a thread that does not exist here
    _lock = threading.RLock()
    if _installed is not None:
        _installed.recorder.table.reset_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
