"""All checks, in the order of the table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Final

from litespan.cli.checks import content, doubling, facts, files, metric_shape, scraping, tracing
from litespan.cli.checks.clock import check_clock
from litespan.cli.checks.content import check_content
from litespan.cli.checks.diagnosis import diagnose
from litespan.cli.checks.doubling import check_instrumentations, check_metrics_once
from litespan.cli.checks.endpoints import Trial, try_endpoint
from litespan.cli.checks.finding import Finding, not_checked, ok, problem
from litespan.cli.checks.metric_shape import check_metric_shape
from litespan.cli.checks.sampling import check_sampling
from litespan.cli.checks.spool import check_spool, look_at_spool
from litespan.cli.checks.tracing import check_switches
from litespan.cli.checks.variables import check_headers, check_variables
from litespan.cli.checks.versions import TESTED, check_malicious_file, check_version
from litespan.cli.checks.wires import Wire, read_wire
from litespan.export.choice import FILE, OTLP, PROMETHEUS, exporter_names, file_path
from litespan.export.ledger import LOGS, METRICS, TRACES
from litespan.export.preflight import check_providing, check_waiting
from litespan.setting_checks import ConfigurationError
from litespan.settings import Settings, load_settings

Say = Callable[[str], None]

_BASE: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_ON_SETTINGS: Final = (
    "endpoints", tracing.CHECK, content.CHECK, metric_shape.CHECK, doubling.METRICS_ONCE, "files",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Route:
    """One signal's exporters, and its wire or what is wrong with it if OTLP is among them."""

    signal: str
    names: tuple[str, ...]
    wire: Wire | Finding | None


def _with_endpoint(endpoint: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which traces and metrics, and events if they are on, go to this endpoint."""
    own = {f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT" for signal in (TRACES, METRICS, LOGS)}
    exporters = {f"OTEL_{signal.upper()}_EXPORTER": OTLP for signal in (TRACES, METRICS, LOGS)}
    return {name: text for name, text in environ.items() if name not in own} | exporters | {_BASE: endpoint}


def examine(
    environ: Mapping[str, str], timeout: float, say: Say, endpoint: str | None = None
) -> Iterator[Finding]:
    """Yield what every check says; ``timeout`` is in seconds for each try, ``say`` is told what goes on.

    With an ``endpoint`` that one is tried, in place of what the environment names.
    """
    tried = environ if endpoint is None else _with_endpoint(endpoint, environ)
    try:
        settings = load_settings(tried)
        names = {signal: exporter_names(signal, settings, tried) for signal in _signals(settings)}
        for signal in names:
            check_waiting(signal, settings, tried)
            check_providing(signal, tried)
    except ConfigurationError as error:
        yield problem("settings", "cannot be read", str(error))
        yield from (not_checked(check, "the settings cannot be read") for check in _ON_SETTINGS)
        trials: list[Trial] = []
    else:
        yield ok("settings", "can be read; arguments in your program's code go before them")
        routes = [_route(signal, names[signal], settings, tried) for signal in names]
        say("Trying the endpoints")
        trials = _try_all([route.wire for route in routes if isinstance(route.wire, Wire)], timeout)
        yield from _of_endpoints(routes, trials)
        yield from _of_settings(settings, tried, routes)
        yield from _of_places(settings, routes)
    yield from _of_environment(environ)
    yield check_clock(
        [trial.answer.skew for trial in trials if trial.answer.skew is not None],
        facts.installed_at(),
        time.time(),
    )


def _signals(settings: Settings) -> tuple[str, ...]:
    return (TRACES, METRICS, LOGS) if settings.events else (TRACES, METRICS)


def _route(signal: str, names: tuple[str, ...], settings: Settings, environ: Mapping[str, str]) -> _Route:
    if OTLP not in names:
        return _Route(signal, names, None)
    try:
        return _Route(signal, names, read_wire(signal, settings, environ))
    except ConfigurationError as error:
        return _Route(signal, names, problem(f"endpoint of {signal}", "cannot be used", str(error)))


def _try_all(wires: list[Wire], timeout: float) -> list[Trial]:
    """Try all at once, so that one that is silent holds up nobody."""
    if not wires:
        return []
    with ThreadPoolExecutor(len(wires)) as pool:
        return list(pool.map(lambda wire: try_endpoint(wire, timeout), wires))


def _of_endpoints(routes: list[_Route], trials: list[Trial]) -> Iterator[Finding]:
    tried = {trial.wire.signal: trial for trial in trials}
    for route in routes:
        if isinstance(route.wire, Finding):
            yield route.wire
        elif route.signal in tried:
            yield diagnose(tried[route.signal])
        else:
            says = f"{route.signal} go to {' and '.join(route.names) or 'none'}, not over the network"
            yield not_checked(f"endpoint of {route.signal}", says)


def _of_settings(settings: Settings, environ: Mapping[str, str], routes: list[_Route]) -> Iterator[Finding]:
    metrics = next(route for route in routes if route.signal == METRICS)
    yield check_switches(settings, environ)
    yield check_content(settings, environ)
    wire = metrics.wire if isinstance(metrics.wire, Wire) else None
    yield check_metric_shape(environ, metrics.names, wire, spooled=bool(settings.spool_dir))
    yield check_metrics_once(metrics.names)
    if PROMETHEUS in metrics.names:
        free = scraping.is_free(settings.prometheus_host, settings.prometheus_port)
        yield scraping.check_scraping(settings, installed=facts.can_be_scraped(), free=free)


def _of_places(settings: Settings, routes: list[_Route]) -> Iterator[Finding]:
    """Look at the folders in which something is kept."""
    spooled = [route for route in routes if OTLP in route.names]
    if settings.spool_dir and spooled:
        size = settings.spool_max_bytes * len(spooled)
        yield check_spool(settings.spool_dir, look_at_spool(settings.spool_dir), size)
    for route in routes:
        if FILE in route.names:
            path = file_path(route.signal, settings)
            size = settings.file_max_bytes * (settings.file_backups + 1)
            yield files.check_file(
                route.signal, _variable(f"{route.signal}_file"), path, files.look_at(path), size
            )


def _variable(setting: str) -> str:
    return next(str(spec.metadata["env"]) for spec in fields(Settings) if spec.name == setting)


def _of_environment(environ: Mapping[str, str]) -> Iterator[Finding]:
    yield check_sampling(environ, facts.other_samplers())
    yield check_variables(environ, facts.known_variables())
    yield check_headers(environ)
    yield check_instrumentations(facts.other_instrumentations(), environ)
    for package in TESTED:
        yield check_version(package, facts.version_of(package))
    yield check_malicious_file(facts.folders_with_malicious_file())
