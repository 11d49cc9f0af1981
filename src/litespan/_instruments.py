"""The instruments of each meter provider, and litespan's metrics about itself.

They are made once for each provider and outlive an instrumentation: counters must not go back, and
OpenTelemetry cannot take callbacks out again. So those look at what is installed when they are called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from opentelemetry.metrics import Meter, MeterProvider, Observation, get_meter_provider

from litespan import guard, semconv
from litespan.emit import self_metrics
from litespan.emit.histograms import Histograms
from litespan.emit.instruments import Instruments
from litespan.emit.measurements import Measurements
from litespan.emit.tallies import Tallies
from litespan.export.adoption import stands_in
from litespan.export.bound import bind, tells_collections
from litespan.export.forked import start_from_zero
from litespan.export.pipeline import Pipeline
from litespan.identity import IdentityMap
from litespan.recorder import Recorder

_RECORDS = "records"  # in place of a signal: one of these is a span and measurements


class Observed(Protocol):
    """An installation, as far as litespan's metrics about itself tell of it."""

    recorder: Recorder
    pipeline: Pipeline

    def sweep_soon(self) -> None:
        """Close what is overdue, in another thread."""
        ...


Installed = Callable[[], Observed | None]


class InstrumentsByProvider:
    """Counters and histograms by meter provider; ``installed`` returns what is observed right now."""

    def __init__(self, installed: Installed) -> None:
        self._installed = installed
        self._by_provider: IdentityMap[Instruments] = IdentityMap()
        # Those that were made while the program had no global provider yet, and their meter.
        self._early: tuple[Meter, Instruments] | None = None

    def of(self, meter_provider: MeterProvider, meter: Meter) -> Instruments:
        """Return the instruments of a meter provider."""
        found = self._by_provider.get(meter_provider)
        if found is None:
            at_once = not tells_collections(meter_provider)
            is_global = meter_provider is get_meter_provider()
            if self._early is not None and is_global and _is_handed_on(self._early[0], meter):
                found = _handed_on(self._early[1], meter, at_once=at_once)
            else:
                found = self._make(meter, at_once=at_once)
            self._by_provider[meter_provider] = found
            if stands_in(meter_provider):
                self._early = meter, found
        return found

    def _make(self, meter: Meter, *, at_once: bool) -> Instruments:
        measurements = Measurements(at_once=at_once)
        # The first that a collection asks, so that all others tell what had been measured by then.
        self._offer_self_metrics(meter, measurements)
        return Instruments(Tallies(meter), Histograms(meter, bind), measurements)

    def reset_after_fork(self) -> None:
        """Start from zero in a forked child; the parent reports its own."""
        for provider, instruments in self._by_provider.items():
            asking = get_meter_provider() if stands_in(provider) else provider
            instruments.tallies.reset_after_fork(from_zero=start_from_zero(asking, semconv.SCOPE))
            instruments.histograms.reset_after_fork()
            instruments.measurements.reset_after_fork()

    def _offer_self_metrics(self, meter: Meter, measurements: Measurements) -> None:
        self_metrics.offer(
            meter,
            {
                semconv.RECORDS_OPEN: lambda: self._open_records(measurements),
                semconv.INTERNAL_ERRORS: lambda: _by(guard.internal_errors(), semconv.PLACE),
                semconv.DROPPED: self._dropped,
                semconv.EXPORT_FAILURES: lambda: self._exports(Pipeline.export_failures, semconv.ERROR_TYPE),
                semconv.EXPORT_QUEUE_SIZE: self._queue,
            },
        )

    def _open_records(self, measurements: Measurements) -> list[Observation]:
        """Count open records.

        The collection is also the pulse at which what is overdue is closed, and records what was measured:
        readers look at histograms only after all functions of observable instruments were called, in their
        order.
        """
        installed = self._installed()
        if installed is not None:
            guard.guarded("sweep")(installed.sweep_soon)()
        guard.guarded("measurements")(measurements.record)()
        return [] if installed is None else [Observation(len(installed.recorder.table))]

    def _dropped(self) -> list[Observation]:
        """Count what was lost: on its way out, and of records that were given up."""
        installed = self._installed()
        given_up = installed.recorder.table.losses() if installed is not None else {}
        return [
            *self._exports(Pipeline.dropped, semconv.REASON),
            *(Observation(n, {semconv.SIGNAL: _RECORDS, semconv.REASON: why}) for why, n in given_up.items()),
        ]

    def _exports(
        self, read: Callable[[Pipeline], Mapping[tuple[str, str], int]], attribute: str
    ) -> list[Observation]:
        installed = self._installed()
        counts = read(installed.pipeline) if installed is not None else {}
        return [
            Observation(n, {semconv.SIGNAL: signal, attribute: key}) for (signal, key), n in counts.items()
        ]

    def _queue(self) -> list[Observation]:
        installed = self._installed()
        return [] if installed is None else [Observation(installed.pipeline.queue_size())]


def _is_handed_on(early: Meter, meter: Meter) -> bool:
    """Say whether the API has made the instruments of a meter of its own in one of the global provider.

    Not if somebody has put the global provider there by force, as tests do. To see that is private access
    (tried with opentelemetry-api 1.45.1, read in 1.40.0); where it cannot be seen, the API is trusted.
    """
    return getattr(early, "_real_meter", meter) is meter


def _handed_on(early: Instruments, meter: Meter, *, at_once: bool) -> Instruments:
    """Return early instruments for the global provider that came later.

    OpenTelemetry's API has made all of them in it, and the SDK takes functions under a name once: it asks
    the early counters and no others. Histograms are found again there, not by way of the API any more.
    """
    early.measurements.at_once = at_once
    return early._replace(histograms=Histograms(meter, bind))


def _by(counts: Mapping[str, int], attribute: str) -> list[Observation]:
    return [Observation(count, {attribute: key}) for key, count in counts.items()]
